//! Whether a message that has begun moves, and fast enough.

use std::time::Duration;

use tokio::time::Instant;

use super::error::{Doing, Error};

/// Waits for a peer, added up: what is waited for elsewhere, on a disk perhaps, does not count.
///
/// ```text
/// |<- progress ->|<- progress ->|        in each at least `least` bytes, else it is slow; none, else it is silent
/// ```
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    progress: Duration,
    least: u64,
    waited: Duration,
    moved: u64,
}

impl Pace {
    pub(super) fn new(progress: Duration, min_bytes_per_second: u32) -> Self {
        let milliseconds = u64::try_from(progress.as_millis()).unwrap_or(u64::MAX);
        let least = (u64::from(min_bytes_per_second).saturating_mul(milliseconds) / 1000).max(1);
        Self { progress, least, waited: Duration::ZERO, moved: 0 }
    }

    /// Says that a message begins: what was waited for and what has moved before do not count for it.
    pub(super) fn begin(&mut self) {
        (self.waited, self.moved) = (Duration::ZERO, 0);
    }

    /// Waits for `step`, which moves as many bytes as it gives.
    ///
    /// # Errors
    /// [`Error::Silent`], [`Error::Slow`], or that of the step.
    pub(super) async fn step(
        &mut self,
        doing: Doing,
        mut step: impl Future<Output = std::io::Result<usize>> + Unpin,
    ) -> Result<usize, Error> {
        loop {
            let began = Instant::now();
            let left = self.progress.saturating_sub(self.waited);
            let moved = tokio::time::timeout(left, &mut step).await.ok();
            self.waited = self.waited.saturating_add(began.elapsed());
            let count = moved.transpose().map_err(|error| Error::io(doing, error))?;
            self.moved += count.unwrap_or_default() as u64;
            if count.is_none() || self.waited >= self.progress {
                self.judge(doing)?;
                self.begin();
            }
            if let Some(count) = count {
                return Ok(count);
            }
        }
    }

    fn judge(&self, doing: Doing) -> Result<(), Error> {
        let (patience, moved, least) = (self.progress, self.moved, self.least);
        match moved {
            0 => Err(Error::Silent { doing, patience }),
            _ if moved < least => Err(Error::Slow { doing, patience, moved, least }),
            _ => Ok(()),
        }
    }
}
