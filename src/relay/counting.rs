//! Patients whom an association is about to show, counted off the runtime's threads and one after another, as they are written down.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::sync::Semaphore;

use crate::patients::{Name, NotTaken, Patient, Seen};

/// What all associations share of it.
pub(crate) struct Counting {
    seen: Arc<Seen>,
    turns: Arc<Semaphore>,
}

/// Who sees.
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
        Self { seen: Arc::new(Seen::in_folder(state_directory)), turns: Arc::new(Semaphore::new(1)) }
    }

    /// Whether a query may be asked for peer and user, each of whom is asked about where it is limited.
    pub(super) fn may_ask(&self, viewer: &Viewer, most: [Option<NonZeroU32>; 2]) -> bool {
        let names: Vec<Name> = viewer.limits(most).into_iter().map(|(name, _)| name).collect();
        self.seen.may_ask(&names, OffsetDateTime::now_utc().date())
    }

    /// Counts patients whom peer and user are to see, by a query or not, all or none; at most so many of each.
    ///
    /// # Errors
    /// Why nobody may be shown.
    pub(super) async fn take(
        &self,
        viewer: &Viewer,
        most: [Option<NonZeroU32>; 2],
        (patients, of_query): (Vec<Patient>, bool),
    ) -> Result<(), NotTaken> {
        let ended = || NotTaken::Unavailable("the count ended without an answer".into());
        let limits = viewer.limits(most);
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ended())?;
        let seen = self.seen.clone();
        let counted = tokio::task::spawn_blocking(move || {
            // Held by the count itself, which goes on where nobody waits for it any more.
            let _turn = turn;
            let take = if of_query { Seen::take_of_query } else { Seen::take };
            take(&seen, &limits, &patients, OffsetDateTime::now_utc().date())
        });
        counted.await.unwrap_or_else(|_| Err(ended()))
    }
}
