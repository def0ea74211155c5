//! What a review shows, as JSON has it.

use std::collections::BTreeMap;

use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::rights::Rights;
use crate::audit::reading::access::{Access, Use};
use crate::audit::reading::figures::Period;
use crate::cli::audit::certificates::Ending;
use crate::cli::audit::ends::{Nearness, nearness};
use crate::cli::words::counted;
use crate::config::Settings;
use crate::policy::{Block, Peer, Role};
use crate::users::User;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Review {
    pub configuration: String,
    /// Its digest, as records have it.
    pub digest: String,
    pub from: String,
    pub to: String,
    pub trail: Trail,
    pub findings: Vec<Finding>,
    /// In the order of the configuration.
    pub peers: Vec<Reviewed>,
    /// In the order of the file.
    pub users: Vec<Account>,
    /// In the order of the configuration.
    pub issuers: Vec<OfIssuer>,
    /// Peers and users who came, and are not there any more.
    pub gone: Vec<Gone>,
    /// Certificates and lists that have ended or end soon, the first first.
    pub ends: Vec<End>,
    pub guesses: Vec<Guess>,
    pub blocks: Vec<InForce>,
    /// Blocks that were made or taken back in the span.
    pub block_changes: Vec<Change>,
    #[serde(skip)]
    pub period: Period,
}

/// The records that all of it rests on.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Trail {
    pub directory: String,
    /// Of the span.
    pub records: u64,
    /// When the first of all records was made, of those that could be read; `null`: there is none.
    pub begins: Option<String>,
    /// Whether that is no later than the beginning of the span.
    pub covers_span: bool,
    pub is_intact: bool,
    /// `intact, signed up to record 12`.
    pub verdict: String,
    /// Lines and files of the span that could not be read.
    pub unread: u64,
    /// At least so many names are not told of, since more came than are told apart.
    pub left_out: u64,
}

impl Trail {
    /// Whether nobody can have come in the span without a record that was read.
    pub(super) fn tells_all(&self) -> bool {
        self.covers_span && self.is_intact && self.unread == 0
    }

    /// `the records begin at 2026-03-03T00:00:00Z`
    pub(super) fn beginning(&self) -> String {
        self.begins
            .as_ref()
            .map_or("there are no records".to_owned(), |at| format!("the records begin at {at}"))
    }
}

/// Something that a reviewer should decide about.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Finding {
    /// A stable label.
    pub kind: &'static str,
    /// `bad`, `warn` or `note`.
    pub tone: &'static str,
    /// What it is about, such as `peer lyon`.
    pub about: String,
    pub sentence: String,
}

/// What somebody did over DIMSE.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Seen {
    pub first: Option<String>,
    pub last: Option<String>,
    pub associations: u64,
    /// Refusals, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Of a peer the users that came through it, of a user the peers.
    pub with: Vec<String>,
}

impl Seen {
    /// `refused 72 times: user-identity-wrong 60, association-rate 12`, where nothing was opened; `None`: something was,
    /// or nobody came.
    pub(super) fn only_refused(&self) -> Option<String> {
        let mut reasons: Vec<_> = self.refused.iter().collect();
        reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let all = reasons.iter().fold(0, |all: u64, (_, times)| all.saturating_add(**times));
        let told = reasons.iter().map(|(reason, times)| format!("{reason} {times}")).collect::<Vec<_>>();
        let is_only_refused = self.last.is_none() && all > 0;
        is_only_refused.then(|| format!("refused {}: {}", counted(all, "time"), told.join(", ")))
    }

    /// Whether there is no trace of them, not even of a refusal.
    pub(super) fn never_came(&self) -> bool {
        self.last.is_none() && self.refused.is_empty()
    }
}

/// A `[[peer]]`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Reviewed {
    pub name: String,
    pub line: usize,
    pub seen: Seen,
    pub rights: Rights,
}

/// A user of the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Account {
    pub name: String,
    /// `in force`, `disabled`, `ended`.
    pub state: &'static str,
    pub has_one_time_code: bool,
    /// Of the administration.
    pub administration: Option<&'static str>,
    pub ends: Option<String>,
    pub may_use_peers: Vec<String>,
    /// Those of these that the user never came through.
    pub peers_never_used: Vec<String>,
    pub seen: Seen,
    pub last_login: Option<String>,
    /// What was done through the administration interface, by action.
    pub administered: BTreeMap<String, u64>,
    pub rights: Rights,
    #[serde(skip)]
    pub end: Option<OffsetDateTime>,
}

