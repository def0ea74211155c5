//! An established association: what both half-relays share.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use tracing::Span;

use super::asking::Asking;
use super::deadlines::Outlook;
use super::ended::Side;
use super::exchange::{Exchange, Ledger, labels};
use super::gate::Gate;
use super::leg::Leg;
use super::progress::{Movement, Progress};
use super::release::Release;
use crate::audit::{self, Event, OperationCounts};
use crate::dataset::Encoding;
use crate::dimse::{Command, Operation, Outcome, Status};
use crate::policy::limits::Pace;
use crate::policy::{Direction, Grant};
use crate::rewrite::Ruleset;
use crate::wire::{Packer, Uid};

const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// A presentation context that both sides accepted.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedContext {
    pub id: u8,
    pub abstract_syntax: Uid,
    pub transfer_syntax: Uid,
    /// `None` for a transfer syntax that dimsegate cannot parse; it may pass where nothing rewrites.
    pub encoding: Option<Encoding>,
}

/// The shared state of an association. Everything in it is touched by one task.
pub(crate) struct Association {
    pub gate: Arc<Gate>,
    pub id: Arc<str>,
    /// What the log says of it. It is entered where something is logged: at each wake-up of the relay would be dear.
    pub span: Span,
    pub grant: Grant,
    /// The peer's rewrite, for the directions that [`crate::policy::RewriteDirection`] names.
    pub ruleset: Option<Arc<Ruleset>>,
    /// What remembers the pseudonyms that it makes.
    pub crosswalk: Option<Arc<Asking>>,
    pub contexts: Vec<AcceptedContext>,
    pub pace: Pace,
    /// The longest command set that is put together, in bytes.
    pub max_command_length: usize,
    /// The maximum length that both peers were told.
    pub offered: u32,
    pub requestor: Leg,
    pub upstream: Leg,
    /// Held from the first byte of a message to its last, so that nothing comes between them.
    pub to_upstream: AsyncMutex<Packer>,
    pub to_requestor: AsyncMutex<Packer>,
    pub ledger: Ledger,
    pub progress: Progress,
    pub release: Release,
    pub tally: Tally,
    /// It ends as soon as nothing is under way.
    pub drains: AtomicBool,
}

/// What the closing record counts.
#[derive(Default)]
pub(crate) struct Tally {
    operations: Mutex<BTreeMap<Operation, OperationCounts>>,
    elements: AtomicU64,
    /// Objects that a rewrite was begun on, from the peer and to it.
    numbers: [AtomicU64; 2],
    /// Requests of no service that PS3.7 defines.
    unrecognized: AtomicU64,
    /// C-CANCEL-RQs that went on, and those that had nothing to cancel.
    cancels: [AtomicU64; 2],
}

/// What the records call a request of no service that PS3.7 defines.
const UNRECOGNIZED: &str = "unrecognized";

impl Tally {
    fn count(&self, operation: Operation, add: impl FnOnce(&mut OperationCounts)) {
        let mut operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        add(operations.entry(operation).or_default());
    }

    /// Elements that a rewrite changed.
    pub fn changed(&self, elements: u64) {
        self.elements.fetch_add(elements, Ordering::Relaxed);
    }

    /// The number of an object among those of its direction that a rewrite is begun on, counted from 1.
    pub fn next_number(&self, direction: Direction) -> u64 {
        let [from_peer, to_peer] = &self.numbers;
        let numbers = if direction == Direction::FromPeer { from_peer } else { to_peer };
        numbers.fetch_add(1, Ordering::Relaxed).saturating_add(1)
    }

    pub fn elements(&self) -> u64 {
        self.elements.load(Ordering::Relaxed)
    }

    /// A C-CANCEL-RQ came, for an operation that is open or for none.
    pub fn cancelled(&self, is_open: bool) {
        let [went_on, for_nothing] = &self.cancels;
        let cancels = if is_open { went_on } else { for_nothing };
        cancels.fetch_add(1, Ordering::Relaxed);
    }

