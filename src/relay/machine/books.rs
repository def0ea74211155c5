//! What both directions of an association write down: which requests wait, what has moved, who has asked for the
//! release, what the closing record counts.

use std::time::{Duration, Instant};

use time::Date;

use super::answer::{Answer, status_of_cause};
use super::deadlines::Outlook;
use super::exchange::{Exchange, Ledger, labels};
use super::progress::Progress;
use super::release::Release;
use super::tally::{Tally, UNRECOGNIZED};
use super::terms::Terms;
use crate::audit;
use crate::dimse::{Command, Status};
use crate::metrics::{self, Done};
use crate::policy::Direction;
use crate::rewrite::patient_id_of;
use crate::vocabulary::Cause;

/// The books of one association.
pub(crate) struct Books {
    pub ledger: Ledger,
    pub progress: Progress,
    /// Which day it is, by whoever drives the machine.
    pub today: Date,
    pub release: Release,
    pub tally: Tally,
    /// The proxy stops: it ends as soon as nothing is under way, and no operation begins that is no part of one.
    pub draining: Option<Begun>,
    /// Where a request came that is not taken any more.
    pub untaken: Begun,
}

/// Whether some of the next message had come when the proxy was told to stop, or a request came since, from the peer and to it.
#[derive(Default)]
pub(crate) struct Begun {
    pub from_peer: bool,
    pub to_peer: bool,
}

/// A record of an operation that is over.
pub(crate) struct Entry {
    pub operation: Box<audit::Operation>,
    /// The same for whoever counts.
    pub done: Done,
}

impl Entry {
    /// Those that are refused are gathered where they are many.
    pub(crate) fn is_refusal(&self) -> bool {
        self.done.outcome == metrics::Outcome::Refused
    }
}

impl Books {
    pub(crate) fn new(began: Instant, today: Date) -> Self {
        Self {
            ledger: Ledger::default(),
            progress: Progress::new(began),
            today,
            release: Release::default(),
            tally: Tally::default(),
            draining: None,
            untaken: Begun::default(),
        }
    }

    /// Whether the message that begins now in this direction begins while the proxy stops.
    pub(super) fn is_late(&mut self, direction: Direction) -> bool {
        let Some(begun) = &mut self.draining else { return false };
        !std::mem::take(match direction {
            Direction::FromPeer => &mut begun.from_peer,
            Direction::ToPeer => &mut begun.to_peer,
        })
    }

    /// What the deadlines look at besides the progress; `moved` are the bytes read and written so far, those on their way to
    /// the upstream first.
    pub(crate) fn outlook(&self, moved: [u64; 2]) -> Outlook {
        let waiting = [Direction::FromPeer, Direction::ToPeer];
        Outlook { moved, waiting: waiting.map(|direction| self.ledger.waiting_since(direction)) }
    }

    /// Counts an operation that is over, and gives its record.
    pub(crate) fn record(
        &mut self,
        terms: &Terms,
        direction: Direction,
        exchange: Exchange,
        answer: Answer,
    ) -> Entry {
        let done = self.done(direction, &exchange, answer.outcome());
        self.tally.count(exchange.operation, |counts| {
            *(match done.outcome {
                metrics::Outcome::Success => &mut counts.success,
                metrics::Outcome::Warning => &mut counts.warning,
                metrics::Outcome::Failure => &mut counts.failure,
                metrics::Outcome::Refused => &mut counts.refused,
            }) += 1;
        });
        let (status, reason) = match answer {
            Answer::Status(status) => (Some(status.0), None),
            Answer::Instead(status, cause) => (Some(status.0), Some(cause)),
            Answer::Nothing(reason) => (Some(Status::SUCCESS.0), Some(reason)),
            Answer::Never => (None, Some(Cause::NeverAnswered)),
        };
        let (operation, message_id) = (exchange.operation.name(), exchange.message_id);
        let operation = Box::new(audit::Operation {
            sop_class: exchange.sop_class,
            sop_instance: exchange.sop_instance,
            new_sop_instance: exchange.new_sop_instance,
            data_set_sop_class: exchange.named.sop_class,
            data_set_sop_instance: exchange.named.sop_instance,
            study: exchange.study,
            new_study: exchange.new_study,
            rewritten: exchange.rewritten,
            originals: exchange.originals,
            patient: exchange.patient.map(|key| audit::PatientIdentifier::new(patient_id_of(&key).to_vec())),
            query: exchange.query,
            move_destination: exchange.move_destination,
            status,
            bytes: exchange.bytes,
            duration_ms: u64::try_from(done.took.as_millis()).unwrap_or(u64::MAX),
            reason: reason.map(|cause| cause.label().into()),
            fault: exchange.fault,
            tolerated: exchange.tolerated,
            withheld: exchange.granted.map(|granted| granted.withheld).filter(|withheld| *withheld > 0),
            agreement: agreement(terms),
            ..audit::Operation::new(terms.id.clone(), operation, message_id, audited(direction))
        });
        Entry { operation, done }
    }

    /// What is measured of an operation that is over: whoever asked was waited for until all of it had gone on, and then who
    /// answers was.
    fn done(&self, direction: Direction, exchange: &Exchange, outcome: metrics::Outcome) -> Done {
        let now = self.progress.now();
        let until = if exchange.sent { exchange.sent_at } else { now };
        let asked = until.saturating_duration_since(exchange.began);
        let answered = now.saturating_duration_since(until);
        let waited = match direction {
            Direction::FromPeer => [asked, answered],
            Direction::ToPeer => [answered, asked],
        };
        let took = now.saturating_duration_since(exchange.began);
        Done { operation: Some(exchange.operation), outcome, took, waited }
    }

    /// Counts a request of no service that PS3.7 defines, which is refused, and gives its record.
    pub(crate) fn record_unrecognized(
        &mut self,
        terms: &Terms,
        direction: Direction,
        command: &Command,
        message_id: u16,
    ) -> Entry {
        self.tally.unrecognized();
        let operation = Box::new(audit::Operation {
            sop_class: command.sop_class(),
            sop_instance: command.sop_instance(),
            status: Some(status_of_cause(Cause::UnrecognizedOperation).0),
            reason: Some(Cause::UnrecognizedOperation.label().into()),
            tolerated: labels(command, ""),
            agreement: agreement(terms),
            ..audit::Operation::new(terms.id.clone(), UNRECOGNIZED, message_id, audited(direction))
        });
        let done = Done {
            operation: None,
            outcome: metrics::Outcome::Refused,
            took: Duration::ZERO,
            waited: [Duration::ZERO; 2],
        };
        Entry { operation, done }
    }

    /// Records of what was never answered, once the association is over.
    pub(crate) fn unanswered(&mut self, terms: &Terms) -> Vec<Entry> {
        let left = self.ledger.drain().into_iter();
        left.map(|(direction, exchange)| {
            let answer = exchange.early.or(exchange.answered).unwrap_or(Answer::Never);
            self.record(terms, direction, *exchange, answer)
        })
        .collect()
    }
}

fn agreement(terms: &Terms) -> Option<String> {
    terms.grant.rights.agreement().map(|agreement| agreement.id.to_string())
}

fn audited(direction: Direction) -> audit::Direction {
    match direction {
        Direction::FromPeer => audit::Direction::FromPeer,
        Direction::ToPeer => audit::Direction::ToPeer,
    }
}
