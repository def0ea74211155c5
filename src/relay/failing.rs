//! Data sets that cannot be rewritten: who is told, and what is written down.

use super::association::Answer;
use super::command::DATA_SET_MISMATCH;
use super::ended::Ended;
use super::exchange::Named;
use super::message::query_of;
use super::phase::{Fate, Origin, Phase};
use super::pump::Half;
use crate::audit;
use crate::dimse::Command;
use crate::rewrite::RewriteError;
use crate::wire::AbortReason;
use crate::wire::pdu::Abort;

impl Half<'_> {
    /// A data set cannot be rewritten. Where nothing of it was sent on, the other side never hears of it; where
    /// something was, that side gets an A-ABORT and never a last fragment.
    pub(super) async fn rewrite_failed(&mut self, error: &RewriteError, last: bool) -> Result<(), Ended> {
        let Phase::DataSet(state) = &mut self.phase else { return Ok(()) };
        let request = state.request.unwrap_or_default();
        let nothing = Fate::Swallow { response: None, ends_with: None };
        let Fate::Relay(mut relayed) = std::mem::replace(&mut state.fate, nothing) else { return Ok(()) };
        self.spans.clear();
        if let Some(rewritten) = &mut relayed.rewritten {
            // Whoever is told now may take their time, and nobody has to wait for memory until then.
            rewritten.room = None;
        }
        let held = relayed.is_held();
        let ends_with = if held { None } else { Some(self.condemn(error).await) };
        self.association
            .span
            .in_scope(|| tracing::warn!(message_id = request, %error, "a data set could not be rewritten"));
        let query = relayed.identifier.take().map(|identifier| query_of(*identifier));
        let summary = relayed.transform.summary();
        let (tolerated, named) = (summary.tolerated, Named::instead(summary));
        let response = match relayed.rewritten.map(|rewritten| rewritten.origin) {
            Some(Origin::Request(command)) => {
                self.association.ledger.update(self.direction, request, |exchange| {
                    (exchange.query, exchange.named) = (query, named);
                    exchange.tolerate_in_data_set(tolerated);
                });
                self.request_unsent(&command, request, error).await
            }
            Some(Origin::Response(crossed)) if held => self.response_failed(*crossed, error).await?,
            _ => None,
        };
        if let Phase::DataSet(state) = &mut self.phase {
            state.fate = Fate::Swallow { response, ends_with };
        }
        if last { self.swallowed().await } else { Ok(()) }
    }

    /// What a request is answered whose data set could not be rewritten.
    async fn request_unsent(
        &mut self,
        command: &Command,
        message_id: u16,
        error: &RewriteError,
    ) -> Option<Vec<u8>> {
        let mut exchange = self.association.ledger.close(self.direction, message_id)?;
        exchange.fault = Some(fault_of(error));
        let (response, answer) = self.request_failed(command, exchange.operation, error);
        let answer = match answer {
            Answer::Failed(status, _) if exchange.named != Named::default() => {
                Answer::Refused(status, DATA_SET_MISMATCH)
            }
            answer => answer,
        };
        self.association.record(self.direction, exchange, answer).await;
        Some(response)
    }

    /// Aborts the leg that the data set was going to. The association ends once its sender knows.
    async fn condemn(&mut self, error: &RewriteError) -> Ended {
        let abort = Abort::provider(AbortReason::NotSpecified).to_pdu();
        let to = self.association.to(self.direction);
        to.condemn();
        let packer = self.lock().await;
        packer.forget();
        packer.clear();
        // A side that has gone does not need to hear it.
        let _ = to.write_pdu(&abort).await;
        self.writer = None;
        let detail =
            format!("a data set could not be rewritten after its beginning had been sent on: {error}");
        Ended::Policy { detail }
    }
}

/// What the record says of a data set that could not be rewritten.
pub(super) fn fault_of(error: &RewriteError) -> Box<audit::Fault> {
    Box::new(audit::Fault {
        element: error.element(),
        offset: error.offset,
        problem: error.problem.to_string().into(),
        expected: Some(error.problem.expected().into()),
    })
}
