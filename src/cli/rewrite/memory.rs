//! Where pseudonyms are looked up and remembered.

use std::sync::Arc;

use super::failure::FileError;
use crate::config::CrosswalkSettings;
use crate::crosswalk::{Crosswalk, CrosswalkError, Guest};
use crate::rewrite::{Correspondence, Correspondences};

/// What a run has of the crosswalk of its rewrite.
pub(super) enum Memory {
    /// It has none: pseudonyms are made and forgotten.
    None,
    Own(Arc<Crosswalk>),
    /// Another process has it open, the proxy say: what is known is used, and nothing new can be remembered.
    Beside(Arc<Guest>, Option<u32>),
}

impl Memory {
    /// Opens the crosswalk, for reading where another process has it open.
    pub(super) fn open(settings: Option<&CrosswalkSettings>) -> Result<Self, CrosswalkError> {
        let Some(CrosswalkSettings { path, secret, .. }) = settings else { return Ok(Self::None) };
        match Crosswalk::open(path, secret) {
            Ok(own) => Ok(Self::Own(Arc::new(own))),
            Err(CrosswalkError::InUse { by, .. }) => {
                Ok(Self::Beside(Arc::new(Guest::open(path, secret)?), by))
            }
            Err(error) => Err(error),
        }
    }

    /// What is known, and what earlier files of this run made known.
    pub(super) fn known(&self) -> Option<Arc<dyn Correspondences>> {
        match self {
            Self::None => None,
            Self::Own(crosswalk) => Some(crosswalk.clone()),
            Self::Beside(guest, _) => Some(guest.clone()),
        }
    }

    /// Remembers what was made for one file, durably, or says why the file must not come to be.
    pub(super) fn store(&self, made: Vec<Correspondence>) -> Result<(), FileError> {
        match self {
            Self::Own(crosswalk) => crosswalk.store_blocking(made).map_err(FileError::NotRemembered),
            Self::Beside(_, by) if !made.is_empty() => Err(FileError::OnlyKnown(*by)),
            Self::None | Self::Beside(..) => Ok(()),
        }
    }
}
