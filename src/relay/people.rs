//! The users of the configuration in force, as their file is now.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;

use crate::config::Settings;
use crate::files::{Looks, Stamp, by_the_clock};
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
    /// The last look found somebody writing the file.
    is_moving: AtomicBool,
    /// Told each time: rights that have begun may be over.
    keeper: Arc<Notify>,
}

struct Current {
    /// Those with which they were opened, or which named the same file since.
    settings: Weak<Settings>,
    file: PathBuf,
    /// Of the file when it was last read.
    stamp: Option<Stamp>,
    /// At the file, whatever was in it.
    looks: Looks,
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

    /// Whether somebody was writing the file at the last look, so that the next one is not to be long in coming.
    pub(crate) fn is_moving(&self) -> bool {
        self.is_moving.load(SeqCst)
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

    /// Reads the file where it has changed; one that is bad, or that somebody is writing, leaves those of before. `None`: there
    /// are none. It waits for files, half a second for one that is written in place, and hashes where there are other users.
    pub(crate) fn now(&self, settings: &Arc<Settings>) -> Option<Users> {
        self.now_by(settings, &mut by_the_clock)
    }

    fn now_by(&self, settings: &Arc<Settings>, wait: &mut impl FnMut(Duration) -> Instant) -> Option<Users> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(named) = &settings.users else {
            *current = None;
            self.is_moving.store(false, SeqCst);
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
            if current.follow(stamp, wait) {
                self.tell();
            }
            let is_moving = current.looks.is_moving();
            if !self.is_moving.swap(is_moving, SeqCst) && is_moving {
                tracing::warn!(file = %named.file.display(),
                    "somebody is writing this file of users; those of before stay in force until it stands still");
                self.keeper.notify_one();
            }
            return Some(current.users.clone());
        }
        self.is_moving.store(false, SeqCst);
        match Users::open(&named.file, named.key.clone()) {
            Ok(users) => {
                let (settings, file) = (Arc::downgrade(settings), named.file.clone());
                let looks = Looks::new(stamp);
                *current = Some(Current { settings, file, stamp, looks, users: users.clone(), told: false });
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
    /// Whether the file was read anew. One that somebody is writing is not: half of it would take their right from all those who
    /// stand in the other half.
    fn follow(&mut self, stamp: Option<Stamp>, wait: &mut impl FnMut(Duration) -> Instant) -> bool {
        if stamp == self.stamp && stamp.is_some() {
            self.looks = Looks::new(stamp);
            return false;
        }
        let Ok(stamp) = self.looks.settled(&self.file, wait) else { return false };
        let read = self.users.reload_whole(|| Stamp::of(&self.file) == stamp);
        match &read {
            Ok(true) => (self.stamp, self.told) = (stamp, false),
            Err(error) if !self.told => {
                tracing::error!(%error, "the users of before stay in force");
                self.told = true;
            }
            Ok(false) | Err(_) => {}
        }
        read.is_ok_and(|is_whole| is_whole)
    }
}

#[cfg(test)]
mod tests;
