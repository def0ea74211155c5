//! The exchange ledger: which operations of an association are waiting for their response, in both directions
//! (PS3.7 §6.1, Annex D.3.3.3).

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Instant;

use super::answer::Answer;
use super::granted::Granted;
use crate::audit;
use crate::dataset::{SOP_CLASS_UID, SOP_INSTANCE_UID, Tag, Tolerated};
use crate::dimse::{Command, Failure, Operation, Outcome, Status};
use crate::policy::{Allowed, Direction, Hidden};
use crate::rewrite::Summary;
use crate::vocabulary::{Cause, Tolerance};

/// An operation that waits for its response, with what its record will say.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub operation: Operation,
    /// Of the request as it came.
    pub context_id: u8,
    /// Of the request as it was sent on: another one where its data set was decoded.
    pub sent_context_id: u8,
    pub message_id: u16,
    pub began: Instant,
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    pub move_destination: Option<String>,
    /// The whole request has been passed on.
    pub sent: bool,
    /// When its command set came, and once all of it was passed on, when that was: its answer is waited for since then.
    pub sent_at: Instant,
    /// Bytes of the request's data set.
    pub bytes: u64,
    pub study: Option<String>,
    /// As it came; the audit renders it as configured.
    pub patient: Option<Vec<u8>>,
    /// What a query asked.
    pub query: Option<Box<audit::Query>>,
    /// What the SOP instance UID became.
    pub new_sop_instance: Option<String>,
    pub new_study: Option<String>,
    /// Which of these UIDs are the patients' side's.
    pub originals: audit::Originals,
    /// It is a worklist query for what is scheduled for its sender.
    pub own_schedule: bool,
    /// Elements of its data set that were rewritten, where a rewrite was applied.
    pub rewritten: Option<u64>,
    /// One of its responses could not cross: what its requestor is told once the other side is through with it.
    pub failed: Option<Failed>,
    /// What is left out of its answers.
    pub hidden: Option<Arc<Hidden>>,
    /// How many more answers there may be, where that is limited.
    pub answers_left: Option<u32>,
    /// Whether it is judged, and what comes of it, by a scope or since patients are counted.
    pub is_judged: bool,
    /// How many patients it may show with those of the day: to the peer, and to the user.
    pub most_patients: [Option<NonZeroU32>; 2],
    /// What is wrong with a data set of it that could not be rewritten, for its record.
    pub fault: Option<Box<audit::Fault>>,
    /// It has had a response that may be its last, or what stands for it.
    pub answered: Option<Answer>,
    /// It is over while its data set is still on the way: its record waits for the end of that, to say what it held.
    pub early: Option<Answer>,
    /// How far it was let through, where its peer has a scope.
    pub granted: Option<Box<Granted>>,
    /// What its data set names in place of the command's SOP class and instance.
    pub named: Named,
    /// What its messages had that the standard does not allow: labels of its record.
    pub tolerated: Labels,
}

/// Why responses do not cross: what their requestor is told, and the record.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub failure: Failure,
    pub cause: Cause,
}

/// Words of a record, stable.
pub(crate) type Labels = Vec<Cow<'static, str>>;

/// What a response says of those behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    MoreFollow,
    /// Some archives have said the last word with it, others say another.
    MoreMayFollow,
    Last,
}

/// The SOP class of a C-FIND whose answers may be cut short by status 0xB001 (PS3.4 Annex HH).
const REPOSITORY_QUERY: &str = "1.2.840.10008.5.1.4.1.1.201.6";

/// The SOP class and instance that a data set names, each where it is not the command's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Named {
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
}

impl Named {
    /// What a rewrite found in place of what the command says.
    pub(crate) fn instead(summary: &Summary) -> Self {
        let named = |wanted: Tag| {
            let mismatch = summary.mismatch.as_ref().filter(|(tag, _)| *tag == wanted);
            mismatch.map(|(_, value)| crate::wire::escape(value))
        };
        Self { sop_class: named(SOP_CLASS_UID), sop_instance: named(SOP_INSTANCE_UID) }
    }
}

