//! The instance that a command names.

use super::correspondence::Correspondence;

/// An instance that a command names, as the other side knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// What it is called on the other side; the same where rules leave UIDs alone.
    pub uid: String,
    /// Its pseudonym was written: the original is on the patients' side.
    pub comes_back: bool,
    /// To be remembered before the UID is sent.
    pub made: Vec<Correspondence>,
    /// Remembered already, but not whose it is.
    pub ownerless: Vec<Correspondence>,
}
