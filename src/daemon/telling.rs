//! Whoever wants to be told is told of records as they are written, and of what keeps records from being written.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use super::endings;
use crate::audit::{Followed, Following};
use crate::config::Settings;
use crate::notify::{Notifying, Occasion};
use crate::relay::Gate;

/// How often it is looked whether records are written.
const GLANCE: Duration = Duration::from_secs(15);

/// Follows the records, and the settings in force, for as long as there is a sender of them. Where nobody is to be told it
/// follows nothing.
pub(super) fn begin(gate: Arc<Gate>, mut settings: watch::Receiver<Arc<Settings>>) {
    let first = settings.borrow_and_update().clone();
    // What is recorded from here on is told, the start too.
    let following = follow(&gate, &first);
    tokio::spawn(async move {
        let mut notifying = Notifying::start(&first.notifications, &crate::config::host_name());
        tell_ends(&notifying, &first);
        let mut following = following;
        let mut failing = Failing::default();
        let mut glances = tokio::time::interval(GLANCE);
        glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                changed = settings.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let current = settings.borrow_and_update().clone();
                    notifying.reload(&current.notifications);
                    tell_ends(&notifying, &current);
                    if current.notifications.is_empty() || following.is_none() {
                        following = follow(&gate, &current);
                    }
                }
                Some(line) = next(&mut following) => notifying.record(&line),
                _ = glances.tick(), if following.is_some() => {
                    let told = failing.look(gate.audit.writable(), gate.refusals.has_disk());
                    told.for_each(|(occasion, why, count)| notifying.unrecorded(occasion, why, count));
                }
            }
        }
    });
}

/// What ends, or has ended, when the settings come into force. What was told already is not told again so soon.
fn tell_ends(notifying: &Notifying, settings: &Settings) {
    for alert in endings::already(&settings.ends, OffsetDateTime::now_utc()) {
        notifying.alert(&alert.reason, alert.about.as_deref().unwrap_or_default(), &alert.explanation);
    }
}

fn follow(gate: &Gate, settings: &Settings) -> Option<Following> {
    (!settings.notifications.is_empty()).then(|| gate.audit.follow())
}

/// The next record; never, where none is followed.
async fn next(following: &mut Option<Following>) -> Option<Arc<str>> {
    let Some(records) = following else { return std::future::pending().await };
    match records.next().await {
        Some(Followed::Line(line)) => Some(line),
        Some(Followed::Lost(records)) => {
            tracing::warn!(records, "came too fast to see what somebody should be told of");
            Some("".into())
        }
        None => {
            *following = None;
            None
        }
    }
}

const UNWRITABLE: &str =
    "records cannot be written: the disk under [audit] directory, and the log of the proxy";
const SHORT: &str = "the disk under [audit] directory has less free than is kept for records of operations";

/// What kept records from being written when it was looked last.
#[derive(Default)]
struct Failing {
    unwritable: bool,
    short: bool,
}

impl Failing {
    /// What there is to tell: since when it is so, once; that it is still so, none.
    fn look(
        &mut self,
        is_writable: bool,
        has_disk: bool,
    ) -> impl Iterator<Item = (Occasion, &'static str, u64)> + use<> {
        let before = std::mem::replace(self, Self { unwritable: !is_writable, short: !has_disk });
        let tell =
            |was_so: bool, is_so: bool, occasion, why| is_so.then_some((occasion, why, u64::from(!was_so)));
        let told = [
            tell(before.unwritable, self.unwritable, Occasion::RecordsFailing, UNWRITABLE),
            tell(before.short, self.short, Occasion::Disk, SHORT),
        ];
        told.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Failing;
    use crate::notify::Occasion::{self, Disk, RecordsFailing};

    #[test]
    fn what_keeps_records_from_being_written_counts_once_for_as_long_as_it_is_so() {
        let mut failing = Failing::default();
        let mut look = |is_writable: bool, has_disk: bool| {
            let told = failing.look(is_writable, has_disk);
            told.map(|(occasion, _, count)| (occasion, count)).collect::<Vec<(Occasion, u64)>>()
        };
        assert_eq!(look(true, true), []);
        assert_eq!(look(true, false), [(Disk, 1)]);
        assert_eq!(look(false, false), [(RecordsFailing, 1), (Disk, 0)]);
        assert_eq!(look(false, true), [(RecordsFailing, 0)]);
        assert_eq!(look(true, true), []);
        assert_eq!(look(false, false), [(RecordsFailing, 1), (Disk, 1)], "it is so again");
    }
}
