//! Whom the configuration and the file of users name, held against the names of the records.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::model::{Gone, OfIssuer, OfToken, Seen, moment};
use crate::audit::reading::access::{Access, Use};
use crate::config::Settings;
use crate::users::User;

/// Those who are there now.
#[derive(Debug, Default)]
pub(super) struct Names<'s> {
    pub peers: BTreeSet<&'s str>,
    /// Of the file.
    pub users: BTreeSet<&'s str>,
    /// In the order of the configuration.
    pub issuers: Vec<&'s str>,
}

impl<'s> Names<'s> {
    pub(super) fn of(settings: &'s Settings, people: &'s [User]) -> Self {
        Self {
            peers: settings.policy.peers.iter().map(|peer| &*peer.name).collect(),
            users: people.iter().map(|user| user.name.as_str()).collect(),
            issuers: settings.issuers.iter().map(|issuer| &*issuer.name).collect(),
        }
    }

    /// Peers and users.
    pub(super) fn all(&self) -> BTreeSet<&'s str> {
        self.peers.union(&self.users).copied().collect()
    }

    /// Who came, and is not there any more.
    pub(super) fn gone(&self, access: &Access) -> Vec<Gone> {
        let peers = access.peers.iter().filter(|(name, _)| !self.peers.contains(name.as_str()));
        let peers = peers.map(|one| ("peer", "is not in the configuration any more", one));
        let users = access.users.iter().filter(|(name, _)| !self.has_user(name));
        let users = users.map(|one| ("user", why(one.0), one));
        let seen = peers.chain(users).filter(|(_, _, (_, used))| used.seen.is_some());
        seen.map(|(kind, why, (name, used))| Gone {
            kind,
            name: name.clone(),
            why,
            seen: Seen::of(Some(used)),
        })
        .collect()
    }

    /// What the users of each issuer did.
    pub(super) fn issuers(&self, access: &Access) -> Vec<OfIssuer> {
        self.issuers.iter().map(|issuer| of_issuer(issuer, access)).collect()
    }

    fn has_user(&self, name: &str) -> bool {
        self.users.contains(name) || issuer_of(name).is_some_and(|issuer| self.issuers.contains(&issuer))
    }
}

/// Whose token proved this user; `None`: it is one of the file, whose names have no slash.
fn issuer_of(user: &str) -> Option<&str> {
    user.split_once('/').map(|(issuer, _)| issuer)
}

fn why(user: &str) -> &'static str {
    match issuer_of(user) {
        Some(_) => "its issuer is not in the configuration",
        None => "is not in the file of users any more",
    }
}

fn of_issuer(issuer: &str, access: &Access) -> OfIssuer {
    let users = access.users.iter().filter(|(name, _)| issuer_of(name) == Some(issuer));
    let mut all = OfIssuer { name: issuer.to_owned(), ..OfIssuer::default() };
    let mut latest: Option<OffsetDateTime> = None;
    for (name, used) in users {
        all.users += usize::from(used.seen.is_some());
        all.associations += used.associations;
        latest = latest.max(used.seen.map(|(_, last)| last));
        for (operation, times) in &used.operations {
            let sum = all.operations.entry(operation.clone()).or_default();
            *sum = sum.saturating_add(*times);
        }
        all.who.push(of_token(name, used));
    }
    all.last = latest.map(moment);
    all
}

fn of_token(name: &str, used: &Use) -> OfToken {
    OfToken { name: name.to_owned(), seen: Seen::of(Some(used)), operations: used.operations.clone() }
}
