//! Whether somebody is who they say.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::available_parallelism;

use arc_swap::{ArcSwap, ArcSwapOption};
use time::OffsetDateTime;
use tokio::sync::{Semaphore, oneshot};
use zeroize::Zeroizing;

use super::error::UsersError;
use super::hash::Hash;
use super::lockout::{Lockout, NotNow, hashed};
use super::one_time::{DIGITS, matching};
use super::sealed::Key;
use super::store::{Store, read};
use super::user::User;
use super::{file, lock};

/// Passcodes that are hashed at once, each in at most 64 MiB; not more than half of the processors, which associations need.
const HASHING: usize = 4;

/// What somebody says of themselves.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    /// Any text, of which nothing is taken for granted.
    pub name: &'a str,
    /// As typed.
    pub passcode: &'a str,
    /// With the digits, if any were given.
    pub code: Code<'a>,
    /// From where.
    pub address: IpAddr,
}

/// Where the six digits of a one-time code are.
#[derive(Clone, Copy)]
pub enum Code<'a> {
    /// Nowhere.
    Absent,
    /// By themselves.
    Apart(&'a str),
    /// The passcode ends with them, where the user has a one-time secret (PS3.7 D.3.3.7 has one field for both).
    BehindPasscode,
}

/// Why somebody is not let in. Records tell these apart; whoever asks is told one thing for all of them but `Locked`, `Busy`
/// and `Unavailable`, which say nothing about anybody's secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nobody is called so.
    #[error("no user is called so")]
    Unknown,
    /// Another passcode.
    #[error("the passcode is wrong")]
    Passcode,
    /// The user has a one-time secret, and no code came.
    #[error("the one-time code is missing")]
    CodeMissing,
    /// No code of now, or of a step before or after.
    #[error("the one-time code is wrong")]
    Code,
    /// It, or a later one, was used before.
    #[error("the one-time code was used before")]
    CodeUsed,
    /// The user is disabled.
    #[error("the user is disabled")]
    Disabled,
    /// The user's time is over.
    #[error("the user ended")]
    Ended,
    /// Too many wrong attempts for this user from this address.
    #[error("too many wrong attempts for this user from this address")]
    Locked {
        /// When the next one is looked at.
        until: OffsetDateTime,
    },
    /// Too many attempts at once.
    #[error("too many attempts at once")]
    Busy,
    /// It cannot be told, because of what the text says.
    #[error("{0}")]
    Unavailable(String),
}

/// The users of a file, for verifying. Cheap to clone; what failed is remembered by all clones and over [`Users::reload`].
#[derive(Clone)]
pub struct Users {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    file: PathBuf,
    key: ArcSwapOption<Key>,
    people: ArcSwap<HashMap<String, User>>,
    /// For those whom nobody is called like, so that they cost as much.
    nobody: Hash,
    lockout: Arc<Lockout>,
    pub(super) hashing: Arc<Semaphore>,
}

impl Users {
    /// Reads the file, and hashes once: not on a runtime's thread.
    ///
    /// # Errors
    /// [`UsersError`].
    pub fn open(file: &Path, key: Option<Key>) -> Result<Self, UsersError> {
        let people = people(file)?;
        let hashing = available_parallelism().map_or(1, |all| all.get() / 2).clamp(1, HASHING);
        Ok(Self {
            shared: Arc::new(Shared {
                file: file.to_owned(),
                key: ArcSwapOption::new(key.map(Arc::new)),
                people: ArcSwap::from_pointee(people),
                nobody: Hash::of(&super::passcode::made()?)?,
                lockout: Arc::default(),
                hashing: Arc::new(Semaphore::new(hashing)),
            }),
        })
    }

    /// Reads the file again. Not on a runtime's thread.
    ///
    /// # Errors
    /// [`UsersError`]; then those of before count on.
    pub fn reload(&self) -> Result<(), UsersError> {
        self.reload_whole(|| true).map(drop)
    }

