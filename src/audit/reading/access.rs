//! Who came in a span, as which user, and what they did: what an access review holds against what they may.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::BuildHasher;
use std::ops::ControlFlow;

use time::{Duration, OffsetDateTime};

use super::figures::Period;
use super::{Filter, Kept, RecordFile, records, stamp};
use crate::audit::record::{
    Administration, AdministrationOutcome, AssociationClosed, AssociationOpened, AssociationRejected,
    Direction, Event, Operation, OperationCounts, Outcome, Record, Requestor,
};
use crate::vocabulary::Reason;

/// Names that are told apart, beside those that are known: what is refused may be called anything.
const APART: usize = 10_000;
/// Names beyond these that are counted.
const LEFT_OUT: usize = 1_000_000;
/// What wrong proofs are added to that name nobody, as most forged tokens do, or somebody whom there is not; no user is
/// called so.
const NOBODY: &str = "(names that nobody has)";
/// What records have in place of a name that nobody has, which may be a passcode.
const UNKNOWN: &str = "unknown";
/// Refusals of a proof: somebody guesses, or sends a token that was forged, copied or kept.
const WRONG: [Reason; 5] = [
    Reason::UserIdentityWrong,
    Reason::TokenWrong,
    Reason::TokenUsed,
    Reason::TokenNotBound,
    Reason::TokenEnded,
];
/// What records of logins say that were made before they had a reason: of a proof that was wrong.
const WRONG_LOGINS: [&str; 7] = [
    "no user is called so",
    "the passcode is wrong",
    "the one-time code is missing",
    "the one-time code is wrong",
    "the one-time code was used before",
    "the user is disabled",
    "the user ended",
];
/// The same, of a user who was locked out.
const LOCKED_LOGIN: &str = "too many wrong attempts for this user from this address";
/// Contexts, SOP classes and titles of one of them.
const EACH: usize = 1_000;
/// An association that is open for longer than this when the span begins is seen at its end only.
const BEFORE: Duration = Duration::DAY;

/// What the records of a span tell.
#[derive(Debug, Default)]
pub struct Access {
    /// Records of the span.
    pub records: u64,
    /// What the reading saw of the trail itself: lines, damage, files that stayed closed.
    pub kept: Kept,
    /// By name, those that opened an association or were refused.
    pub peers: BTreeMap<String, Use>,
    /// Those who were proven over DIMSE.
    pub users: BTreeMap<String, Use>,
    /// What was done through the administration interface, by user.
    pub administration: BTreeMap<String, Done>,
    /// Wrong proofs over DIMSE and at logins, by the user that was claimed.
    pub wrong: BTreeMap<String, Wrong>,
    /// Who blocked or unblocked whom, the oldest first.
    pub blocked: Vec<Blocked>,
    /// At least so many names are in none of these, since there were too many others.
    pub left_out: u64,
}

/// What one peer or user did over DIMSE.
#[derive(Debug, Default)]
pub struct Use {
    /// When an association was opened for the first and the last time; of one that was open when the span began, its
    /// operations and its end count.
    pub seen: Option<(OffsetDateTime, OffsetDateTime)>,
    /// That were opened.
    pub associations: u64,
    /// Requests that were refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Operations that were not refused, by name; what an upstream sends for a C-GET is a part of that.
    pub operations: BTreeMap<String, u64>,
    /// SOP classes of these.
    pub sop_classes: BTreeMap<String, u64>,
    /// Abstract syntaxes of presentation contexts that were accepted.
    pub contexts: BTreeSet<String>,
    /// Of a user the peers, of a peer the users, that it came with.
    pub with: BTreeSet<String>,
}

/// What one user did through the administration interface.
#[derive(Debug, Default)]
pub struct Done {
    /// When something was done last.
    pub last: Option<OffsetDateTime>,
    /// When they logged in last.
    pub login: Option<OffsetDateTime>,
    /// What was done, by action; `read` among them.
    pub actions: BTreeMap<String, u64>,
}

/// What was tried in the name of a user.
#[derive(Debug, Default)]
pub struct Wrong {
    /// When it was tried last.
    pub last: Option<OffsetDateTime>,
    /// How often.
    pub times: u64,
    /// Of these, how many came while the user was locked out there.
    pub locked: u64,
}

/// A block that was made or taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// When, as the record has it.
    pub at: String,
    /// Whose order it was.
    pub by: String,
    /// What the record says of it.
    pub what: String,
}

