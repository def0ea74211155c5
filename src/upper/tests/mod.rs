//! Both ends over memory, against raw bytes, and against dicom-ul, which shares none of this code.

mod chunking;
mod ending;
mod hostile;
mod independent;
mod messages;
mod negotiating;
mod peer;