    /// By the operation's name, and what is none.
    pub fn operations(&self) -> BTreeMap<Cow<'static, str>, OperationCounts> {
        let operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner);
        let [success, warning] = self.cancels.each_ref().map(|count| count.load(Ordering::Relaxed));
        let refused = self.unrecognized.load(Ordering::Relaxed);
        let others = [
            ("C-CANCEL", OperationCounts { success, warning, ..OperationCounts::default() }),
            (UNRECOGNIZED, OperationCounts { refused, ..OperationCounts::default() }),
        ];
        let others = others.into_iter().filter(|(_, counts)| *counts != OperationCounts::default());
        let operations = operations.iter().map(|(operation, counts)| (operation.name(), *counts));
        operations.chain(others).map(|(name, counts)| (name.into(), counts)).collect()
    }
}

/// How an operation ended, for its record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// By the peer that was asked.
    Status(Status),
    /// By dimsegate, because the policy does not allow it, for the reason of this label.
    Refused(Status, &'static str),
    /// By dimsegate, because it cannot be done, for the reason of this label.
    Failed(Status, &'static str),
    /// By dimsegate, because nothing can match what is looked for, for the reason of this label.
    Nothing(&'static str),
    /// Not at all: the association ended first.
    Never,
}

impl Association {
    pub fn context(&self, id: u8) -> Option<&AcceptedContext> {
        self.contexts.iter().find(|context| context.id == id)
    }

    /// The context for objects of another one's abstract syntax, in explicit VR little endian, where there is one.
    pub fn native_context(&self, other: &AcceptedContext) -> Option<u8> {
        let same = |context: &&AcceptedContext| context.abstract_syntax == other.abstract_syntax;
        let mut native = self.contexts.iter().filter(same);
        native
            .find(|context| context.transfer_syntax.as_str() == EXPLICIT_LITTLE_ENDIAN)
            .map(|context| context.id)
    }

    pub fn leg(&self, side: Side) -> &Leg {
        match side {
            Side::Requestor => &self.requestor,
            Side::Upstream => &self.upstream,
        }
    }

    /// The leg that messages of this direction come from.
    pub fn from(&self, direction: Direction) -> &Leg {
        match direction {
            Direction::FromPeer => &self.requestor,
            Direction::ToPeer => &self.upstream,
        }
    }

    /// The leg that messages of this direction go to.
    pub fn to(&self, direction: Direction) -> &Leg {
        self.from(opposite(direction))
    }

    /// The packer of the leg that messages of this direction go to.
    pub fn packer(&self, direction: Direction) -> &AsyncMutex<Packer> {
        match direction {
            Direction::FromPeer => &self.to_upstream,
            Direction::ToPeer => &self.to_requestor,
        }
    }

    pub fn movement(&self, direction: Direction) -> &Movement {
        match direction {
            Direction::FromPeer => &self.progress.to_upstream,
            Direction::ToPeer => &self.progress.to_requestor,
        }
    }

    /// Whether the proxy stops and nothing keeps this association: no message is under way, no answer is waited for, and
    /// neither side has asked for the release, which then goes its own way.
    pub fn may_end(&self) -> bool {
        self.drains.load(Ordering::Relaxed)
            && self.progress.is_quiet()
            && self.ledger.is_empty()
            && !self.progress.is_releasing()
    }

    /// What the deadlines look at besides its progress.
    pub fn outlook(&self) -> Outlook {
        let (requestor, upstream) = (&self.requestor, &self.upstream);
        Outlook {
            moved: [
                requestor.received().saturating_add(upstream.sent()),
                upstream.received().saturating_add(requestor.sent()),
            ],
            waiting: [Direction::FromPeer, Direction::ToPeer]
                .map(|direction| self.ledger.waiting_since(direction)),
        }
    }

    /// Writes down an operation that is over. The wait is boxed, since a half that waits for its next read holds room for
    /// whatever it could wait for then.
    pub fn record(
        &self,
        direction: Direction,
        exchange: Box<Exchange>,
        answer: Answer,
    ) -> Pin<Box<impl Future<Output = ()>>> {
        let exchange = *exchange;
        self.tally.count(exchange.operation, |counts| match answer {
            Answer::Refused(..) => counts.refused += 1,
            Answer::Failed(..) | Answer::Never => counts.failure += 1,
            Answer::Nothing(_) => counts.success += 1,
            Answer::Status(status) => match status.outcome() {
                Outcome::Success | Outcome::Pending => counts.success += 1,
                Outcome::Warning => counts.warning += 1,
                Outcome::Failure => counts.failure += 1,
            },
        });
        let (status, reason) = match answer {
            Answer::Status(status) => (Some(status.0), None),
            Answer::Refused(status, reason) | Answer::Failed(status, reason) => {
                (Some(status.0), Some(reason.into()))
            }
            Answer::Nothing(reason) => (Some(Status::SUCCESS.0), Some(reason.into())),
            Answer::Never => (None, Some("never-answered".into())),
        };
        let duration = self.progress.now().saturating_duration_since(exchange.began);
        let (operation, message_id) = (exchange.operation.name(), exchange.message_id);
        let record = audit::Operation {
            sop_class: exchange.sop_class,
            sop_instance: exchange.sop_instance,
            new_sop_instance: exchange.new_sop_instance,
            data_set_sop_class: exchange.named.sop_class,
            data_set_sop_instance: exchange.named.sop_instance,
            study: exchange.study,
            new_study: exchange.new_study,
            rewritten: exchange.rewritten,
            patient: exchange.patient.map(audit::PatientIdentifier::new),
            query: exchange.query,
            move_destination: exchange.move_destination,
            status,
            bytes: exchange.bytes,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            reason,
            fault: exchange.fault,
            tolerated: exchange.tolerated,
            ..audit::Operation::new(self.id.clone(), operation, message_id, audited(direction))
        };
        self.write_down(record, matches!(answer, Answer::Refused(..)))
    }

    /// Writes down a request of no service that PS3.7 defines, which is refused.
    pub fn record_unrecognized(
        &self,
        direction: Direction,
        command: &Command,
        message_id: u16,
    ) -> Pin<Box<impl Future<Output = ()>>> {
        self.tally.unrecognized.fetch_add(1, Ordering::Relaxed);
        let record = audit::Operation {
            sop_class: command.sop_class(),
            sop_instance: command.sop_instance(),
            status: Some(Status::UNRECOGNIZED_OPERATION.0),
            reason: Some("unrecognized-operation".into()),
            tolerated: labels(command, ""),
            ..audit::Operation::new(self.id.clone(), UNRECOGNIZED, message_id, audited(direction))
        };
        self.write_down(record, true)
    }

    /// Those that are refused, and C-ECHOs, are gathered where they are many.
    fn write_down(&self, record: audit::Operation, refused: bool) -> Pin<Box<impl Future<Output = ()>>> {
        let is_echo = record.operation == Operation::CEcho.name();
        let event = Event::Operation(Box::new(record));
        let (refusals, peer) = (&self.gate.refusals, &self.grant.peer.name);
        let event = match refused {
            true => refusals.of_operation(peer, event),
            false if is_echo => refusals.of_echo(peer, event),
            false => Some(event),
        };
        Box::pin(async move {
            if let Some(event) = event {
                self.gate.audit.record(event).await;
            }
        })
    }
}

fn audited(direction: Direction) -> audit::Direction {
    match direction {
        Direction::FromPeer => audit::Direction::FromPeer,
        Direction::ToPeer => audit::Direction::ToPeer,
    }
}

/// The other way.
pub(crate) fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::FromPeer => Direction::ToPeer,
        Direction::ToPeer => Direction::FromPeer,
    }
}

/// The side that messages of this direction come from.
pub(crate) fn sender(direction: Direction) -> Side {
    match direction {
        Direction::FromPeer => Side::Requestor,
        Direction::ToPeer => Side::Upstream,
    }
}
