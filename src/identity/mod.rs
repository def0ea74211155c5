//! What a requestor proved about itself: what its certificate says.

mod binding;
mod certificate;
mod printable;

pub use binding::{BindingError, CertificateBinding};
pub use certificate::{Certificate, CertificateError};
pub use printable::{deceptive, printable};
