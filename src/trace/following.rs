//! A trace as its reader has it, from its beginning until it is let go.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::filter::Filter;
use super::queue::Trace;
use super::seen::Seen;
use super::traces::{TooMany, Traces};

/// The reader's side. The trace is over once this is dropped.
pub(crate) struct Following {
    /// Each trace of a run has its own.
    pub number: u64,
    pub began: Instant,
    trace: Arc<Trace>,
    receiver: mpsc::Receiver<Arc<Seen>>,
    traces: Arc<Traces>,
}

/// The next event of a trace, or that some were lost by a reader that was too slow.
pub(crate) enum Followed {
    Seen(Arc<Seen>),
    /// So many were lost before what comes next.
    Lost(u64),
}

impl Following {
    /// Begins a trace of connections that come from now on.
    ///
    /// # Errors
    /// [`TooMany`].
    pub(crate) fn begin(traces: &Arc<Traces>, filter: Filter) -> Result<Self, TooMany> {
        let (trace, receiver) = Trace::new(filter);
        let number = traces.add(trace.clone())?;
        Ok(Self { number, began: Instant::now(), trace, receiver, traces: traces.clone() })
    }

    /// What comes next. It may be cancelled.
    pub(crate) async fn next(&mut self) -> Option<Followed> {
        if let Some(lost) = self.lost() {
            return Some(Followed::Lost(lost));
        }
        let seen = self.receiver.recv().await?;
        self.trace.was_read(&seen);
        Some(Followed::Seen(seen))
    }

    /// What waits already, for whoever does not wait any more.
    pub(crate) fn next_now(&mut self) -> Option<Followed> {
        let seen = self.receiver.try_recv().ok()?;
        self.trace.was_read(&seen);
        Some(Followed::Seen(seen))
    }

    /// How many were lost since this was asked last.
    pub(crate) fn lost(&self) -> Option<u64> {
        self.trace.lost()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.traces.end(&self.trace);
    }
}
