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

impl Counting {
    /// Who saw whom is kept in this folder.
    pub(super) fn new(state_directory: &Path) -> Self {
        Self { seen: Arc::new(Seen::in_folder(state_directory)), turns: Arc::new(Semaphore::new(1)) }
    }

    /// Counts patients whom peer and user are to see, all or none; at most so many of each.
    ///
    /// # Errors
    /// Why nobody may be shown.
    pub(super) async fn take(
        &self,
        viewer: &Viewer,
        [of_peer, of_user]: [Option<NonZeroU32>; 2],
        patients: Vec<Patient>,
    ) -> Result<(), NotTaken> {
        let ended = || NotTaken::Unavailable("the count ended without an answer".into());
        let of_peer = of_peer.map(|most| (Name::Peer(viewer.peer.clone()), most));
        let of_user = of_user.zip(viewer.user.clone()).map(|(most, user)| (Name::User(user), most));
        let limits: Vec<_> = of_peer.into_iter().chain(of_user).collect();
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| ended())?;
        let seen = self.seen.clone();
        let counted = tokio::task::spawn_blocking(move || {
            // Held by the count itself, which goes on where nobody waits for it any more.
            let _turn = turn;
            seen.take(&limits, &patients, OffsetDateTime::now_utc().date())
        });
        counted.await.unwrap_or_else(|_| Err(ended()))
    }
}