    /// The same, where `is_whole` says so of what was read: nobody has written meanwhile. Whether it does.
    ///
    /// # Errors
    /// As [`Users::reload`].
    pub fn reload_whole(&self, is_whole: impl FnOnce() -> bool) -> Result<bool, UsersError> {
        let file = &self.shared.file;
        let read = lock::read(file);
        if !is_whole() {
            return Ok(false);
        }
        let bytes = read?;
        // `dimsegate user` leaves a comment where it removes the last user, so this is a file that somebody has begun to write.
        if bytes.is_empty() {
            return Err(UsersError::Begun(file.clone()));
        }
        self.shared.people.store(Arc::new(by_name(file::parse(file, &bytes)?)));
        Ok(true)
    }

    /// Opens one-time secrets with another key from now on.
    pub fn use_key(&self, key: Option<Key>) {
        self.shared.key.store(key.map(Arc::new));
    }

    /// Whether they are those of this file.
    pub fn are_of(&self, file: &Path) -> bool {
        self.shared.file == file
    }

    /// Whether they are the same ones, of the same file.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Whether anybody is called so, let in or not.
    pub fn knows(&self, name: &str) -> bool {
        self.shared.people.load().contains_key(name)
    }

    /// Whether whoever tries as this user from this address has to wait now.
    pub fn is_locked(&self, name: &str, address: IpAddr, now: OffsetDateTime) -> bool {
        self.shared.lockout.is_locked(name, address, now)
    }

    /// Everybody of the file by name, and from where somebody who tries as them has to wait now, and until when.
    pub fn listed(&self, now: OffsetDateTime) -> Vec<(User, Vec<(IpAddr, OffsetDateTime)>)> {
        let mut locked = self.shared.lockout.locked(now);
        let of = |user: &User| (user.clone(), locked.remove(&hashed(&user.name)).unwrap_or_default());
        let mut listed: Vec<_> = self.shared.people.load().values().map(of).collect();
        listed.sort_by(|(one, _), (other, _)| one.name.cmp(&other.name));
        listed
    }

    /// The user of this name, let in or not.
    pub fn named(&self, name: &str) -> Option<User> {
        self.shared.people.load().get(name).cloned()
    }

    /// The user as they are in force now, for whoever has let them in before.
    ///
    /// # Errors
    /// [`Refused::Unknown`], [`Refused::Disabled`] or [`Refused::Ended`].
    pub fn still(&self, name: &str, now: OffsetDateTime) -> Result<User, Refused> {
        let people = self.shared.people.load();
        let user = people.get(name).ok_or(Refused::Unknown)?;
        is_let(user, now).map(|()| user.clone())
    }

    /// Judges an attempt. The hash is taken on a thread for that, a few at a time; somebody whom nobody is called like costs as
    /// much as somebody else.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn verify(&self, attempt: Attempt<'_>, now: OffsetDateTime) -> Result<User, Refused> {
        let shared = self.shared.clone();
        let turn =
            shared.lockout.begin(attempt.name, attempt.address, now).map_err(|not_now| match not_now {
                NotNow::Locked { until } => Refused::Locked { until },
                NotNow::Busy => Refused::Busy,
            })?;
        let permit = shared.hashing.clone().acquire_owned().await.map_err(|_| Refused::Busy)?;
        let name = attempt.name.to_owned();
        let passcode = Zeroizing::new(attempt.passcode.to_owned());
        let code = Kept::from(attempt.code);
        let (tell, judged) = oneshot::channel();
        // It goes on where nobody waits for it any more, so that giving up is no way around the count. A thread of its own:
        // each of a pool would keep the memory that hashing takes, and the next one here takes over what this one leaves.
        let judge = move || {
            let judged = shared.judge(&name, &passcode, code.as_code(), now);
            match &judged {
                Ok(_) => turn.succeeded(),
                Err(Refused::Unavailable(_)) => drop(turn),
                Err(_) => turn.failed(now),
            }
            drop(permit);
            // Nobody may wait for it any more.
            let _ = tell.send(judged);
        };
        let begun = std::thread::Builder::new().name("passcode".into()).spawn(judge);
        begun.map_err(|error| Refused::Unavailable(format!("no thread to check a passcode on: {error}")))?;
        let ended = Refused::Unavailable("the check ended without an answer".into());
        judged.await.unwrap_or(Err(ended))
    }
}

