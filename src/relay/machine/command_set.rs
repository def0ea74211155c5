//! Between two messages, and inside a command set (PS3.7 §6.3, PS3.8 Annex E).

use super::admitted::{AwaitsPace, Paced};
use super::desk::Context;
use super::ended::Ended;
use super::response;
use super::state::{Break, Came, Next, State};
use super::swallowed::Swallowed;
use super::want::Question;
use crate::dimse::{Command, CommandField, Operation};
use crate::policy::Direction;
use crate::wire::{AbortReason, Kind, Malformed};

/// Fragments without bytes that one message may have: PS3.8 Annex E says that there are none.
const MOST_EMPTY: u32 = 1000;

/// The state between two messages: the first fragment of a command set is awaited, or the release.
pub(super) struct Between;

/// The rest of a command set is.
pub(super) struct InCommand {
    context_id: u8,
    bytes: Vec<u8>,
    empty: u32,
    /// It began while the proxy stops.
    is_late: bool,
}

impl Between {
    pub(super) fn handle(self, cx: &mut Context<'_>, came: &Came) -> Next {
        self.begins(cx, came).map_err(Break::between)?;
        cx.books.progress.under_way(cx.direction, true);
        let is_late = cx.books.is_late(cx.direction);
        InCommand { context_id: came.context_id, bytes: Vec::new(), empty: 0, is_late }.handle(cx, came)
    }

    fn begins(self, cx: &Context<'_>, came: &Came) -> Result<(), Ended> {
        if cx.books.release.was_asked_by(cx.sender()) {
            let what = "a message after its sender's A-RELEASE-RQ";
            return Err(cx.protocol(Malformed::new(AbortReason::UnexpectedPdu, what)));
        }
        match came.kind {
            Kind::Command => Ok(()),
            Kind::DataSet if cx.terms.context(came.context_id).is_none() => {
                Err(not_accepted(cx, came.context_id))
            }
            Kind::DataSet => {
                Err(cx.protocol(Malformed::invalid("a data set without a command set before it")))
            }
        }
    }
}

impl InCommand {
    pub(super) fn handle(mut self, cx: &mut Context<'_>, came: &Came) -> Next {
        self.take(cx, came).map_err(Break::inside)?;
        if came.last { self.complete(cx) } else { Ok(State::InCommand(self)) }
    }

    fn take(&mut self, cx: &Context<'_>, came: &Came) -> Result<(), Ended> {
        if came.kind != Kind::Command || came.context_id != self.context_id {
            return Err(of_another(cx, came.context_id));
        }
        let limit = cx.terms.max_command_length;
        if self.bytes.len() + came.range.len() > limit {
            let what = format!("a command set longer than {limit} bytes (max-command-length)");
            return Err(cx.protocol(Malformed::invalid(what)));
        }
        self.bytes.extend_from_slice(cx.desk.bytes(came.range.clone())?);
        count_empty(cx, &mut self.empty, came)
    }

    fn complete(self, cx: &mut Context<'_>) -> Next {
        let (context_id, is_late) = (self.context_id, self.is_late);
        let command = Command::parse(self.bytes);
        let command = command.map_err(|malformed| Break::between(cx.protocol(malformed)))?;
        let is_accepted = cx.terms.context(context_id).is_some();
        // A requestor that gives up a query may not know any more in which context it asked.
        let is_cancel = matches!(command.field, CommandField::Cancel { .. }) && !command.has_data_set;
        if !is_accepted && !is_cancel {
            return Err(Break::between(not_accepted(cx, context_id)));
        }
        let command = Box::new(command);
        let paced = match command.field {
            CommandField::Cancel { .. } if !is_accepted => Paced::StrayCancel,
            CommandField::Response { operation, responding_to, status } => {
                return response::handle(cx, context_id, command, operation, responding_to, status);
            }
            CommandField::Request { operation, .. } if is_late && !is_part(cx, operation) => {
                return Ok(leave_untaken(cx, context_id, &command));
            }
            CommandField::Request { operation, message_id } => Paced::Request { operation, message_id },
            CommandField::Cancel { responding_to } => Paced::Cancel { responding_to },
            CommandField::Unrecognized { field, message_id } => Paced::Unrecognized { field, message_id },
        };
        // What is refused costs as much as what is allowed.
        cx.ask(Question::PaceOfOperations);
        let began = cx.books.progress.now();
        Ok(State::AwaitsPace(AwaitsPace { context_id, command, paced, began }))
    }
}

/// A request that begins while the proxy stops goes nowhere, and the abort at the end tells its sender. What comes behind it may
/// belong to what is under way, so it is read to its end.
fn leave_untaken(cx: &mut Context<'_>, context_id: u8, command: &Command) -> State {
    let untaken = &mut cx.books.untaken;
    *(match cx.direction {
        Direction::FromPeer => &mut untaken.from_peer,
        Direction::ToPeer => &mut untaken.to_peer,
    }) = true;
    if command.has_data_set { Swallowed::of(context_id, None) } else { State::BETWEEN }
}

/// Whether a request is a part of an operation that is under way: a C-STORE of what a C-GET asked for (PS3.4 C.4.3).
fn is_part(cx: &Context<'_>, operation: Operation) -> bool {
    cx.direction == Direction::ToPeer
        && operation == Operation::CStore
        && cx.books.ledger.is_waiting(Direction::FromPeer, Operation::CGet)
}

/// A fragment that does not belong to the message that has begun.
pub(super) fn of_another(cx: &Context<'_>, context_id: u8) -> Ended {
    let what = format!("a fragment of context {context_id} inside a message of another context or kind");
    cx.protocol(Malformed::invalid(what))
}

/// Counts a fragment that has no bytes, of which a message may have a few only: they cost work and end nothing.
pub(super) fn count_empty(cx: &Context<'_>, empty: &mut u32, came: &Came) -> Result<(), Ended> {
    *empty += u32::from(came.range.is_empty());
    if *empty <= MOST_EMPTY {
        return Ok(());
    }
    Err(cx.protocol(Malformed::invalid(format!("more than {MOST_EMPTY} empty PDVs in one message"))))
}

fn not_accepted(cx: &Context<'_>, context_id: u8) -> Ended {
    let what = format!("a PDV of presentation context {context_id}, which was not accepted");
    cx.protocol(Malformed::invalid(what))
}
