//! The hours of roles, the time of users, the ends of tokens and of agreements, kept for associations that are open: one that is open when they
//! end is asked about again, and so is every one when the file of users was read anew.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::timeout;

use crate::policy::Role;
use crate::relay::{Entry, Gate};

/// How long a clock that is set goes unnoticed.
const LOOK: Duration = Duration::from_secs(5);
/// Until a file is looked at again that somebody was writing.
const AGAIN: Duration = Duration::from_secs(1);
/// Of a sleep that ends just before the hour.
const LEAST: Duration = Duration::from_millis(1);

/// What one look has found.
struct Looked {
    /// How often other users had come into force.
    users: u64,
    /// How long to wait for the next one. `None`: nobody is there whom it concerns.
    wait: Option<Duration>,
}

/// Waits for the next end of hours, of an agreement, of a user or a token, or of the users that are known, and asks again, for as long as the
/// process lives. The clock of the system counts, as it does for those who come.
pub(super) async fn keep(gate: Arc<Gate>) {
    let mut users = 0;
    loop {
        let looked = gate.clone();
        let looked = tokio::task::spawn_blocking(move || look(&looked, users)).await;
        let looked = looked.unwrap_or(Looked { users, wait: Some(LOOK) });
        users = looked.users;
        match looked.wait {
            // Somebody came, or other rules or users did; or it is time.
            Some(wait) => drop(timeout(wait, gate.hours.notified()).await),
            None => gate.hours.notified().await,
        }
    }
}

/// Asks again about those whose time is over, and about all where other users came into force since `before`.
fn look(gate: &Gate, before: u64) -> Looked {
    let now = OffsetDateTime::now_utc();
    let open = gate.live.list();
    let with_users = read_users(gate, &open);
    // Before they are asked about: what comes meanwhile is seen the next time.
    let users = gate.people.others();
    if users != before {
        gate.judge_all_again();
    }
    let ends = [until_users_end, until_tokens_end, until_hours_end, until_agreements_end]
        .map(|until| until(gate, &open, now));
    Looked { users, wait: ends.into_iter().chain([with_users]).flatten().min() }
}

/// Looks at the file of users where somebody is there who proved to be one; when to look again, where files are looked at. One
/// that somebody was writing when a reload or a login looked at it is looked at in any case.
fn read_users(gate: &Gate, open: &[Arc<Entry>]) -> Option<Duration> {
    let settings = gate.in_force.load().settings.clone();
    let between = settings.limits.reload_files;
    let is_looked_at = between.is_some() || gate.people.is_moving();
    if !is_looked_at || !open.iter().any(|entry| entry.right.proof.user_of_file().is_some()) {
        return None;
    }
    gate.people.now(&settings);
    let again = gate.people.is_moving().then_some(AGAIN);
    between.into_iter().chain(again).min()
}

fn until_users_end(gate: &Gate, open: &[Arc<Entry>], now: OffsetDateTime) -> Option<Duration> {
    let settings = gate.in_force.load().settings.clone();
    let users = gate.people.known(&settings.users.as_ref()?.file)?;
    let ends = open.iter().filter_map(|entry| {
        let user = users.named(&entry.right.proof.user_of_file()?.name)?;
        if user.has_ended(now) {
            gate.judge_again(entry);
            return None;
        }
        Some(until(user.not_after?, now))
    });
    ends.min()
}

fn until_hours_end(gate: &Gate, open: &[Arc<Entry>], now: OffsetDateTime) -> Option<Duration> {
    let mut roles = BTreeMap::new();
    for entry in open {
        let decided = entry.right.decided.load();
        let with_hours = || decided.roles().filter(|role| role.hours.is_some());
        if with_hours().any(|role| !is_open(role, now)) {
            gate.judge_again(entry);
        }
        roles.extend(with_hours().map(|role| (Arc::as_ptr(role) as usize, role.clone())));
    }
    roles.values().map(|role| until_change(role, now)).min()
}

/// Of those whose token ends what it opened.
fn until_tokens_end(gate: &Gate, open: &[Arc<Entry>], now: OffsetDateTime) -> Option<Duration> {
    let ends = open.iter().filter_map(|entry| {
        let end = entry.right.proof.user.as_ref()?.ends?;
        if end <= now {
            // It is over, or waits for the end of a message.
            gate.judge_again(entry);
            return None;
        }
        Some(until(end, now))
    });
    ends.min()
}

/// Of those whose route is open by an agreement. A clock that is set back may be before it, too.
fn until_agreements_end(gate: &Gate, open: &[Arc<Entry>], now: OffsetDateTime) -> Option<Duration> {
    let ends = open.iter().filter_map(|entry| {
        let decided = entry.right.decided.load();
        let agreement = decided.agreement()?;
        if !agreement.holds(now) {
            gate.judge_again(entry);
            return None;
        }
        Some(until(agreement.until, now))
    });
    ends.min()
}

fn is_open(role: &Role, now: OffsetDateTime) -> bool {
    role.hours.as_ref().is_none_or(|hours| hours.are_open(now))
}

fn until_change(role: &Role, now: OffsetDateTime) -> Duration {
    let change = role.hours.as_ref().and_then(|hours| hours.next_change(now));
    change.map_or(LOOK, |change| until(change, now))
}

fn until(end: OffsetDateTime, now: OffsetDateTime) -> Duration {
    Duration::try_from(end - now).map_or(LOOK, |wait| wait.clamp(LEAST, LOOK))
}
