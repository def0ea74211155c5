//! What somebody still has to read of days that are over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use time::Date;

/// How far those have come who send records on. Whoever closes or deletes a day's file keeps the rest for them
/// ([`unsent`](super::unsent)). Cheap to clone; all clones are one. The default is that nobody reads.
#[derive(Clone, Debug, Default)]
pub struct Hold(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    readers: Mutex<Readers>,
    all_known: Condvar,
    /// Held while files of what is unsent are written or deleted.
    files: Mutex<()>,
}

#[derive(Debug, Default)]
struct Readers {
    /// Those that have not said yet where they are.
    expected: BTreeSet<Arc<str>>,
    /// Day, and bytes of its lines, up to which each has everything for good.
    at: BTreeMap<Arc<str>, (Date, u64)>,
}

impl Hold {
    /// Nothing is closed before these have said where they are.
    pub fn expect(&self, names: impl IntoIterator<Item = Arc<str>>) {
        self.readers().expected.extend(names);
    }

    /// Everything before has been delivered.
    pub(super) fn is_at(&self, name: &Arc<str>, day: Date, offset: u64) {
        self.change(|readers| {
            readers.at.insert(name.clone(), (day, offset));
            readers.expected.remove(name);
        });
    }

    pub(super) fn needs_nothing(&self, name: &Arc<str>) {
        self.change(|readers| {
            readers.at.remove(name);
            readers.expected.remove(name);
        });
    }

    /// From which byte of the day's lines on somebody still has to read; `None` where nobody has to.
    pub(super) fn needed_of(&self, day: Date) -> Option<u64> {
        let readers = self.readers();
        let needed = readers.at.values().filter(|(at, _)| *at <= day);
        needed.map(|(at, offset)| if *at < day { 0 } else { *offset }).min()
    }

    /// Waits until everybody has said where they are.
    pub(super) fn wait(&self) {
        let waiting = self.0.all_known.wait_while(self.readers(), |readers| !readers.expected.is_empty());
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    /// For who writes or deletes files of what is unsent.
    pub(super) fn files(&self) -> MutexGuard<'_, ()> {
        self.0.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, where nobody has it.
    pub(super) fn files_now(&self) -> Option<MutexGuard<'_, ()>> {
        match self.0.files.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Readers)) {
        change(&mut self.readers());
        self.0.all_known.notify_all();
    }

    fn readers(&self) -> MutexGuard<'_, Readers> {
        self.0.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