impl Exchange {
    /// Boxed, since it goes from hand to hand.
    pub(crate) fn new(
        operation: Operation,
        context_id: u8,
        message_id: u16,
        command: &Command,
        began: Instant,
    ) -> Box<Self> {
        Box::new(Self {
            operation,
            context_id,
            sent_context_id: context_id,
            message_id,
            began,
            sop_class: command.sop_class(),
            sop_instance: command.sop_instance(),
            move_destination: command.move_destination(),
            sent: !command.has_data_set,
            sent_at: began,
            bytes: 0,
            study: None,
            patient: None,
            query: None,
            new_sop_instance: None,
            new_study: None,
            own_schedule: false,
            originals: audit::Originals::default(),
            rewritten: None,
            failed: None,
            hidden: None,
            answers_left: None,
            most_patients: [None; 2],
            is_judged: false,
            fault: None,
            answered: None,
            early: None,
            granted: None,
            named: Named::default(),
            tolerated: labels(command, ""),
        })
    }

    /// Takes what its role says of its answers.
    pub(crate) fn allow(&mut self, allowed: Allowed) {
        self.most_patients = allowed.patients;
        if self.operation == Operation::CFind {
            self.hidden = allowed.hidden;
            self.answers_left = allowed.max_answers.map(NonZeroU32::get);
        }
    }

    /// How many patients it may show, where that is limited.
    pub(crate) fn counts_patients(&self) -> Option<[Option<NonZeroU32>; 2]> {
        Some(self.most_patients).filter(|most| *most != [None; 2])
    }

    /// Whether the response says that what was brought is kept.
    pub(crate) fn is_stored_by(&self, status: Status) -> bool {
        self.operation == Operation::CStore && matches!(status.outcome(), Outcome::Success | Outcome::Warning)
    }

    /// Whether its answers have to be looked at one by one.
    pub(crate) fn guards_answers(&self) -> bool {
        self.hidden.is_some() || self.answers_left.is_some()
    }

    /// Counts an answer. Whether there may be that many.
    pub(crate) fn takes_answer(&mut self) -> bool {
        match &mut self.answers_left {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }

    /// Whether one more answer would be too many.
    pub(crate) fn has_had_all_answers(&self) -> bool {
        self.answers_left == Some(0)
    }

    /// Whether all of it has been passed on, and it is not answered.
    fn waits(&self) -> bool {
        self.sent && self.answered.is_none()
    }

    /// Whether this is the last of its responses.
    pub(crate) fn ending(&self, status: Status) -> Ending {
        let is_repository_query =
            self.operation == Operation::CFind && self.sop_class.as_deref() == Some(REPOSITORY_QUERY);
        match status.outcome() {
            Outcome::Pending => Ending::MoreFollow,
            _ if is_repository_query && status == Status::LIMIT_REACHED => Ending::MoreMayFollow,
            _ => Ending::Last,
        }
    }

    /// Writes down, each once, what a response had that the standard does not allow.
    pub(crate) fn tolerate(&mut self, labels: Labels) {
        for label in labels {
            if self.tolerated.len() < MOST_TOLERATED && !self.tolerated.contains(&label) {
                self.tolerated.push(label);
            }
        }
    }

    /// The same of a data set.
    pub(crate) fn tolerate_in_data_set(&mut self, tolerated: Tolerated) {
        if tolerated != Tolerated::default() {
            self.tolerate(tolerated.words().into_iter().map(Cow::Borrowed).collect());
        }
    }
}

/// What the responses to a request need to know of it, where they cross a boundary.
#[derive(Clone)]
pub(crate) struct OpenRequest {
    pub operation: Operation,
    pub context_id: u8,
    pub sent_context_id: u8,
    pub message_id: u16,
    pub sop_class: Option<String>,
    pub sop_instance: Option<String>,
    pub new_sop_instance: Option<String>,
    pub patient: Option<Vec<u8>>,
    pub own_schedule: bool,
    pub failed: Option<Failed>,
    pub hidden: Option<Arc<Hidden>>,
    pub is_judged: bool,
}

impl Exchange {
    pub(crate) fn request(&self) -> OpenRequest {
        OpenRequest {
            operation: self.operation,
            context_id: self.context_id,
            sent_context_id: self.sent_context_id,
            message_id: self.message_id,
            sop_class: self.sop_class.clone(),
            sop_instance: self.sop_instance.clone(),
            new_sop_instance: self.new_sop_instance.clone(),
            patient: self.patient.clone(),
            own_schedule: self.own_schedule,
            failed: self.failed.clone(),
            hidden: self.hidden.clone(),
            is_judged: self.is_judged,
        }
    }
}

/// Labels that one record has room for.
const MOST_TOLERATED: usize = 32;

/// What a command set had that the standard does not allow, each with `prefix`.
pub(crate) fn labels(command: &Command, prefix: &str) -> Labels {
    command.tolerated().iter().map(|tolerated| format!("{prefix}{tolerated}").into()).collect()
}

/// A data set that is no more than looked at, and could not be read as far as the record wants to know.
pub(crate) fn unread(is_lost: bool) -> Labels {
    is_lost.then_some(Tolerance::DataSetNotRead.label().into()).into_iter().collect()
}

/// Requests that an association may leave unanswered; an unlimited window is not an unlimited table.
const MOST_OUTSTANDING: usize = 1024;

/// Why a request cannot be entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOpened {
    #[error("this message ID waits for its response already")]
    Duplicate,
    #[error("too many requests wait for their responses")]
    TooMany,
}

