//! A C-STORE whose data set goes on as it came, but not before it is known to be what its command says: the operation is
//! judged and recorded by its command, and an archive keeps the data set.

use super::association::Answer;
use super::command::DATA_SET_MISMATCH;
use super::ended::Ended;
use super::exchange::{Exchange, Labels, Named};
use super::phase::{Fate, Phase};
use super::pump::Half;
use crate::dataset::{Encoding, Names, Unnamed};
use crate::dimse::{self, Command, Status};

/// The label of records about data sets that do not tell what they are.
const DATA_SET_UNREADABLE: &str = "data-set-unreadable";

/// A command that waits for its data set to say the same.
pub(crate) struct Comparison {
    pub command: Box<Command>,
    names: Names,
    /// They are the same, and the command can go.
    is_done: bool,
}

/// Why a C-STORE goes nowhere.
pub(crate) enum Unlike {
    Other(Named),
    Unnamed(Unnamed),
}

impl Comparison {
    pub fn new(command: Box<Command>, encoding: Encoding) -> Self {
        Self { command, names: Names::new(encoding), is_done: false }
    }

    /// Whether the data set is known to be what its command says.
    pub fn is_done(&self) -> bool {
        self.is_done
    }

    /// Looks at the next bytes of the data set, with `last` at its end.
    fn look(&mut self, input: &[u8], last: bool) -> Result<(), Unlike> {
        if !self.names.look(input).map_err(Unlike::Unnamed)? {
            if !last {
                return Ok(());
            }
            self.names.finish().map_err(Unlike::Unnamed)?;
        }
        let (sop_class, sop_instance) = self.command.affected();
        let other = |name: Option<&[u8]>, expected: &[u8]| {
            name.filter(|name| *name != expected).map(crate::wire::escape)
        };
        let named = Named {
            sop_class: other(self.names.sop_class(), sop_class),
            sop_instance: other(self.names.sop_instance(), sop_instance),
        };
        if named != Named::default() {
            return Err(Unlike::Other(named));
        }
        self.is_done = true;
        Ok(())
    }

    /// Where the command alone says what the data set is, it is what the command says: labels for the record.
    pub fn tolerated(&self) -> Labels {
        let absent = [
            (self.names.sop_class(), "data-set-without-sop-class"),
            (self.names.sop_instance(), "data-set-without-sop-instance"),
        ];
        absent.into_iter().filter(|(name, _)| name.is_none()).map(|(_, label)| label.into()).collect()
    }
}

impl Half<'_> {
    /// Compares a C-STORE's data set with its command as far as it has come.
    pub(super) fn compare(&mut self, range: std::ops::Range<usize>, last: bool) -> Result<(), Unlike> {
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let Fate::Relay(relayed) = &mut state.fate else { return Ok(()) };
        let Some(comparison) = &mut relayed.comparison else { return Ok(()) };
        comparison.look(self.inbox.all().get(range).unwrap_or_default(), last)
    }

    /// The command of a data set that says the same, which can go, and its context. No comparison lives across a wait.
    pub(super) fn compared(&mut self) -> Option<(u8, Box<Command>)> {
        let Phase::DataSet(state) = &mut self.phase else { return None };
        let Fate::Relay(relayed) = &mut state.fate else { return None };
        let comparison = relayed.comparison.take_if(|comparison| comparison.is_done)?;
        let (context_id, request) = (state.to_context_id, state.request.unwrap_or_default());
        let labels = comparison.tolerated();
        if !labels.is_empty() {
            let tolerate = |exchange: &mut Exchange| exchange.tolerate(labels);
            self.association.ledger.update(self.direction, request, tolerate);
        }
        Some((context_id, comparison.command))
    }

    /// The data set is not what its command says, or nobody knows: neither goes on.
    pub(super) async fn refuse_unlike(&mut self, unlike: Unlike, last: bool) -> Result<(), Ended> {
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let request = state.request.unwrap_or_default();
        let nothing = Fate::Swallow { response: None, ends_with: None };
        let Fate::Relay(relayed) = std::mem::replace(&mut state.fate, nothing) else { return Ok(()) };
        let Some(comparison) = relayed.comparison else { return Ok(()) };
        self.spans.clear();
        let (status, label, comment, named) = unlike.told();
        if let Some(mut exchange) = self.association.ledger.close(self.direction, request) {
            exchange.named = named;
            self.association.record(self.direction, exchange, Answer::Refused(status, label)).await;
        }
        let response = Some(dimse::refusal(&comparison.command, status, &comment));
        if let Phase::DataSet(state) = &mut self.phase {
            state.fate = Fate::Swallow { response, ends_with: None };
        }
        if last { self.swallowed().await } else { Ok(()) }
    }
}

impl Unlike {
    /// Status, label of the record, Error Comment, and what the data set says instead.
    fn told(self) -> (Status, &'static str, String, Named) {
        match self {
            Self::Other(named) => {
                let what = match (&named.sop_class, &named.sop_instance) {
                    (Some(_), Some(_)) => "SOP class and instance",
                    (Some(_), None) => "SOP class",
                    _ => "SOP instance",
                };
                let comment = format!("the data set names another {what} than the command");
                (Status::DATA_SET_MISMATCH, DATA_SET_MISMATCH, comment, named)
            }
            Self::Unnamed(unnamed) => {
                (Status::CANNOT_UNDERSTAND, DATA_SET_UNREADABLE, unnamed.to_string(), Named::default())
            }
        }
    }
}
