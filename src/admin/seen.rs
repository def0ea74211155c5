//! Whether the users are those of before: sessions of people of another file end.

use std::sync::{Mutex, PoisonError};

use crate::users::Users;

/// The users of the last request.
#[derive(Default)]
pub(super) struct Seen(Mutex<Option<Users>>);

impl Seen {
    /// Whether they are others than the last time, or none.
    pub(super) fn are_others(&self, now: Option<&Users>) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let are_same = seen.as_ref().zip(now).is_some_and(|(seen, now)| seen.is(now));
        if !are_same {
            *seen = now.cloned();
        }
        !are_same
    }
}
