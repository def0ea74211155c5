//! Reading beside the process that has a crosswalk open.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::database::{Column, Database, FORMAT};
use super::error::CrosswalkError;
use super::handle::told;
use super::secret::Secret;
use crate::rewrite::{Correspondence, Correspondences, Kind, Unavailable};

/// Uses what is remembered, and can add nothing. Each look-up reads the database as it is then.
pub struct Guest {
    reader: Mutex<Database>,
}

impl Guest {
    /// Opens a database that is there.
    ///
    /// # Errors
    /// It is not there, of another key, damaged, no crosswalk, or of a format in which it may lead to originals.
    pub fn open(path: &Path, secret: &Secret) -> Result<Self, CrosswalkError> {
        let database = Database::open_to_read(path, secret)?;
        match database.format {
            FORMAT => Ok(Self { reader: Mutex::new(database) }),
            format => Err(CrosswalkError::Older { path: path.to_owned(), format }),
        }
    }

    fn find(&self, kind: Kind, column: Column, value: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        let database = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        database.look_up(kind, column, value).map_err(|error| told(&error))
    }
}

impl Correspondences for Guest {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        if !kind.leads_forward() {
            return Ok(None);
        }
        Ok(self.find(kind, Column::Real, real)?.map(|found| found.pseudonym))
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        if !kind.leads_back() {
            return Ok(None);
        }
        self.find(kind, Column::Pseudonym, pseudonym)
    }
}
