//! Memory that all peers share, for what lies there until the rest of it comes or until its reader takes it. Who holds more
//! than others gives way to them, and never the other way round.
//!
//! While there is room, a peer may have all of it. Where there is none for somebody who would still hold less than another
//! peer does, that other one loses what it began first, which is what it has been slowest with. So of N peers that hold
//! something each can always have an Nth of the memory, whatever the others do, and what is taken away is only ever taken
//! from a peer that holds more than an Nth.
//!
//! What is taken away is free at once: whose it was need not be awake, and learns of it when it comes for it.
//!
//! What grows never waits, since it would wait for others that wait for it. What is whole and is to be
//! [exchanged](Lot::exchange) for something larger may wait, for a whole lot of the same peer that goes on and makes room for it. So
//! that there is one, what grows of a peer leaves a spare part free.

mod books;
mod held;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use books::Books;
pub use held::Held;

/// Bytes that a [`Lot`] grows by at least.
const STEP: usize = 16 << 10;

/// The shared memory with its books; the [module](self) tells who gives way to whom.
pub struct Shelf {
    books: Mutex<Books>,
    /// Told when there may be more room.
    changed: Notify,
}

/// Where one peer's lots lie.
#[derive(Clone)]
pub struct Corner {
    shelf: Arc<Shelf>,
    peer: Arc<str>,
}

/// Bytes on the shelf, until they are dropped.
pub struct Lot {
    corner: Corner,
    /// What the books call it, once it is there.
    number: Option<u64>,
    counted: usize,
    length: usize,
    contents: Contents,
}

/// `None` once they were taken away.
type Contents = Arc<Mutex<Option<Vec<u8>>>>;

/// There is no room, or what lay here had to give way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

impl Shelf {
    /// For so many bytes, of which what grows of one peer leaves `spare` free.
    pub fn new(size: usize, spare: usize) -> Arc<Self> {
        Arc::new(Self { books: Mutex::new(Books::new(size, spare)), changed: Notify::new() })
    }

    /// For somebody who shares it with nobody.
    pub fn of_one() -> Corner {
        Self::new(usize::MAX, 0).corner("".into())
    }

    /// Makes it larger or smaller. What lies there stays until somebody needs the room.
    pub fn resize(&self, size: usize, spare: usize) {
        {
            let mut books = self.books();
            (books.size, books.spare) = (size, spare);
        }
        self.changed.notify_waiters();
    }

    /// Bytes that lots are counted for.
    pub fn taken(&self) -> usize {
        self.books().taken
    }

    /// Waits until there may be more room than when this was called, or something has given way.
    pub fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.changed.notified()
    }

    /// Where a peer's lots lie. All of its associations share it.
    pub fn corner(self: &Arc<Self>, peer: Arc<str>) -> Corner {
        Corner { shelf: Arc::clone(self), peer }
    }
}

impl Corner {
    /// A lot without bytes, which takes no room before there are some.
    pub fn lot(&self) -> Lot {
        let contents = Arc::new(Mutex::new(Some(Vec::new())));
        Lot { corner: self.clone(), number: None, counted: 0, length: 0, contents }
    }
}

impl Lot {
    /// How many bytes were put here.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether no byte was put here yet.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends bytes; there will never be more than `most`.
    ///
    /// # Errors
    /// There is no room for them, or what was here had to give way.
    pub fn append(&mut self, bytes: &[u8], most: usize) -> Result<(), NoRoom> {
        let length = self.length.saturating_add(bytes.len());
        if length > self.counted {
            // A quarter more, so that not all is moved each time that a little comes.
            let wanted = (length + length / 4).next_multiple_of(STEP);
            self.count(wanted.min(most).max(length), true)?;
        }
        let counted = self.counted;
        let mut contents = lock(&self.contents);
        let held = contents.as_mut().ok_or(NoRoom)?;
        held.reserve_exact(counted - held.len());
        held.extend_from_slice(bytes);
        self.length = length;
        Ok(())
    }

    /// Makes room to [exchange](Self::exchange) it for so many bytes; `false`: there is none now, and may be later.
    ///
    /// # Errors
    /// There is none, or what was here had to give way.
    pub fn make_room(&mut self, size: usize) -> Result<bool, NoRoom> {
        if self.count(size.max(self.counted), false).is_ok() {
            return Ok(true);
        }
        if self.corner.shelf.books().may_wait(self) {
            return Ok(false);
        }
        // What it would wait for may have gone just now.
        self.count(size.max(self.counted), false).map(|()| true)
    }

    /// Takes what is here, and counts so many bytes for what is to be [put](Self::put) in its place.
    ///
    /// # Errors
    /// There is no room for that, or what was here had to give way.
    pub fn exchange(&mut self, size: usize) -> Result<Vec<u8>, NoRoom> {
        self.count(size, false)?;
        self.length = 0;
        lock(&self.contents).as_mut().map(std::mem::take).ok_or(NoRoom)
    }

    /// Puts bytes here that were counted.
    ///
    /// # Errors
    /// They had to give way meanwhile.
    pub fn put(&mut self, bytes: Vec<u8>) -> Result<(), NoRoom> {
        self.count(bytes.capacity(), false)?;
        self.length = bytes.len();
        *lock(&self.contents).as_mut().ok_or(NoRoom)? = bytes;
        Ok(())
    }

    /// Looks at what is here, for a moment.
    ///
    /// # Errors
    /// It had to give way.
    pub fn look<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Result<T, NoRoom> {
        lock(&self.contents).as_deref().map(look).ok_or(NoRoom)
    }

    /// Counts so many bytes for it.
    fn count(&mut self, bytes: usize, grows: bool) -> Result<(), NoRoom> {
        let (shelf, mut gone) = (Arc::clone(&self.corner.shelf), Vec::new());
        let counted = shelf.books().count(self, bytes, grows, &mut gone);
        let has_given_way = !gone.is_empty();
        // What gave way is given back to the system while nobody waits for the books.
        drop(gone);
        let before = self.counted;
        self.counted = counted.map(|()| bytes)?;
        if has_given_way || bytes < before {
            shelf.changed.notify_waiters();
        }
        Ok(())
    }
}

impl Shelf {
    fn books(&self) -> MutexGuard<'_, Books> {
        lock(&self.books)
    }
}

impl Drop for Lot {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.corner.shelf.books().forget(&self.corner.peer, number);
            self.corner.shelf.changed.notify_waiters();
        }
    }
}

impl fmt::Debug for Corner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Corner").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl fmt::Debug for Lot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lot")
            .field("number", &self.number)
            .field("counted", &self.counted)
            .finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
