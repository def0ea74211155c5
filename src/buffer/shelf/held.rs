//! Bytes that wait until more is known: a few lie in memory of their own, and more of them on the shelf, since many may wait
//! at once.

use super::{Corner, Lot, NoRoom};

/// Bytes that need no place on the shelf.
const FEW: usize = 64 << 10;

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Held {
    few: Vec<u8>,
    many: Option<Lot>,
}

impl From<Vec<u8>> for Held {
    /// Bytes that are held already, in memory of their own.
    fn from(few: Vec<u8>) -> Self {
        Self { few, many: None }
    }
}

impl Held {
    /// How many bytes are held.
    pub fn len(&self) -> usize {
        self.many.as_ref().map_or(self.few.len(), Lot::len)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends bytes. Without a corner they share memory with nobody.
    ///
    /// # Errors
    /// There is no room for them, or what was here had to give way.
    pub fn append(&mut self, bytes: &[u8], corner: Option<&Corner>) -> Result<(), NoRoom> {
        if let Some(lot) = &mut self.many {
            return lot.append(bytes, usize::MAX);
        }
        match corner.filter(|_| self.few.len().saturating_add(bytes.len()) > FEW) {
            None => self.few.extend_from_slice(bytes),
            Some(corner) => {
                let mut lot = corner.lot();
                lot.append(&std::mem::take(&mut self.few), usize::MAX)?;
                lot.append(bytes, usize::MAX)?;
                self.many = Some(lot);
            }
        }
        Ok(())
    }

    /// Looks at all of them, for a moment.
    ///
    /// # Errors
    /// They had to give way.
    pub fn look<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Result<T, NoRoom> {
        match &self.many {
            Some(lot) => lot.look(look),
            None => Ok(look(&self.few)),
        }
    }

    /// Takes them, to be used at once.
    ///
    /// # Errors
    /// They had to give way.
    pub fn take(&mut self) -> Result<Vec<u8>, NoRoom> {
        match self.many.take() {
            Some(mut lot) => lot.exchange(0),
            None => Ok(std::mem::take(&mut self.few)),
        }
    }
}
