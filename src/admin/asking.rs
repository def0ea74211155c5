//! Who asks, by a session, by a token or by what the connection proves. Where a cookie or a token is sent, it alone counts: nobody
//! gets the roles of both.

use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::Shared;
use super::access::{Accounts, By, Who, who};
use super::credential::{Credential, Unproven, bearer};
use super::known::Known;
use super::sessions::{Id, Lives, Person};
use crate::config::{AdminSettings, Settings};
use crate::http::{Caller, Source};
use crate::users::{AdminRole, Users};

pub(super) struct Asking {
    pub who: Who,
    pub known: Known,
    /// What was shown proves nobody.
    pub unproven: Option<Unproven>,
}

impl Shared {
    /// Looks at files, and so on a thread for that. `None` after a defect.
    pub(super) async fn asking(
        &self,
        settings: Arc<Settings>,
        caller: Caller,
        shown: Option<Credential>,
    ) -> Option<Asking> {
        let shared = self.clone();
        let asking = move || shared.look(&settings, &caller, shown);
        tokio::task::spawn_blocking(asking).await.ok().flatten()
    }

    /// Whether whoever looks on still has the role that it needs, by what was shown or by what the connection proves.
    /// Looking is no use of a session.
    pub(super) async fn goes_on(&self, shown: Option<Credential>, caller: Caller, needed: AdminRole) -> bool {
        let shared = self.clone();
        let look = move || {
            let settings = shared.proxy.settings();
            let admin = settings.admin.as_ref()?;
            let who = || by_connection(&caller, &settings, admin);
            match shown {
                None => who().role,
                Some(Credential::Token(token)) => bearer(&settings, admin, &token, &who()).0.role,
                Some(Credential::Session { id, .. }) => {
                    let (person, _) = shared.sessions.look(&id, Lives::from(admin), Instant::now())?;
                    shared.users(&settings).filter(|users| is_still(users, &person)).map(|_| person.role)
                }
            }
        };
        tokio::task::spawn_blocking(look).await.is_ok_and(|role| role >= Some(needed))
    }

    fn look(&self, settings: &Arc<Settings>, caller: &Caller, shown: Option<Credential>) -> Option<Asking> {
        let admin = settings.admin.as_ref()?;
        let users = self.users(settings);
        let who = by_connection(caller, settings, admin);
        let here = users.clone().filter(|_| can_log_in(admin, caller));
        let known = Known { users: here, takes_tokens: admin.takes_tokens(), ..Known::default() };
        Some(match shown {
            None => Asking { who, known, unproven: None },
            Some(Credential::Session { id, looks_on }) => match self.person(users, admin, id, looks_on) {
                Some((person, left)) => {
                    let who = Who { user: person.name, role: Some(person.role), by: By::Session, ..who };
                    Asking { who, known: Known { shown, left: Some(left), ..known }, unproven: None }
                }
                None => Asking { who, known, unproven: Some(Unproven::SessionOver) },
            },
            Some(Credential::Token(ref token)) => {
                let (who, unproven) = bearer(settings, admin, token, &who);
                Asking { who, known: Known { shown, ..known }, unproven }
            }
        })
    }

    /// Who logged in, if they still are as they were then, and how long the session lives without more. Else it ends.
    fn person(
        &self,
        users: Option<Users>,
        admin: &AdminSettings,
        id: Id,
        looks_on: bool,
    ) -> Option<(Person, Duration)> {
        let (lives, now) = (admin.into(), Instant::now());
        let found = match looks_on {
            true => self.sessions.look(&id, lives, now),
            false => self.sessions.use_one(&id, lives, now),
        };
        let found = found?;
        let is_still = users.is_some_and(|users| is_still(&users, &found.0));
        if !is_still {
            self.sessions.end(&id);
        }
        is_still.then_some(found)
    }

    fn users(&self, settings: &Arc<Settings>) -> Option<Users> {
        let present = self.proxy.gate().people.now(settings);
        if self.seen.are_others(present.as_ref()) {
            self.sessions.end_all();
        }
        present
    }
}

/// Where people can log in, and programs show tokens, being on this machine alone is no role.
fn by_connection(caller: &Caller, settings: &Settings, admin: &AdminSettings) -> Who {
    let has_login = settings.users.is_some() || admin.takes_tokens();
    who(caller, admin, &Accounts::about(caller), has_login)
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
