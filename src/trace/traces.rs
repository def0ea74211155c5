//! The traces that are open.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::filter::MOST_OPEN;
use super::queue::Trace;
use super::witness::Witness;

/// The traces that are open.
#[derive(Default)]
pub(crate) struct Traces {
    /// Whether there is one: all that a connection looks at where there is none.
    any: AtomicBool,
    open: Mutex<Vec<Arc<Trace>>>,
    begun: AtomicU64,
}

/// There are as many traces as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST_OPEN} traces are open already; wait until one of them ends")]
pub(crate) struct TooMany;

impl Traces {
    /// A trace more, with the number that it has in this run.
    ///
    /// # Errors
    /// [`TooMany`].
    pub(super) fn add(&self, trace: Arc<Trace>) -> Result<u64, TooMany> {
        let mut open = self.open();
        if open.len() >= MOST_OPEN {
            return Err(TooMany);
        }
        open.push(trace);
        self.any.store(true, Relaxed);
        Ok(self.begun.fetch_add(1, Relaxed) + 1)
    }

    /// Who sees a connection, where somebody may want to.
    #[inline]
    pub(crate) fn witness(&self, id: &Arc<str>, from: SocketAddr) -> Option<Arc<Witness>> {
        if !self.any.load(Relaxed) {
            return None;
        }
        let all = self.open();
        let may = all.iter().filter(|trace| trace.filter.may_hold(from.ip()));
        let candidates: Vec<_> = may.cloned().collect();
        (!candidates.is_empty()).then(|| Arc::new(Witness::new(id.clone(), candidates)))
    }

    pub(super) fn end(&self, ended: &Arc<Trace>) {
        let mut open = self.open();
        open.retain(|trace| !Arc::ptr_eq(trace, ended));
        self.any.store(!open.is_empty(), Relaxed);
    }

    fn open(&self) -> MutexGuard<'_, Vec<Arc<Trace>>> {
        // Whoever panicked held it for one insertion or removal.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