impl Shared {
    pub(super) fn judge(
        &self,
        name: &str,
        passcode: &str,
        code: Code<'_>,
        now: OffsetDateTime,
    ) -> Result<User, Refused> {
        let people = self.people.load();
        let user = people.get(name);
        let has_secret = user.is_some_and(|user| user.one_time.is_some());
        let (passcode, code) = code.split(passcode, has_secret);
        let is_right = user.map_or(&self.nobody, |user| &user.hash).is_of(passcode);
        let user = user.ok_or(Refused::Unknown)?;
        if !is_right {
            return Err(Refused::Passcode);
        }
        is_let(user, now)?;
        self.judge_code(user, code, now)?;
        Ok(user.clone())
    }

    fn judge_code(&self, user: &User, code: Option<&str>, now: OffsetDateTime) -> Result<(), Refused> {
        let Some(sealed) = &user.one_time else { return Ok(()) };
        let code = code.ok_or(Refused::CodeMissing)?;
        let secret =
            self.key.load().as_ref().and_then(|key| key.open(&user.name, sealed)).ok_or_else(|| {
                Refused::Unavailable(format!(
                    "the key-file does not open the one-time secret of \"{}\"",
                    user.name
                ))
            })?;
        let step = matching(&secret, code, now).ok_or(Refused::Code)?;
        let new = Store::new(&self.file).take_step(&user.name, step);
        match new.map_err(|error| Refused::Unavailable(error.to_string()))? {
            true => Ok(()),
            false => Err(Refused::CodeUsed),
        }
    }
}

/// Whether the file lets the user in at all.
fn is_let(user: &User, now: OffsetDateTime) -> Result<(), Refused> {
    match (user.disabled, user.has_ended(now)) {
        (true, _) => Err(Refused::Disabled),
        (false, true) => Err(Refused::Ended),
        (false, false) => Ok(()),
    }
}

/// [`Code`] for a thread of its own.
enum Kept {
    Absent,
    Apart(Zeroizing<String>),
    BehindPasscode,
}

impl From<Code<'_>> for Kept {
    fn from(code: Code<'_>) -> Self {
        match code {
            Code::Absent => Self::Absent,
            Code::Apart(code) => Self::Apart(Zeroizing::new(code.to_owned())),
            Code::BehindPasscode => Self::BehindPasscode,
        }
    }
}

impl Kept {
    fn as_code(&self) -> Code<'_> {
        match self {
            Self::Absent => Code::Absent,
            Self::Apart(code) => Code::Apart(code),
            Self::BehindPasscode => Code::BehindPasscode,
        }
    }
}

impl<'a> Code<'a> {
    /// The passcode and the code. Without a one-time secret every character belongs to the passcode.
    fn split(self, passcode: &'a str, has_secret: bool) -> (&'a str, Option<&'a str>) {
        match self {
            Self::Absent => (passcode, None),
            Self::Apart(code) => (passcode, Some(code)),
            Self::BehindPasscode if has_secret => {
                match passcode.split_at_checked(passcode.len().saturating_sub(DIGITS)) {
                    Some((before, code)) if is_code(code) => (before, Some(code)),
                    _ => (passcode, None),
                }
            }
            Self::BehindPasscode => (passcode, None),
        }
    }
}

fn is_code(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn people(file: &Path) -> Result<HashMap<String, User>, UsersError> {
    read(file).map(by_name)
}

fn by_name(users: Vec<User>) -> HashMap<String, User> {
    users.into_iter().map(|user| (user.name.clone(), user)).collect()
}