/// Those whom the tokens of an `[[issuer]]` proved.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct OfIssuer {
    pub name: String,
    /// How many came.
    pub users: usize,
    /// Of all of them.
    pub associations: u64,
    /// When one of them was seen last.
    pub last: Option<String>,
    /// Operations that were not refused, of all of them.
    pub operations: BTreeMap<String, u64>,
    /// By name, whoever came or was refused: as many as the records tell apart, and [`Trail::left_out`] are more.
    pub who: Vec<OfToken>,
}

/// A user whom a token proved.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct OfToken {
    /// The issuer's name, a slash, and whom the token names.
    pub name: String,
    pub seen: Seen,
    /// Operations that were not refused.
    pub operations: BTreeMap<String, u64>,
}

/// Somebody of the records who is not in the configuration, or not in the file of users.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Gone {
    /// `peer` or `user`.
    pub kind: &'static str,
    pub name: String,
    /// `is not in the configuration any more`.
    pub why: &'static str,
    pub seen: Seen,
}

/// A certificate or a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct End {
    pub at: String,
    pub what: String,
    pub place: String,
    #[serde(skip)]
    pub end: OffsetDateTime,
}

/// Wrong proofs in the name of somebody.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Guess {
    pub user: String,
    pub times: u64,
    /// Of these, while locked out.
    pub locked_out: u64,
    pub last: Option<String>,
}

/// A block that is in force.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct InForce {
    pub of: String,
    pub since: String,
    pub until: Option<String>,
    pub by: String,
    pub reason: String,
}

/// A block that was made or taken back.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Change {
    pub at: String,
    pub by: String,
    pub what: String,
}

pub(super) fn moment(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC)
        .replace_nanosecond(0)
        .unwrap_or(at)
        .format(&Rfc3339)
        .unwrap_or_default()
}

impl Seen {
    pub(super) fn of(used: Option<&Use>) -> Self {
        let Some(used) = used else { return Self::default() };
        Self {
            first: used.seen.map(|(first, _)| moment(first)),
            last: used.seen.map(|(_, last)| moment(last)),
            associations: used.associations,
            refused: used.refused.clone(),
            with: used.with.iter().cloned().collect(),
        }
    }
}

impl Reviewed {
    pub(super) fn of(peer: &Peer, access: &Access) -> Self {
        let used = access.peers.get(&*peer.name);
        Self {
            name: peer.name.to_string(),
            line: peer.line,
            seen: Seen::of(used),
            rights: Rights::of(&[&*peer.role], used.unwrap_or(&Use::default())),
        }
    }
}

impl Account {
    pub(super) fn of(user: &User, settings: &Settings, access: &Access, now: OffsetDateTime) -> Self {
        let (used, done) = (access.users.get(&user.name), access.administration.get(&user.name));
        let roles: Vec<&Role> = user
            .dimse_roles()
            .filter_map(|name| settings.policy.roles.get(name))
            .map(|role| &**role)
            .collect();
        let never = |peer: &&String| used.is_none_or(|used| !used.with.contains(*peer));
        Self {
            name: user.name.clone(),
            state: match (user.disabled, user.has_ended(now)) {
                (true, _) => "disabled",
                (false, true) => "ended",
                (false, false) => "in force",
            },
            has_one_time_code: user.one_time.is_some(),
            administration: user.administration().map(|role| role.name()),
            ends: user.not_after.map(moment),
            may_use_peers: user.peers.clone(),
            peers_never_used: user.peers.iter().filter(never).cloned().collect(),
            seen: Seen::of(used),
            last_login: done.and_then(|done| done.login).map(moment),
            administered: done.map(|done| done.actions.clone()).unwrap_or_default(),
            rights: Rights::of(&roles, used.unwrap_or(&Use::default())),
            end: user.not_after,
        }
    }

    /// Whether nothing was ever done as this user, nor refused to them.
    pub(super) fn never_came(&self) -> bool {
        self.seen.never_came() && self.last_login.is_none()
    }

    /// Whether nothing was ever done as this user.
    pub(super) fn did_nothing(&self) -> bool {
        self.seen.last.is_none() && self.last_login.is_none()
    }
}

impl End {
    /// Those that have ended or end soon.
    pub(super) fn all(endings: Vec<Ending>, now: OffsetDateTime) -> Vec<Self> {
        let mut near: Vec<Ending> =
            endings.into_iter().filter(|ending| nearness(ending.at, now) != Nearness::Later).collect();
        near.sort();
        near.dedup();
        near.into_iter()
            .map(|Ending { at, what, place, .. }| Self { at: moment(at), what, place, end: at })
            .collect()
    }
}

impl InForce {
    pub(super) fn of(block: &Block) -> Self {
        Self {
            of: block.of.to_string(),
            since: moment(block.since),
            until: block.until.map(moment),
            by: block.by.clone(),
            reason: block.why.clone(),
        }
    }
}
