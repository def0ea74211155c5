//! People who have logged in, each known by a cookie of which only the digest is kept.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::{digest, rand};
use axum::http::{HeaderMap, header};
use zeroize::Zeroizing;

use crate::config::AdminSettings;
use crate::notation::hex;
use crate::users::{AdminRole, Hash};

/// Browsers take it from this very host only, for all of its paths, and never over the network in clear (RFC 6265bis §4.1.3.2).
pub(super) const COOKIE: &str = "__Host-dimsegate";

/// Sessions at once: of all, and of one user. For one more the one that has been idle longest ends.
const MOST: usize = 1000;
const MOST_OF_USER: usize = 16;

/// Bytes of a cookie's value, before they are written as hex.
const RANDOM: usize = 32;

/// What is kept of a cookie.
pub(super) type Id = [u8; 32];

#[derive(Default)]
pub(super) struct Sessions {
    open: Mutex<HashMap<Id, Session>>,
}

struct Session {
    person: Person,
    began: Instant,
    used: Instant,
}

/// Somebody as they were when they logged in.
#[derive(Clone)]
pub(super) struct Person {
    pub name: String,
    pub role: AdminRole,
    /// With another passcode they log in again.
    pub passcode: Hash,
}

/// How long sessions live.
#[derive(Clone, Copy)]
pub(super) struct Lives {
    /// Without a request.
    pub idle: Duration,
    /// At most.
    pub max: Duration,
}

impl From<&AdminSettings> for Lives {
    fn from(admin: &AdminSettings) -> Self {
        Self { idle: admin.session_idle, max: admin.session_max }
    }
}

/// The system gives no random numbers.
#[derive(Debug)]
pub(super) struct NoRandom;

impl Sessions {
    /// Begins one. The value of its cookie.
    ///
    /// # Errors
    /// [`NoRandom`].
    pub(super) fn begin(
        &self,
        person: Person,
        lives: Lives,
        now: Instant,
    ) -> Result<Zeroizing<String>, NoRandom> {
        let mut random = Zeroizing::new([0; RANDOM]);
        rand::fill(random.as_mut_slice()).map_err(|_| NoRandom)?;
        let value = Zeroizing::new(hex::encode(random.as_slice()));
        let mut open = self.open();
        open.retain(|_, session| session.left(lives, now).is_some());
        make_room(&mut open, MOST_OF_USER, |session| session.person.name == person.name);
        make_room(&mut open, MOST, |_| true);
        open.insert(id(&value), Session { person, began: now, used: now });
        Ok(value)
    }

    /// Whose it is, and how long it lives if nothing more is asked; it counts as used. `None`: there is none, or not any more.
    pub(super) fn use_one(&self, id: &Id, lives: Lives, now: Instant) -> Option<(Person, Duration)> {
        let mut open = self.open();
        let session = open.get_mut(id)?;
        if session.left(lives, now).is_none() {
            open.remove(id);
            return None;
        }
        session.used = now;
        let left = session.left(lives, now)?;
        Some((session.person.clone(), left))
    }

    /// As [`Self::use_one`], but looking is no use of it.
    pub(super) fn look(&self, id: &Id, lives: Lives, now: Instant) -> Option<(Person, Duration)> {
        let open = self.open();
        let session = open.get(id)?;
        Some((session.person.clone(), session.left(lives, now)?))
    }

    pub(super) fn end(&self, id: &Id) {
        self.open().remove(id);
    }

    pub(super) fn end_all(&self) {
        self.open().clear();
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Id, Session>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn left(&self, lives: Lives, now: Instant) -> Option<Duration> {
        let of = |since: Instant, life: Duration| life.checked_sub(now.saturating_duration_since(since));
        let left = of(self.used, lives.idle)?.min(of(self.began, lives.max)?);
        Some(left).filter(|left| !left.is_zero())
    }
}

/// Ends those of some that have been idle longest, until one more of them has room.
fn make_room(open: &mut HashMap<Id, Session>, most: usize, counts: impl Fn(&Session) -> bool) {
    while open.values().filter(|session| counts(session)).count() >= most {
        let counted = open.iter().filter(|(_, session)| counts(session));
        let Some(oldest) = counted.min_by_key(|(_, session)| session.used).map(|(id, _)| *id) else { return };
        open.remove(&oldest);
    }
}

/// What is kept of a cookie's value.
fn id(value: &str) -> Id {
    let digest = digest::digest(&digest::SHA256, value.as_bytes());
    digest.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Which session a request names. Where it names several, none that there is.
pub(super) fn named(headers: &HeaderMap) -> Option<Id> {
    let fields = headers.get_all(header::COOKIE).iter().filter_map(|field| field.to_str().ok());
    let pairs = fields.flat_map(|field| field.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (None, _) => None,
        (Some(value), None) => Some(id(value)),
        (Some(_), Some(_)) => Some(id("")),
    }
}

/// What makes a browser keep a session's cookie, until it is closed.
pub(super) fn kept(value: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{COOKIE}={value}; Secure; HttpOnly; SameSite=Strict; Path=/"))
}

/// What makes a browser forget it.
pub(super) fn forgotten() -> String {
    format!("{COOKIE}=; Max-Age=0; Secure; HttpOnly; SameSite=Strict; Path=/")
}

#[cfg(test)]
mod tests;
