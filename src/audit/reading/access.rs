//! Who came in a span, as which user, and what they did: what an access review holds against what they may.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use time::{Duration, OffsetDateTime};

use super::figures::Period;
use super::{Filter, Kept, RecordFile, records, stamp};
use crate::audit::record::{
    Administration, AdministrationOutcome, AssociationClosed, AssociationOpened, AssociationRejected,
    Direction, Event, Operation, Outcome, Record, Requestor,
};
use crate::vocabulary::Reason;

/// Names that are told apart: what is refused may be called anything.
const APART: usize = 10_000;
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
}

/// What one peer or user did over DIMSE.
#[derive(Debug, Default)]
pub struct Use {
    /// When an association was opened for the first and the last time.
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

/// Adds up the records of `period`.
pub fn access(files: &[RecordFile], period: Period) -> Access {
    let from = period.from.checked_sub(BEFORE).unwrap_or(period.from);
    let filter = Filter { from: Some(from), to: Some(period.to), ..Filter::default() };
    let mut reading = Reading { access: Access::default(), open: HashMap::new(), from: stamp(period.from) };
    let kept = records(files, &filter, |record| {
        reading.take(&record);
        ControlFlow::Continue(())
    });
    Access { kept, ..reading.access }
}

struct Reading {
    access: Access,
    /// Peer and proven user of the associations that are open.
    open: HashMap<String, (String, Option<String>)>,
    from: String,
}

impl Reading {
    fn take(&mut self, record: &Record) {
        let is_within = record.time >= self.from;
        match &record.event {
            Event::AssociationOpened(opened) => self.opened(opened, record, is_within),
            Event::AssociationClosed(closed) => self.closed(closed, is_within),
            _ if !is_within => return,
            Event::AssociationRejected(rejected) => self.rejected(rejected, record),
            Event::Operation(operation) => self.operation(operation, record.times()),
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
        self.open.insert(opened.association.clone(), (peer, user));
    }

    /// Operations are told one by one where its beginning was seen, and here where it was not.
    fn closed(&mut self, closed: &AssociationClosed, is_within: bool) {
        if self.open.remove(&closed.association).is_some() || !is_within {
            return;
        }
        let (peer, user) = of(&closed.requestor);
        self.each(&peer, user.as_deref(), |used, _| {
            for (name, counts) in &closed.operations {
                let done = counts.success + counts.warning + counts.failure;
                add(&mut used.operations, name, done);
            }
        });
    }

    fn operation(&mut self, operation: &Operation, times: u64) {
        let is_part = operation.direction == Direction::ToPeer && operation.operation == "C-STORE";
        let Some((peer, user)) = self.open.get(&*operation.association).cloned() else { return };
        if operation.outcome() == Outcome::Refused {
            return;
        }
        self.each(&peer, user.as_deref(), |used, _| {
            if !is_part {
                add(&mut used.operations, &operation.operation, times);
            }
            if let Some(class) = &operation.sop_class {
                add(&mut used.sop_classes, class, times);
            }
        });
    }

    fn rejected(&mut self, rejected: &AssociationRejected, record: &Record) {
        let (peer, user) = of(&rejected.requestor);
        let label = record.label().unwrap_or_default();
        self.each(&peer, user.as_deref(), |used, _| add(&mut used.refused, label, record.times()));
        let is_locked = label == Reason::UserLockedOut.label();
        if is_locked || label == Reason::UserIdentityWrong.label() {
            self.wrong(record.user().unwrap_or_default(), record, is_locked);
        }
    }

    fn administered(&mut self, done: &Administration, record: &Record) {
        let is_done = done.outcome == AdministrationOutcome::Success;
        match (&*done.action, is_done) {
            ("login", false) => {
                let is_locked = done.explanation.as_deref().is_some_and(|why| why.contains("too many wrong"));
                return self.wrong(&done.user, record, is_locked);
            }
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
        if let Some(known) = apart(&mut self.access.administration, &done.user) {
            known.last = known.last.max(record.at());
            if done.action == "login" {
                known.login = known.login.max(record.at());
            }
            add(&mut known.actions, &done.action, record.times());
        }
    }

    fn wrong(&mut self, user: &str, record: &Record, is_locked: bool) {
        let Some(wrong) = apart(&mut self.access.wrong, user) else { return };
        wrong.last = wrong.last.max(record.at());
        wrong.times = wrong.times.saturating_add(record.times());
        wrong.locked = wrong.locked.saturating_add(if is_locked { record.times() } else { 0 });
    }

    /// The peer and, where one is proven, the user; each with the other's name.
    fn each(&mut self, peer: &str, user: Option<&str>, mut add: impl FnMut(&mut Use, Option<&str>)) {
        if let Some(used) = apart(&mut self.access.peers, peer) {
            add(used, user);
        }
        if let Some(used) = user.and_then(|user| apart(&mut self.access.users, user)) {
            add(used, Some(peer));
        }
    }
}

impl Use {
    fn opened(&mut self, at: Option<OffsetDateTime>, other: Option<&str>) {
        self.associations += 1;
        if let Some(at) = at {
            self.seen = Some(self.seen.map_or((at, at), |(first, last)| (first.min(at), last.max(at))));
        }
        if let Some(other) = other.filter(|_| self.with.len() < EACH) {
            self.with.insert(other.to_owned());
        }
    }
}

/// Who asked; the user only where one is proven.
fn of(requestor: &Requestor) -> (String, Option<String>) {
    let proven = requestor.identified.as_ref().filter(|one| one.user_identity == "proven");
    (requestor.peer.clone().unwrap_or_default(), proven.map(|one| one.user.clone()))
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, times: u64) {
    if times > 0 && (counts.len() < EACH || counts.contains_key(name)) {
        let count = counts.entry(name.to_owned()).or_default();
        *count = count.saturating_add(times);
    }
}

/// The entry of a name that is not empty, unless there are too many.
fn apart<'m, V: Default>(map: &'m mut BTreeMap<String, V>, name: &str) -> Option<&'m mut V> {
    let is_told = !name.is_empty() && (map.len() < APART || map.contains_key(name));
    is_told.then(|| map.entry(name.to_owned()).or_default())
}
