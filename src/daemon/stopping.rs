//! The end: drained, aborted where it has to be, and closed.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Daemon;
use crate::audit::{self, Audit, Event};
use crate::relay::{Live, Stage};

/// How long aborts, closing records and closes may take once the grace period is over. Records that find no room on a full
/// disk would take for ever.
const LAST_PATIENCE: Duration = Duration::from_secs(10);
/// What is still open after that is worth a line.
const MOMENT: Duration = Duration::from_secs(2);
/// Associations that the log names.
const LISTED: usize = 20;

impl Daemon {
    /// Stops accepting, lets open associations end within the grace period, aborts the rest, and closes the records. While
    /// records cannot be written there is no grace: associations wait for their records, and would not end. What goes on for
    /// as long as it drains is ended by `others`, before the records are closed.
    pub async fn stop(self, why: impl Into<Cow<'static, str>>, others: impl Future<Output = ()>) {
        // Nobody is there any more who would do what is asked.
        drop(self.requests);
        let grace = self.gate.in_force.load().settings.limits.grace;
        tracing::info!(open = self.gate.limiter.open_associations(), ?grace, "draining");
        self.stage.send_replace(Stage::Draining);
        let ending = self.listeners.ended();
        tokio::pin!(ending);
        let ended = tokio::select! {
            () = &mut ending => true,
            () = tokio::time::sleep(grace) => false,
            // What waits for a disk that takes nothing would wait for ever.
            () = unrecorded(&self.gate.audit) => false,
            never = say_what_lasts(&self.gate.live) => match never {},
        };
        self.gate.upstreams.stop();
        self.gate.audit.hurry();
        if !ended {
            self.gate.live.say(LISTED);
            self.stage.send_replace(Stage::Stopping);
            if tokio::time::timeout(LAST_PATIENCE, &mut ending).await.is_err() {
                tracing::error!(
                    "some associations could not be ended in {LAST_PATIENCE:?}; their records may be missing"
                );
            }
        }
        others.await;
        let (until, minutes) = self.minutes;
        drop(until);
        // It may be telling what it counted, and no longer waits for room; a look at a disk that hangs has no end.
        if tokio::time::timeout(LAST_PATIENCE, minutes).await.is_err() {
            tracing::error!(
                "refusals of the last minutes may not be recorded: the disk of the records hangs"
            );
        }
        self.gate.refusals.at_end().await;
        let stopped = audit::Stopped {
            reason: why.into(),
            aborted: self.gate.aborted.load(Ordering::Relaxed),
            health_checks: Some(self.gate.health_checks.load(Ordering::Relaxed)).filter(|count| *count > 0),
            duration_ms: u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        self.gate.audit.record(Event::Stopped(stopped)).await;
        self.records.close().await;
        self.forwarding.stop().await;
        self.monitoring.stop().await;
    }
}

/// Says once what is waited for, where it takes longer than a moment.
async fn say_what_lasts(live: &Live) -> Infallible {
    tokio::time::sleep(MOMENT).await;
    live.say(LISTED);
    std::future::pending().await
}

/// Returns once nothing can be recorded that has to be.
async fn unrecorded(audit: &Audit) {
    while audit.admits() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