/// Both tables; a message ID belongs to the side that sent the request.
#[derive(Default)]
pub(crate) struct Ledger {
    to_upstream: Table,
    to_requestor: Table,
}

/// Sorted by message ID. There is seldom more than one.
#[derive(Default)]
struct Table(Vec<(u16, Box<Exchange>)>);

impl Table {
    /// Where the exchange with this message ID is, or else would have to be.
    fn place(&self, message_id: u16) -> Result<usize, usize> {
        self.0.binary_search_by_key(&message_id, |(known, _)| *known)
    }
}

impl Ledger {
    fn table(&self, direction: Direction) -> &Table {
        match direction {
            Direction::FromPeer => &self.to_upstream,
            Direction::ToPeer => &self.to_requestor,
        }
    }

    fn table_mut(&mut self, direction: Direction) -> &mut Table {
        match direction {
            Direction::FromPeer => &mut self.to_upstream,
            Direction::ToPeer => &mut self.to_requestor,
        }
    }

    /// Whether a request that goes in this direction can be entered.
    pub(crate) fn has_place_for(&self, direction: Direction, message_id: u16) -> Result<(), NotOpened> {
        let table = self.table(direction);
        match table.place(message_id) {
            Ok(_) => Err(NotOpened::Duplicate),
            Err(_) if table.0.len() >= MOST_OUTSTANDING => Err(NotOpened::TooMany),
            Err(_) => Ok(()),
        }
    }

    /// Enters a request that goes in this direction, for which there is a place.
    pub(crate) fn open(&mut self, direction: Direction, exchange: Box<Exchange>) {
        let table = self.table_mut(direction);
        let message_id = exchange.message_id;
        let place = table.place(message_id);
        debug_assert!(place.is_err(), "a request is entered twice");
        match place {
            Err(place) => table.0.insert(place, (message_id, exchange)),
            Ok(place) => {
                if let Some((_, known)) = table.0.get_mut(place) {
                    *known = exchange;
                }
            }
        }
    }

    /// The request of this direction with this message ID, as it stands.
    pub(crate) fn find(&self, direction: Direction, message_id: u16) -> Option<&Exchange> {
        let table = self.table(direction);
        let place = table.place(message_id).ok()?;
        table.0.get(place).map(|(_, exchange)| &**exchange)
    }

    /// The same, to note what is known of it.
    pub(crate) fn find_mut(&mut self, direction: Direction, message_id: u16) -> Option<&mut Exchange> {
        let table = self.table_mut(direction);
        let place = table.place(message_id).ok()?;
        table.0.get_mut(place).map(|(_, exchange)| &mut **exchange)
    }

    /// Whether a request of this operation that goes in this direction waits for its last response.
    pub(crate) fn is_waiting(&self, direction: Direction, operation: Operation) -> bool {
        self.table(direction).0.iter().any(|(_, exchange)| exchange.operation == operation)
    }

    /// Whether a C-GET of the peer is open that may bring any object.
    pub(crate) fn gets_unjudged(&self) -> bool {
        let mut open = self.table(Direction::FromPeer).0.iter().map(|(_, exchange)| exchange);
        open.any(|exchange| exchange.operation == Operation::CGet && !exchange.is_judged)
    }

    /// Whether a C-GET of the peer that is open was granted this study.
    pub(crate) fn brings(&self, study: &[u8]) -> bool {
        let mut open = self.table(Direction::FromPeer).0.iter().map(|(_, exchange)| exchange);
        open.any(|exchange| {
            let granted = exchange.granted.as_ref().filter(|_| exchange.operation == Operation::CGet);
            granted.is_some_and(|granted| granted.names(study))
        })
    }

    /// Takes out a request with this message ID that has had a response which may have been its last: none has followed
    /// before its message ID is used again.
    pub(crate) fn close_answered(
        &mut self,
        direction: Direction,
        message_id: u16,
    ) -> Option<(Box<Exchange>, Answer)> {
        let answer = self.find(direction, message_id)?.answered?;
        Some((self.close(direction, message_id)?, answer))
    }