/// Adds up the records of `period`. Whoever is `known` is told apart however many others came.
pub fn access(files: &[RecordFile], period: Period, known: &BTreeSet<&str>) -> Access {
    let from = period.from.checked_sub(BEFORE).unwrap_or(period.from);
    let filter = Filter { from: Some(from), to: Some(period.to), ..Filter::default() };
    let names = Names { known, left_out: HashSet::new(), hashing: RandomState::new() };
    let from = stamp(period.from);
    let mut reading = Reading { access: Access::default(), names, open: HashMap::new(), from };
    let kept = records(files, &filter, |record| {
        reading.take(&record);
        ControlFlow::Continue(())
    });
    Access { kept, left_out: reading.names.left_out.len() as u64, ..reading.access }
}

struct Reading<'k> {
    access: Access,
    names: Names<'k>,
    open: HashMap<String, Open>,
    from: String,
}

/// An association that is open.
#[derive(Clone)]
struct Open {
    peer: String,
    /// Who is proven.
    user: Option<String>,
    /// Whether it was opened in the span, and so counts already.
    is_told: bool,
}

/// Which names have an entry.
struct Names<'k> {
    known: &'k BTreeSet<&'k str>,
    /// Hashes of those that have none.
    left_out: HashSet<u64>,
    hashing: RandomState,
}

impl Reading<'_> {
    fn take(&mut self, record: &Record) {
        let is_within = record.time >= self.from;
        match &record.event {
            Event::AssociationOpened(opened) => self.opened(opened, record, is_within),
            Event::AssociationClosed(closed) => self.closed(closed, record, is_within),
            _ if !is_within => return,
            Event::AssociationRejected(rejected) => self.rejected(rejected, record),
            Event::Operation(operation) => self.operation(operation, record),
            Event::Administration(done) => self.administered(done, record),
            _ => {}
        }
        self.access.records += u64::from(is_within);
    }

    fn opened(&mut self, opened: &AssociationOpened, record: &Record, is_within: bool) {
        let peer = opened.requestor.peer.clone().unwrap_or_default();
        let user = record.proven_user().map(str::to_owned);
        if is_within {
            let at = record.at();
            let contexts = || opened.contexts.iter().filter(|one| one.result == 0);
            self.each(&peer, user.as_deref(), |used, other| {
                used.opened(at, other);
                let room = EACH.saturating_sub(used.contexts.len());
                used.contexts.extend(contexts().take(room).map(|one| one.abstract_syntax.clone()));
            });
        }
        self.open.insert(opened.association.clone(), Open { peer, user, is_told: is_within });
    }

    /// Operations are told one by one where its beginning was seen, and here where it was not. One that never had an
    /// upstream was refused: nothing was left of it.
    fn closed(&mut self, closed: &AssociationClosed, record: &Record, is_within: bool) {
        let open = self.open.remove(&closed.association);
        if !is_within || open.as_ref().is_some_and(|open| open.is_told) {
            return;
        }
        if open.is_none() && closed.upstream.is_none() {
            return self.refused(&closed.requestor, record);
        }
        let (peer, user) = of(&closed.requestor);
        let at = record.at();
        self.each(&peer, user.as_deref(), |used, other| {
            used.came(at, other);
            if open.is_some() {
                return;
            }
            // It does not say which way: beside a C-GET, what was stored may all be what the upstream sent for it.
            let has_get = closed.operations.get("C-GET").is_some_and(|counts| done(counts) > 0);
            for (name, counts) in closed.operations.iter().filter(|(name, _)| !has_get || *name != "C-STORE")
            {
                add(&mut used.operations, name, done(counts));
            }
        });
    }

    fn operation(&mut self, operation: &Operation, record: &Record) {
        let (at, times) = (record.at(), record.times());
        let is_part = operation.direction == Direction::ToPeer && operation.operation == "C-STORE";
        let Some(open) = self.open.get(&*operation.association).cloned() else { return };
        if operation.outcome() == Outcome::Refused {
            return;
        }
        self.each(&open.peer, open.user.as_deref(), |used, other| {
            if !open.is_told {
                used.came(at, other);
            }
            if !is_part {
                add(&mut used.operations, &operation.operation, times);
            }
            if let Some(class) = &operation.sop_class {
                add(&mut used.sop_classes, class, times);
            }
        });
    }

    fn rejected(&mut self, rejected: &AssociationRejected, record: &Record) {
        self.refused(&rejected.requestor, record);
        self.proved_nobody(record.label().unwrap_or_default(), record);
    }

    /// Adds what was refused for this reason, where a wrong proof is one.
    fn proved_nobody(&mut self, reason: &str, record: &Record) {
        let is_locked = reason == Reason::UserLockedOut.label();
        if is_locked || WRONG.iter().any(|wrong| reason == wrong.label()) {
            let user = record.user().filter(|user| *user != UNKNOWN);
            self.wrong(user.unwrap_or(NOBODY), record, is_locked);
        }
    }

    fn refused(&mut self, requestor: &Requestor, record: &Record) {
        let (peer, user) = of(requestor);
        let label = record.label().unwrap_or_default();
        self.each(&peer, user.as_deref(), |used, _| add(&mut used.refused, label, record.times()));
    }

    fn administered(&mut self, done: &Administration, record: &Record) {
        let is_done = done.outcome == AdministrationOutcome::Success;
        match (&*done.action, is_done) {
            ("login", false) => return self.proved_nobody(reason_of(done), record),
            ("block" | "unblock", true) => self.access.blocked.push(Blocked {
                at: record.time.clone(),
                by: done.user.clone(),
                what: done
                    .explanation
                    .clone()
                    .unwrap_or_else(|| format!("{}: {}", done.action, done.resource)),
            }),
            _ => {}
        }
        if !is_done {
            return;
        }
        if let Some(known) = self.names.apart(&mut self.access.administration, &done.user) {
            known.last = known.last.max(record.at());
            if done.action == "login" {
                known.login = known.login.max(record.at());
            }
            add(&mut known.actions, &done.action, record.times());
        }
    }

    fn wrong(&mut self, user: &str, record: &Record, is_locked: bool) {
        let Some(wrong) = self.names.apart(&mut self.access.wrong, user) else { return };
        wrong.last = wrong.last.max(record.at());
        wrong.times = wrong.times.saturating_add(record.times());
        wrong.locked = wrong.locked.saturating_add(if is_locked { record.times() } else { 0 });
    }

    /// The peer and, where one is proven, the user; each with the other's name.
    fn each(&mut self, peer: &str, user: Option<&str>, mut add: impl FnMut(&mut Use, Option<&str>)) {
        if let Some(used) = self.names.apart(&mut self.access.peers, peer) {
            add(used, user);
        }
        if let Some(used) = user.and_then(|user| self.names.apart(&mut self.access.users, user)) {
            add(used, Some(peer));
        }
    }
}

