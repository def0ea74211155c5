//! From the bytes of an established association to its messages, without I/O.
//!
//! ```text
//! inbox: | P-DATA-TF | PDV | command set ... || P-DATA-TF | PDV | data set ... | PDV | data set, last |
//!                            gathered, bounded                   lent where it lies
//! ```

use std::ops::Range;

use super::contexts::Contexts;
use super::terms::Terms;
use crate::buffer::Inbox;
use crate::dimse::Command;
use crate::wire::pdu::Abort;
use crate::wire::{AbortReason, Deframer, Event, Fragment, Kind, Malformed};

/// Fragments without a byte that may come in a row.
const MOST_EMPTY: u32 = 1024;

/// The next part of a message, or the end of the association.
#[derive(Debug)]
pub(super) enum Part {
    /// A whole command set. Where it says so, its data set is next.
    Command {
        context: u8,
        command: Command,
    },
    /// Bytes of a data set, where they lie in the inbox until its next read.
    Data {
        range: Range<usize>,
        last: bool,
    },
    ReleaseRq,
    ReleaseRp,
    Abort(Abort),
}

/// The reading side of an association.
#[derive(Debug)]
pub(super) struct Incoming {
    deframer: Deframer,
    accepted: Vec<u8>,
    max_command_length: usize,
    expecting: Expecting,
    empty: u32,
}

#[derive(Debug)]
enum Expecting {
    /// A command set, of which this much is there.
    Command { context: Option<u8>, bytes: Vec<u8> },
    /// More of a data set.
    DataSet { context: u8 },
}

impl Expecting {
    fn command() -> Self {
        Self::Command { context: None, bytes: Vec::new() }
    }
}

impl Incoming {
    pub(super) fn new(contexts: &Contexts, terms: &Terms) -> Self {
        let accepted = contexts.iter().filter(|context| context.agreed.is_ok());
        Self {
            deframer: Deframer::new(terms.max_pdu_length),
            accepted: accepted.map(|context| context.id).collect(),
            max_command_length: terms.max_command_length,
            expecting: Expecting::command(),
            empty: 0,
        }
    }

    /// Whether a message, or a PDU, has begun and not ended.
    pub(super) fn is_inside_message(&self) -> bool {
        self.deframer.is_inside_pdu() || !matches!(self.expecting, Expecting::Command { context: None, .. })
    }

    /// Takes what comes next out of the inbox. `None`: more has to be read first.
    ///
    /// # Errors
    /// [`Malformed`] for what breaks PS3.8 §9.3.5 and Annex E, fragments out of order, a context that was not accepted, a
    /// command set that is too long or cannot be read, and a release inside a message.
    pub(super) fn next(&mut self, inbox: &mut Inbox) -> Result<Option<Part>, Malformed> {
        loop {
            let (used, event) = self.deframer.next(inbox.unread())?;
            let end = inbox.position() + used;
            let Some(event) = event else {
                inbox.consume(used);
                match inbox.next_piece() {
                    true => continue,
                    false => return Ok(None),
                }
            };
            let part = match event {
                Event::Fragment(fragment) => self.fragment(fragment, end)?,
                Event::ReleaseRq | Event::ReleaseRp if self.is_inside_message() => {
                    let answers = matches!(event, Event::ReleaseRp);
                    let what = format!("an A-RELEASE-{} inside a message", if answers { "RP" } else { "RQ" });
                    return Err(Malformed::new(AbortReason::UnexpectedPdu, what));
                }
                Event::ReleaseRq => Some(Part::ReleaseRq),
                Event::ReleaseRp => Some(Part::ReleaseRp),
                Event::Abort(abort) => Some(Part::Abort(abort)),
            };
            inbox.consume(used);
            if part.is_some() {
                return Ok(part);
            }
        }
    }

    /// `end`: where its bytes end in the inbox.
    fn fragment(&mut self, fragment: Fragment<'_>, end: usize) -> Result<Option<Part>, Malformed> {
        let Fragment { context_id, kind, bytes, last } = fragment;
        if !self.accepted.contains(&context_id) {
            let what = format!("a {} fragment in context {context_id}, which was not accepted", name(kind));
            return Err(Malformed::invalid(what));
        }
        self.empty = if bytes.is_empty() && !last { self.empty + 1 } else { 0 };
        if self.empty > MOST_EMPTY {
            return Err(Malformed::invalid(format!(
                "more than {MOST_EMPTY} fragments in a row without a byte"
            )));
        }
        match (&mut self.expecting, kind) {
            (Expecting::Command { context, .. }, Kind::Command)
                if context.is_none_or(|begun| begun == context_id) =>
            {
                *context = Some(context_id);
                self.command(context_id, bytes, last)
            }
            (Expecting::DataSet { context }, Kind::DataSet) if *context == context_id => {
                if last {
                    self.expecting = Expecting::command();
                }
                let range = end - bytes.len()..end;
                Ok((last || !range.is_empty()).then_some(Part::Data { range, last }))
            }
            (expecting, kind) => Err(out_of_order(expecting, kind, context_id)),
        }
    }

    fn command(&mut self, context: u8, more: &[u8], last: bool) -> Result<Option<Part>, Malformed> {
        let Expecting::Command { bytes, .. } = &mut self.expecting else { return Ok(None) };
        if bytes.len() + more.len() > self.max_command_length {
            let limit = self.max_command_length;
            return Err(Malformed::invalid(format!("a command set of more than {limit} bytes")));
        }
        bytes.extend_from_slice(more);
        if !last {
            return Ok(None);
        }
        let command = Command::parse(std::mem::take(bytes))?;
        self.expecting = match command.has_data_set {
            true => Expecting::DataSet { context },
            false => Expecting::command(),
        };
        Ok(Some(Part::Command { context, command }))
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Command => "command",
        Kind::DataSet => "data set",
    }
}

fn out_of_order(expecting: &Expecting, kind: Kind, context: u8) -> Malformed {
    let expected = match expecting {
        Expecting::Command { context: None, .. } => "a command set".to_owned(),
        Expecting::Command { context: Some(begun), .. } => {
            format!("the rest of a command set in context {begun}")
        }
        Expecting::DataSet { context } => format!("the data set of a command in context {context}"),
    };
    Malformed::invalid(format!(
        "a {} fragment in context {context}, where {expected} is expected",
        name(kind)
    ))
}
