//! Large buffers that exist only while data flows.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, PoisonError};

/// Bytes of one buffer: large reads are what makes a relay cheap.
const SIZE: usize = 256 * 1024;

/// Buffers kept for the next message of anybody, so that short messages need no allocation.
const KEPT: usize = 16;

/// Those that nobody uses at the moment. What was in them is not cleared; nobody reads beyond what they wrote.
static SPARE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// A buffer of 256 KiB, lent until it is dropped.
pub struct Buffer(Box<[u8]>);

impl Buffer {
    /// One that somebody has used before, or a new one.
    pub fn lend() -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self(spare.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice()))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < KEPT {
            spare.push(std::mem::take(&mut self.0));
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}
