//! Where a half is in its message: between two, inside a command set, or inside a data set (PS3.7 §6.3, PS3.8 Annex E).

use std::ops::Range;

use super::association::sender;

use super::ended::Ended;
use super::exchange::Exchange;
use super::phase::{DataSet, Fate, Phase};
use super::pump::Half;
use crate::audit::Query;
use crate::crosswalk::NotStored;
use crate::dataset::{Identifier, Observer};
use crate::dimse::{Command, CommandField};
use crate::rewrite::{Correspondence, RewriteError, Step};
use crate::wire::{AbortReason, Kind, Malformed, Source, Span};

/// Fragments without bytes that one message may have: PS3.8 Annex E says that there are none.
const MOST_EMPTY: u32 = 1000;

impl Half<'_> {
    /// Passes on a fragment in the middle of a data set that nobody looks at, which nearly all bytes are of: there is nothing
    /// to decide and nothing to wait for. `false`: it was not one.
    pub(super) fn passes_on(&mut self, context_id: u8, kind: Kind, range: &Range<usize>, last: bool) -> bool {
        match &mut self.phase {
            Phase::DataSet(DataSet { context_id: current, fate: Fate::Relay(relayed), bytes, .. })
                if *current == context_id
                    && kind == Kind::DataSet
                    && !(last || range.is_empty())
                    && relayed.only_passes_on() =>
            {
                *bytes += range.len() as u64;
                self.spans.push(Span { source: Source::Input, range: range.clone() });
                true
            }
            _ => false,
        }
    }

    /// A fragment came; `range` is where its bytes lie in the inbox.
    pub(super) async fn fragment(
        &mut self,
        context_id: u8,
        kind: Kind,
        range: Range<usize>,
        last: bool,
    ) -> Result<(), Ended> {
        if self.phase.is_idle() {
            self.begin(context_id, kind)?;
        }
        match (&mut self.phase, kind) {
            (Phase::Command { context_id: current, bytes, empty }, Kind::Command)
                if *current == context_id =>
            {
                *empty += u32::from(range.is_empty());
                let (limit, empty) = (self.association.max_command_length, *empty);
                if bytes.len() + range.len() > limit {
                    let what = format!("a command set longer than {limit} bytes (max-command-length)");
                    return Err(self.protocol(Malformed::invalid(what)));
                }
                bytes.extend_from_slice(self.inbox.all().get(range).unwrap_or_default());
                self.few_empty(empty)?;
                if last { self.command_complete(context_id).await } else { Ok(()) }
            }
            (Phase::DataSet(state), Kind::DataSet) if state.context_id == context_id => {
                state.bytes += range.len() as u64;
                state.empty += u32::from(range.is_empty());
                let empty = state.empty;
                self.few_empty(empty)?;
                self.data(range, last).await
            }
            _ => {
                let what =
                    format!("a fragment of context {context_id} inside a message of another context or kind");
                Err(self.protocol(Malformed::invalid(what)))
            }
        }
    }

    fn begin(&mut self, context_id: u8, kind: Kind) -> Result<(), Ended> {
        if self.association.release.was_asked_by(sender(self.direction)) {
            let what = "a message after its sender's A-RELEASE-RQ";
            return Err(self.protocol(Malformed::new(AbortReason::UnexpectedPdu, what)));
        }
        if kind == Kind::DataSet && self.association.context(context_id).is_none() {
            return Err(self.not_accepted(context_id));
        }
        if kind == Kind::DataSet {
            return Err(self.protocol(Malformed::invalid("a data set without a command set before it")));
        }
        self.association.progress.under_way(self.association.movement(self.direction), true);
        self.phase = Phase::Command { context_id, bytes: Vec::new(), empty: 0 };
        Ok(())
    }

    fn not_accepted(&self, context_id: u8) -> Ended {
        let what = format!("a PDV of presentation context {context_id}, which was not accepted");
        self.protocol(Malformed::invalid(what))
    }

    fn few_empty(&self, empty: u32) -> Result<(), Ended> {
        match empty {
            0..=MOST_EMPTY => Ok(()),
            _ => Err(self
                .protocol(Malformed::invalid(format!("more than {MOST_EMPTY} empty PDVs in one message")))),
        }
    }

    async fn command_complete(&mut self, context_id: u8) -> Result<(), Ended> {
        let Phase::Command { bytes, .. } = std::mem::replace(&mut self.phase, Phase::Idle) else {
            return Ok(());
        };
        let command = Command::parse(bytes).map_err(|malformed| self.protocol(malformed))?;
        if self.association.context(context_id).is_none() {
            // A requestor that gives up a query may not know any more in which context it asked.
            let is_ignored = matches!(command.field, CommandField::Cancel { .. }) && !command.has_data_set;
            return if is_ignored { Ok(()) } else { Err(self.not_accepted(context_id)) };
        }
        self.command(context_id, Box::new(command)).await
    }

    async fn data(&mut self, range: Range<usize>, last: bool) -> Result<(), Ended> {
        if let Err(unlike) = self.compare(range.clone(), last) {
            return Box::pin(self.refuse_unlike(unlike, last)).await;
        }
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let Fate::Relay(relayed) = &mut state.fate else {
            return if last { Box::pin(self.swallowed()).await } else { Ok(()) };
        };
        let input = self.inbox.all().get(range.clone()).unwrap_or_default();
        if let Some(observer) = &mut relayed.observer {
            observer.observe(input);
        }
        if let Some(identifier) = &mut relayed.identifier {
            identifier.observe(input);
        }
        let mut at = 0;
        match self.next_step(&range, &mut at, last) {
            Ok(Step::Done) => self.data_taken(Ok(()), last).await,
            Ok(step) => Box::pin(self.in_steps(range, at, step, last)).await,
            Err(error) => self.data_taken(Err(error), last).await,
        }
    }

    /// What the transform took whole, or could not.
    pub(super) async fn data_taken(
        &mut self,
        mut result: Result<(), RewriteError>,
        last: bool,
    ) -> Result<(), Ended> {
        let Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) = &mut self.phase else {
            return Ok(());
        };
        let settled = relayed.transform.settled() && !relayed.is_being_compared();
        if result.is_ok() && (settled || last) {
            result = self.remember().await;
        }
        match result {
            Err(error) => Box::pin(self.rewrite_failed(&error, last)).await,
            Ok(()) if last => self.data_set_complete().await,
            Ok(()) if settled => self.release_held().await,
            Ok(()) => Ok(()),
        }
    }

    /// Before anything goes out that has a pseudonym in it, what that stands for is on the disk: of a header before the
    /// command set, of what comes later before the fragment that it is in.
    pub(super) async fn remember(&mut self) -> Result<(), RewriteError> {
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let Fate::Relay(relayed) = &mut state.fate else { return Ok(()) };
        let made = relayed.transform.take_correspondences();
        // Asked after each fragment, and nearly never is there one.
        if made.is_empty() { Ok(()) } else { Box::pin(self.store(made)).await }
    }

    pub(super) async fn store(&self, made: Vec<Correspondence>) -> Result<(), RewriteError> {
        let Some(crosswalk) = self.association.crosswalk.as_ref().filter(|_| !made.is_empty()) else {
            return Ok(());
        };
        self.paced(crosswalk.store(made)).await.map_err(|not_stored| match not_stored {
            NotStored::Unavailable => RewriteError::not_remembered(),
            NotStored::Taken => RewriteError::pseudonym_taken(),
        })
    }

    /// Sends the command set that waited for its data set.
    pub(super) async fn release_held(&mut self) -> Result<(), Ended> {
        if let Some((context_id, command)) = self.compared() {
            self.lock().await.command(context_id, command.bytes());
            return Ok(());
        }
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let Fate::Relay(relayed) = &mut state.fate else { return Ok(()) };
        let Some(rewritten) = &mut relayed.rewritten else { return Ok(()) };
        if let Some(command) = rewritten.held.take() {
            if let Some(native) = rewritten.native.filter(|_| relayed.transform.decodes()) {
                state.to_context_id = native;
                let request = state.request.unwrap_or_default();
                let moved = |exchange: &mut Exchange| exchange.sent_context_id = native;
                self.association.ledger.update(self.direction, request, moved);
            }
            let context_id = state.to_context_id;
            self.lock().await.command(context_id, &command);
        }
        Ok(())
    }

    async fn data_set_complete(&mut self) -> Result<(), Ended> {
        self.release_held().await?;
        self.note_data_set();
        self.response_complete().await;
        if let Phase::DataSet(state) = &self.phase {
            let context_id = state.to_context_id;
            self.pack_data_set(context_id, true);
        }
        self.phase = Phase::Idle;
        Ok(())
    }

    /// Tells the request's record what its data set held.
    fn note_data_set(&mut self) {
        let Phase::DataSet(state) = &mut self.phase else { return };
        let Some(message_id) = state.request else { return };
        let Fate::Relay(relayed) = &mut state.fate else { return };
        let query = relayed.identifier.take().map(|identifier| query_of(*identifier));
        let summary = relayed.transform.summary();
        self.association.tally.changed(summary.elements);
        let observer = relayed.observer.as_ref();
        let now = self.association.progress.now();
        let rewritten = relayed.rewritten.is_some().then_some(summary.elements);
        self.association.ledger.update(self.direction, message_id, |exchange| {
            (exchange.sent, exchange.sent_at) = (true, now);
            exchange.bytes = state.bytes;
            exchange.rewritten = rewritten;
            let study =
                observer.and_then(Observer::study_instance_uid).or(summary.study_instance_uid.as_deref());
            let patient = observer.and_then(Observer::patient_id).or(summary.patient_id.as_deref());
            exchange.study = study.map(crate::wire::escape);
            let patient = patient.filter(|patient| !is_pattern(patient)).map(<[u8]>::to_vec);
            let patient = relayed.transform.patient().map(<[u8]>::to_vec).or(patient);
            exchange.patient = patient.or(exchange.patient.take());
            exchange.own_schedule = relayed.transform.asks_own_schedule();
            exchange.query = query;
            exchange.tolerate_in_data_set(summary.tolerated);
            exchange.new_study = summary.new_study_instance_uid.as_deref().map(crate::wire::escape);
        });
    }

    pub(super) async fn swallowed(&mut self) -> Result<(), Ended> {
        let Phase::DataSet(state) = std::mem::replace(&mut self.phase, Phase::Idle) else { return Ok(()) };
        let Fate::Swallow { response, ends_with } = state.fate else { return Ok(()) };
        if let Some(response) = response {
            self.answer(state.context_id, &response).await?;
        }
        ends_with.map_or(Ok(()), Err)
    }
}

/// What the record says of a query.
pub(super) fn query_of(identifier: Identifier) -> Box<Query> {
    let (transfer_syntax, keys) = (identifier.transfer_syntax(), identifier.keys());
    Box::new(Query::new(transfer_syntax, keys, identifier.into_bytes()))
}

/// Whether a Patient ID is one that is looked for with wildcards, or several.
fn is_pattern(patient: &[u8]) -> bool {
    patient.iter().any(|b| matches!(b, b'*' | b'?' | b'\\'))
}
