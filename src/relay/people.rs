//! The users of the configuration in force, as their file is now.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use crate::config::Settings;
use crate::files::Stamp;
use crate::users::Users;

#[derive(Default)]
pub(crate) struct People {
    current: Mutex<Option<Current>>,
    /// Who asks on behalf of a request waits here, and not on a thread.
    turn: tokio::sync::Mutex<()>,
    /// Those of `current`, for whoever may not wait for a file.
    known: ArcSwapOption<Users>,
    /// How often others came into force.
    others: AtomicU64,
    /// Told each time: rights that have begun may be over.
    keeper: Arc<Notify>,
}

struct Current {
    /// Those with which they were opened, or which named the same file since.
    settings: Weak<Settings>,
    file: PathBuf,
    /// Of the file when it was last read.
    stamp: Option<Stamp>,
    /// Of the file when it was last looked at, whatever was in it.
    seen: Option<Stamp>,
    users: Users,
    /// What was wrong with the file has been said.
    told: bool,
}

impl People {
    /// None yet. `keeper` looks after rights that end while an association is open.
    pub(crate) fn new(keeper: Arc<Notify>) -> Self {
        Self { keeper, ..Self::default() }
    }

    /// How often others came into force.
    pub(crate) fn others(&self) -> u64 {
        self.others.load(SeqCst)
    }

    /// Those of this file, as they were when it was last read. It waits for nothing.
    pub(crate) fn known(&self, file: &Path) -> Option<Arc<Users>> {
        self.known.load_full().filter(|users| users.are_of(file))
    }

    /// As [`People::now`], on a thread for that, one at a time.
    pub(crate) async fn present(self: &Arc<Self>, settings: Arc<Settings>) -> Option<Users> {
        let _turn = self.turn.lock().await;
        let people = self.clone();
        tokio::task::spawn_blocking(move || people.now(&settings)).await.ok().flatten()
    }

    /// Reads the file where it has changed; one that is bad leaves those of before. `None`: there are none. It waits for
    /// files, and hashes where there are other users.
    pub(crate) fn now(&self, settings: &Arc<Settings>) -> Option<Users> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(named) = &settings.users else {
            *current = None;
            self.known.store(None);
            return None;
        };
        // Before it is read: what changes meanwhile is seen the next time.
        let stamp = Stamp::of(&named.file);
        if let Some(current) = current.as_mut().filter(|current| current.file == named.file) {
            if !std::ptr::eq(current.settings.as_ptr(), Arc::as_ptr(settings)) {
                current.settings = Arc::downgrade(settings);
                current.users.use_key(named.key.clone());
            }
            if current.follow(stamp) {
                self.tell();
            }
            return Some(current.users.clone());
        }
        match Users::open(&named.file, named.key.clone()) {
            Ok(users) => {
                let (settings, file) = (Arc::downgrade(settings), named.file.clone());
                *current =
                    Some(Current { settings, file, stamp, seen: stamp, users: users.clone(), told: false });
                self.known.store(Some(Arc::new(users.clone())));
                self.tell();
                Some(users)
            }
            Err(error) => {
                tracing::error!(%error, "nobody can log in or prove to be a user");
                *current = None;
                self.known.store(None);
                None
            }
        }
    }

    /// The keeper looks after it was counted.
    fn tell(&self) {
        self.others.fetch_add(1, SeqCst);
        self.keeper.notify_one();
    }
}

impl Current {
    /// Whether the file was read anew.
    fn follow(&mut self, stamp: Option<Stamp>) -> bool {
        if stamp == self.stamp && stamp.is_some() {
            return false;
        }
        let stamp = Stamp::settled(&self.file, self.seen);
        self.seen = stamp;
        let read = self.users.reload();
        match &read {
            Ok(()) => (self.stamp, self.told) = (stamp, false),
            Err(error) if !self.told => {
                tracing::error!(%error, "the users of before stay in force");
                self.told = true;
            }
            Err(_) => {}
        }
        read.is_ok()
    }
}
