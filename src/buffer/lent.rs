//! Large buffers that exist only while data flows.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Bytes of one buffer: large reads are what makes a relay cheap.
const SIZE: usize = 256 * 1024;

/// Buffers kept for the next message of anybody, so that short messages need no allocation.
const KEPT: usize = 16;

/// Buffers that a thread keeps to itself: as many as one association has at once, for what was used last is in the cache.
const NEAR: usize = 3;

/// Those that nobody uses at the moment. What was in them is not cleared; nobody reads beyond what they wrote.
static SPARE: Mutex<Vec<Box<[u8]>>> = Mutex::new(Vec::new());

/// Buffers that may be kept with something in them while more is waited for.
const MAY_WAIT: usize = 16;

/// How many are.
static WAITING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OWN: RefCell<Vec<Box<[u8]>>> = const { RefCell::new(Vec::new()) };
}

/// A buffer of 256 KiB, lent until it is dropped.
pub struct Buffer {
    bytes: Box<[u8]>,
    waits: bool,
}

impl Buffer {
    /// One that somebody has used before, or a new one.
    pub fn lend() -> Self {
        let own = OWN.try_with(|own| own.borrow_mut().pop()).ok().flatten();
        let spare = own.or_else(|| SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop());
        Self { bytes: spare.unwrap_or_else(|| vec![0; SIZE].into_boxed_slice()), waits: false }
    }

    /// Whether it may be kept while more is waited for. A few may, which spares copying what is in them; many could be
    /// somebody's way to have all the memory.
    pub fn may_wait(&mut self) -> bool {
        if !self.waits {
            self.waits = WAITING.fetch_add(1, Ordering::Relaxed) < MAY_WAIT;
            if !self.waits {
                WAITING.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.waits
    }

    /// Gives the place among those that may wait back: more has come, and the buffer is in use again.
    pub fn goes_on(&mut self) {
        if std::mem::take(&mut self.waits) {
            WAITING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.goes_on();
        let mut bytes = Some(std::mem::take(&mut self.bytes));
        // A thread that ends keeps nothing any more.
        let _ = OWN.try_with(|own| {
            let mut own = own.borrow_mut();
            if own.len() < NEAR {
                own.extend(bytes.take());
            }
        });
        let Some(bytes) = bytes else { return };
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < KEPT {
            spare.push(bytes);
        }
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

/// While it lasts, no further buffer may wait: for tests of those that then hold what they have in as many bytes.
#[cfg(test)]
pub struct NoneMayWait(());

#[cfg(test)]
impl NoneMayWait {
    /// Takes every place at which a buffer could wait; dropped, it gives them back.
    pub fn begin() -> Self {
        WAITING.fetch_add(MAY_WAIT, Ordering::Relaxed);
        Self(())
    }
}

#[cfg(test)]
impl Drop for NoneMayWait {
    fn drop(&mut self) {
        WAITING.fetch_sub(MAY_WAIT, Ordering::Relaxed);
    }
}
