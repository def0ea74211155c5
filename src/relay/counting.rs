//! Patients whom an association is about to show, counted off the runtime's threads and one after another, as they are written down.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use tokio::time::timeout;

use super::in_turn::InTurn;
use crate::patients::{Name, NotTaken, Patient, Seen};

/// For the turn and the count together: a disk that hangs holds nobody's association for longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// From one line of the log to the next that says why nobody is counted: each query may fail for it, and each has a record.
const SILENCE: Duration = Duration::from_secs(60);

/// What all associations share of it.
pub(crate) struct Counting {
    seen: Arc<Seen>,
    turns: InTurn,
    patience: Duration,
    failures: Failures,
}

/// For whom patients are counted: the peer, and the user where one is proven.
#[derive(Clone)]
pub(crate) struct Viewer {
    pub peer: Arc<str>,
    /// Where one is proven.
    pub user: Option<Arc<str>>,
}

impl Viewer {
    fn limits(&self, [of_peer, of_user]: [Option<NonZeroU32>; 2]) -> Vec<(Name, NonZeroU32)> {
        let of_peer = of_peer.map(|most| (Name::Peer(self.peer.clone()), most));
        let of_user = of_user.zip(self.user.clone()).map(|(most, user)| (Name::User(user), most));
        of_peer.into_iter().chain(of_user).collect()
    }
}

impl Counting {
    /// Who saw whom is kept in this folder.
    pub(super) fn new(state_directory: &Path) -> Self {
        Self {
            seen: Arc::new(Seen::in_folder(state_directory)),
            turns: InTurn::new(1),
            patience: PATIENCE,
            failures: Failures::default(),
        }
    }

    /// Whether a query may be asked for peer and user, each of whom is asked about where it is limited.
    pub(super) fn may_ask(&self, viewer: &Viewer, most: [Option<NonZeroU32>; 2]) -> bool {
        let names: Vec<Name> = viewer.limits(most).into_iter().map(|(name, _)| name).collect();
        self.seen.may_ask(&names, OffsetDateTime::now_utc().date())
    }

    /// Counts patients whom peer and user are to see, by a query or not, all or none; at most so many of each.
    ///
    /// # Errors
    /// Why nobody may be shown. Where it is that nobody can be counted, the log has said so within the minute.
    pub(super) async fn take(
        &self,
        viewer: &Viewer,
        most: [Option<NonZeroU32>; 2],
        (patients, of_query): (Vec<Patient>, bool),
    ) -> Result<(), NotTaken> {
        let (limits, seen) = (viewer.limits(most), self.seen.clone());
        let counted = self.turns.run(move || {
            let take = if of_query { Seen::take_of_query } else { Seen::take };
            take(&seen, &limits, &patients, OffsetDateTime::now_utc().date())
        });
        let taken = match timeout(self.patience, counted).await {
            Ok(taken) => {
                taken.unwrap_or_else(|| Err(unavailable("the count ended without an answer".into())))
            }
            Err(_) => Err(unavailable(format!("the disk did not take it within {:?}", self.patience))),
        };
        if let Err(NotTaken::Unavailable(detail)) = &taken {
            self.failures.tell(&viewer.peer, detail, Instant::now());
        }
        taken
    }
}

fn unavailable(detail: String) -> NotTaken {
    NotTaken::Unavailable(detail)
}

/// Those of which nothing was said in the log since it was said last.
#[derive(Default)]
struct Failures(Mutex<(Option<Instant>, u64)>);

impl Failures {
    fn tell(&self, peer: &str, detail: &str, now: Instant) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (last, untold) = &mut *told;
        if last.is_some_and(|last| now.saturating_duration_since(last) < SILENCE) {
            *untold = untold.saturating_add(1);
            return;
        }
        tracing::warn!(peer, detail, others = *untold, "patients could not be counted, and were not shown");
        (*last, *untold) = (Some(now), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use super::{Counting, Failures, SILENCE, Viewer};
    use crate::logged;
    use crate::patients::{NotTaken, Patient};
    use crate::scratch::Scratch;

    #[tokio::test]
    async fn a_disk_that_hangs_holds_nobody_for_longer_than_the_patience() {
        let home = Scratch::new();
        let hung = |patience| Counting { patience, ..Counting::new(home.path()) };
        let viewer = Viewer { peer: "lyon".into(), user: None };
        let most = [Some(NonZeroU32::MIN), None];
        let somebody = || (vec![Patient::of("pacs", Some(b"1"), None, None).unwrap()], true);
        let counting = hung(Duration::ZERO);
        let (end, ended) = mpsc::channel::<()>();
        let hangs = counting.turns.run(move || ended.recv());
        let waits = async {
            let told = counting.take(&viewer, most, somebody()).await;
            assert!(
                matches!(&told, Err(NotTaken::Unavailable(why)) if why.contains("the disk did not")),
                "{told:?}"
            );
            drop(end);
        };
        tokio::join!(biased; hangs, waits).0.unwrap().unwrap_err();
        let patient = Counting::new(home.path());
        assert_eq!(patient.patience, Duration::from_secs(10));
        assert_eq!(hung(Duration::from_secs(3600)).take(&viewer, most, somebody()).await, Ok(()));
    }

    #[test]
    fn the_log_says_once_a_minute_that_nobody_is_counted_and_of_how_many_it_did_not() {
        let failures = Failures::default();
        let begun = Instant::now();
        let text = logged::during(|| {
            for second in [0, 1, 59, 60, 61] {
                failures.tell("lyon", &format!("why {second}"), begun + Duration::from_secs(second));
            }
        });
        assert_eq!(SILENCE, Duration::from_secs(60));
        assert_eq!(text.matches("could not be counted").count(), 2, "{text}");
        assert!(text.contains("why 0") && text.contains("why 60") && text.contains("others=2"), "{text}");
    }
}
