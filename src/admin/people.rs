//! The users of the configuration in force, as their file is now.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::config::Settings;
use crate::files::Stamp;
use crate::users::Users;

#[derive(Default)]
pub(super) struct People {
    current: Mutex<Option<Current>>,
}

struct Current {
    /// Those with which they were opened, or which named the same file since.
    settings: Weak<Settings>,
    file: PathBuf,
    /// Of the file when it was last read.
    stamp: Option<Stamp>,
    users: Users,
    /// What was wrong with the file has been said.
    told: bool,
}

/// Who can log in now.
pub(super) struct Present {
    pub users: Users,
    /// They are others than those before, who were of another file.
    pub are_others: bool,
}

impl People {
    /// Reads the file where it has changed; one that is bad leaves those of before. `None`: nobody can log in. It waits for
    /// files, and hashes where there are other users.
    pub(super) fn now(&self, settings: &Arc<Settings>) -> Option<Present> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(named) = &settings.users else {
            *current = None;
            return None;
        };
        // Before it is read: what changes meanwhile is seen the next time.
        let stamp = Stamp::of(&named.file);
        if let Some(current) = current.as_mut().filter(|current| current.file == named.file) {
            if !std::ptr::eq(current.settings.as_ptr(), Arc::as_ptr(settings)) {
                current.settings = Arc::downgrade(settings);
                current.users.use_key(named.key.clone());
            }
            current.follow(stamp);
            return Some(Present { users: current.users.clone(), are_others: false });
        }
        match Users::open(&named.file, named.key.clone()) {
            Ok(users) => {
                let (settings, file) = (Arc::downgrade(settings), named.file.clone());
                *current = Some(Current { settings, file, stamp, users: users.clone(), told: false });
                Some(Present { users, are_others: true })
            }
            Err(error) => {
                tracing::error!(%error, "nobody can log in");
                *current = None;
                None
            }
        }
    }
}

impl Current {
    fn follow(&mut self, stamp: Option<Stamp>) {
        if stamp == self.stamp && stamp.is_some() {
            return;
        }
        match self.users.reload() {
            Ok(()) => (self.stamp, self.told) = (stamp, false),
            Err(error) if !self.told => {
                tracing::error!(%error, "the users of before stay in force");
                self.told = true;
            }
            Err(_) => {}
        }
    }
}
