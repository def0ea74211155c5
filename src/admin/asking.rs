//! Who asks, by a session or by what the connection proves. Where a cookie is sent, it alone counts: nobody gets the roles of both.

use std::sync::Arc;
use std::time::Instant;

use time::OffsetDateTime;

use super::Shared;
use super::access::{Accounts, By, Who, who};
use super::guard::Known;
use super::sessions::{Id, Lives, Person};
use crate::config::{AdminSettings, Settings};
use crate::http::{Caller, Source};
use crate::users::{AdminRole, Users};

pub(super) struct Asking {
    pub who: Who,
    pub known: Known,
    /// A cookie was sent, and its session is none, or not any more.
    pub is_over: bool,
}

/// A cookie that was sent.
#[derive(Clone, Copy)]
pub(super) struct Shown {
    pub session: Id,
    /// A page asks by itself, and nobody has touched it: that is no use of the session.
    pub looks_on: bool,
}

impl Shared {
    /// Looks at files, and so on a thread for that. `None` after a defect.
    pub(super) async fn asking(
        &self,
        settings: Arc<Settings>,
        caller: Caller,
        cookie: Option<Shown>,
    ) -> Option<Asking> {
        let shared = self.clone();
        let asking = move || shared.look(&settings, &caller, cookie);
        tokio::task::spawn_blocking(asking).await.ok().flatten()
    }

    /// Whether whoever looks on still has the role that it needs, by a session or by what the connection proves. Looking is no use of a session.
    pub(super) async fn goes_on(&self, session: Option<Id>, caller: Caller, needed: AdminRole) -> bool {
        let shared = self.clone();
        let look = move || {
            let settings = shared.proxy.settings();
            let admin = settings.admin.as_ref()?;
            let Some(session) = session else {
                return who(&caller, admin, &Accounts::about(&caller), settings.users.is_some()).role;
            };
            let (person, _) = shared.sessions.look(&session, Lives::from(admin), Instant::now())?;
            shared.users(&settings).filter(|users| is_still(users, &person)).map(|_| person.role)
        };
        tokio::task::spawn_blocking(look).await.is_ok_and(|role| role >= Some(needed))
    }

    fn look(&self, settings: &Arc<Settings>, caller: &Caller, cookie: Option<Shown>) -> Option<Asking> {
        let admin = settings.admin.as_ref()?;
        let users = self.users(settings);
        let who = who(caller, admin, &Accounts::about(caller), settings.users.is_some());
        let here = users.clone().filter(|_| can_log_in(admin, caller));
        let nobody = |known| Asking { who: who.clone(), known, is_over: cookie.is_some() };
        let known = Known { users: here, ..Known::default() };
        let Some(Shown { session: id, looks_on }) = cookie else { return Some(nobody(known)) };
        let (lives, now) = (admin.into(), Instant::now());
        let found = match looks_on {
            true => self.sessions.look(&id, lives, now),
            false => self.sessions.use_one(&id, lives, now),
        };
        let Some((person, left)) = found else { return Some(nobody(known)) };
        if !users.is_some_and(|users| is_still(&users, &person)) {
            self.sessions.end(&id);
            return Some(nobody(known));
        }
        let known = Known { session: Some(id), left: Some(left), ..known };
        let who = Who { user: person.name, role: Some(person.role), by: By::Session, ..who };
        Some(Asking { who, known, is_over: false })
    }

    fn users(&self, settings: &Arc<Settings>) -> Option<Users> {
        let present = self.proxy.gate().people.now(settings);
        if self.seen.are_others(present.as_ref()) {
            self.sessions.end_all();
        }
        present
    }
}

/// On this machine, or where nobody reads what goes over the network. A socket says itself who it is.
fn can_log_in(admin: &AdminSettings, caller: &Caller) -> bool {
    match caller.source {
        Source::Unix { .. } => false,
        Source::Address(from) => admin.tls.is_some() || from.ip().to_canonical().is_loopback(),
    }
}

/// Whether somebody who logged in is still let in, as the same.
fn is_still(users: &Users, person: &Person) -> bool {
    let user = users.still(&person.name, OffsetDateTime::now_utc());
    user.is_ok_and(|user| user.administration() == Some(person.role) && user.hash == person.passcode)
}