    /// Takes out a request that has had its last response, or was refused.
    pub(crate) fn close(&mut self, direction: Direction, message_id: u16) -> Option<Box<Exchange>> {
        let table = self.table_mut(direction);
        let place = table.place(message_id).ok()?;
        Some(table.0.remove(place).1)
    }

    /// Since when the oldest whole request of this direction has waited for its answer.
    pub(crate) fn waiting_since(&self, direction: Direction) -> Option<Instant> {
        let all = self.table(direction).0.iter();
        all.filter(|(_, exchange)| exchange.waits()).map(|(_, exchange)| exchange.sent_at).min()
    }

    /// Of the requests of this direction that are open: the one with the lowest message ID, how many there are, and whether
    /// one of them waits for its answer.
    pub(crate) fn outstanding(&self, direction: Direction) -> (Option<&Exchange>, usize, bool) {
        let Table(open) = self.table(direction);
        let first = open.first().map(|(_, exchange)| &**exchange);
        (first, open.len(), open.iter().any(|(_, exchange)| exchange.waits()))
    }

    /// Whether no request of either direction waits for anything. One that has had a response which may have been its last is
    /// kept in case that another follows, and waits for none.
    pub(crate) fn is_at_rest(&self) -> bool {
        let mut all = self.to_upstream.0.iter().chain(&self.to_requestor.0);
        all.all(|(_, exchange)| exchange.answered.is_some())
    }

    /// What was never answered, oldest first; requests of one read, by their message IDs.
    pub(crate) fn drain(&mut self) -> Vec<(Direction, Box<Exchange>)> {
        let of = |direction, table: &mut Table| {
            std::mem::take(table).0.into_iter().map(move |(_, exchange)| (direction, exchange))
        };
        let mut all: Vec<_> = of(Direction::FromPeer, &mut self.to_upstream)
            .chain(of(Direction::ToPeer, &mut self.to_requestor))
            .collect();
        all.sort_by_key(|(_, exchange)| exchange.began);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::{Exchange, Ledger, MOST_OUTSTANDING, NotOpened};
    use crate::dimse::{Command, Operation, echo_request};
    use crate::policy::Direction::{FromPeer, ToPeer};
    use std::time::{Duration, Instant};

    fn exchange(message_id: u16) -> Box<Exchange> {
        let command = Command::parse(echo_request("1.2.840.10008.1.1", message_id)).unwrap();
        Exchange::new(Operation::CEcho, 1, message_id, &command, Instant::now())
    }

    fn younger(message_id: u16, than: Instant, milliseconds: usize) -> Box<Exchange> {
        Box::new(Exchange {
            began: than + Duration::from_millis(milliseconds as u64),
            ..*exchange(message_id)
        })
    }

    #[test]
    fn each_exchange_is_found_by_its_own_number_in_any_order() {
        let mut ledger = Ledger::default();
        let began = Instant::now();
        for (index, number) in [7, 3, u16::MAX, 0, 5].into_iter().enumerate() {
            assert_eq!(ledger.has_place_for(FromPeer, number), Ok(()));
            ledger.open(FromPeer, younger(number, began, index));
            assert_eq!(ledger.has_place_for(FromPeer, number), Err(NotOpened::Duplicate));
            assert_eq!(ledger.has_place_for(ToPeer, number), Ok(()), "the other side has its own numbers");
        }
        ledger.find_mut(FromPeer, 5).unwrap().bytes = 55;
        assert_eq!(ledger.find(FromPeer, 5).map(|exchange| exchange.bytes), Some(55));
        assert_eq!(ledger.close(FromPeer, 3).map(|exchange| exchange.message_id), Some(3));
        assert!(ledger.close(FromPeer, 3).is_none() && ledger.find(FromPeer, 3).is_none());
        let left: Vec<u16> = ledger.drain().into_iter().map(|(_, exchange)| exchange.message_id).collect();
        assert_eq!(left, [7, u16::MAX, 0, 5], "oldest first");
        assert!(ledger.drain().is_empty());
    }

    #[test]
    fn no_more_wait_than_there_are_places() {
        let mut ledger = Ledger::default();
        (0..MOST_OUTSTANDING as u16).rev().for_each(|number| ledger.open(FromPeer, exchange(number)));
        assert_eq!(ledger.has_place_for(FromPeer, 5000), Err(NotOpened::TooMany));
        assert!(ledger.close(FromPeer, 1000).is_some());
        assert_eq!(ledger.has_place_for(FromPeer, 5000), Ok(()));
    }
}