impl Names<'_> {
    /// The entry of a name that is not empty, unless there are too many, and nobody knows this one.
    fn apart<'m, V: Default>(&mut self, map: &'m mut BTreeMap<String, V>, name: &str) -> Option<&'m mut V> {
        if name.is_empty() {
            return None;
        }
        if map.len() >= APART && !map.contains_key(name) && !self.known.contains(name) {
            self.leave_out(name);
            return None;
        }
        Some(map.entry(name.to_owned()).or_default())
    }

    fn leave_out(&mut self, name: &str) {
        if self.left_out.len() < LEFT_OUT {
            self.left_out.insert(self.hashing.hash_one(name));
        }
    }
}

impl Use {
    fn opened(&mut self, at: Option<OffsetDateTime>, other: Option<&str>) {
        self.associations += 1;
        self.came(at, other);
    }

    fn came(&mut self, at: Option<OffsetDateTime>, other: Option<&str>) {
        if let Some(at) = at {
            self.seen = Some(self.seen.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        if let Some(other) = other.filter(|_| self.with.len() < EACH) {
            self.with.insert(other.to_owned());
        }
    }
}

/// Why a login was not done. Those that were more than are told apart in a minute had no words either: somebody guessed.
fn reason_of(login: &Administration) -> &str {
    let of_words = || match login.explanation.as_deref() {
        Some(LOCKED_LOGIN) => Reason::UserLockedOut.label(),
        Some(words) if !WRONG_LOGINS.contains(&words) => "",
        _ => Reason::UserIdentityWrong.label(),
    };
    login.reason.as_deref().unwrap_or_else(of_words)
}

/// Who asked; the user only where one is proven.
fn of(requestor: &Requestor) -> (String, Option<String>) {
    let proven = requestor.identified.as_ref().filter(|one| one.user_identity == "proven");
    (requestor.peer.clone().unwrap_or_default(), proven.map(|one| one.user.clone()))
}

/// How many were not refused.
fn done(counts: &OperationCounts) -> u64 {
    counts.success.saturating_add(counts.warning).saturating_add(counts.failure)
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, times: u64) {
    if times > 0 && (counts.len() < EACH || counts.contains_key(name)) {
        let count = counts.entry(name.to_owned()).or_default();
        *count = count.saturating_add(times);
    }
}
