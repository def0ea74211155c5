//! The end: drained, aborted where it has to be, and closed.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Daemon;
use super::site::Site;
use crate::relay::Stage;

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
        let sites: Vec<Site> = [self.machine].into_iter().chain(self.tenants.into_values()).collect();
        let grace = sites.first().map_or(Duration::ZERO, |site| site.settings().limits.grace);
        let open: u32 = sites.iter().map(|site| site.gate.limiter.open_associations()).sum();
        tracing::info!(open, ?grace, "draining");
        sites.iter().for_each(|site| {
            site.stage.send_replace(Stage::Draining);
        });
        let ending = self.listeners.ended();
        tokio::pin!(ending);
        let ended = tokio::select! {
            () = &mut ending => true,
            () = tokio::time::sleep(grace) => false,
            // What waits for a disk that takes nothing would wait for ever.
            () = unrecorded(&sites) => false,
            never = say_what_lasts(&sites) => match never {},
        };
        sites.iter().for_each(|site| site.gate.upstreams.stop());
        sites.iter().for_each(|site| site.gate.audit.hurry());
        if !ended {
            sites.iter().for_each(|site| site.gate.live.say(LISTED));
            sites.iter().for_each(|site| {
                site.stage.send_replace(Stage::Stopping);
            });
            if tokio::time::timeout(LAST_PATIENCE, &mut ending).await.is_err() {
                tracing::error!(
                    "some associations could not be ended in {LAST_PATIENCE:?}; their records may be missing"
                );
            }
        }
        others.await;
        let (why, began) = (why.into(), self.began);
        let left = async {
            for leaving in self.leaving {
                let _ = leaving.await;
            }
        };
        // The disk of one may hang, and no other waits for it.
        let mut closing: JoinSet<()> = sites.into_iter().map(|site| site.close(why.clone(), began)).collect();
        let _ = tokio::time::timeout(LAST_PATIENCE, left).await;
        while closing.join_next().await.is_some() {}
        self.monitoring.stop().await;
    }
}

/// Says once what is waited for, where it takes longer than a moment.
async fn say_what_lasts(sites: &[Site]) -> Infallible {
    tokio::time::sleep(MOMENT).await;
    sites.iter().for_each(|site| site.gate.live.say(LISTED));
    std::future::pending().await
}

/// Returns once nothing can be recorded that has to be.
async fn unrecorded(sites: &[Site]) {
    while sites.iter().any(|site| site.gate.audit.admits()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
