//! What a requestor proved about itself: certificates today, user identity (PS3.7 Annex D.3.3.7) later.

mod binding;
mod certificate;
mod printable;

pub use binding::{BindingError, CertificateBinding};
pub use certificate::{Certificate, CertificateError};
pub use printable::{deceptive, printable};
