//! Responses that cross, and those that cannot.

use super::super::association::{Answer, opposite};
use super::super::command::{REWRITE_FAILED, Refused};
use super::super::ended::Ended;
use super::super::exchange::{Asked, Exchange};
use super::super::failing::fault_of;
use super::super::phase::{DataSet, Fate, Origin, Phase, Relayed, Rewritten};
use super::super::pump::Half;
use super::{Crossing, failure_of};
use crate::audit;
use crate::dimse::{self, Command, Failure, Outcome, Status};
use crate::rewrite::{Correspondence, RewriteError, Subject, Way};

/// A response that waits for its data set.
pub(crate) struct Crossed {
    pub response: Command,
    pub exchange: Asked,
    pub status: Status,
}

impl Half<'_> {
    /// Sends a response across, or what stands for it.
    pub(in super::super) async fn cross_response(
        &mut self,
        command: Command,
        responding_to: u16,
        status: Status,
        way: Way,
    ) -> Result<(), Ended> {
        let asked = self.association.ledger.find(opposite(self.direction), responding_to, Exchange::asked);
        let Some(exchange) = asked else { return Ok(()) };
        if let Some(failed) = exchange.failed.clone() {
            return self.response_withheld(&command, &exchange, status, &failed).await;
        }
        match self.response_across(&command, &exchange, status, way).await {
            Ok(Crossing { command: bytes, transform: Some(transform), .. }) => {
                let contexts = (exchange.sent_context_id, exchange.context_id);
                let origin = Origin::Response(Box::new(Crossed { response: command, exchange, status }));
                let rewritten =
                    Some(Box::new(Rewritten { origin, held: Some(bytes), native: None, room: None }));
                let relayed = Relayed { transform, observer: None, identifier: None, rewritten };
                self.data_set(contexts, Fate::Relay(Box::new(relayed)));
                Ok(())
            }
            Ok(Crossing { command: bytes, .. }) => {
                self.answered(exchange.message_id, status).await;
                self.lock().await.command(exchange.context_id, &bytes);
                Ok(())
            }
            Err(Refused { status: failed, comment, .. }) => {
                let fault = Box::new(audit::Fault::of(comment.clone()));
                let failed = Failure { status: failed, comment, offending: None };
                self.fail_later(&exchange, status, &failed, fault);
                self.response_withheld(&command, &exchange, status, &failed).await?;
                match cancel(&exchange, status) {
                    Some(cancel) if self.phase.is_idle() => {
                        self.answer(exchange.sent_context_id, &cancel).await
                    }
                    Some(cancel) => {
                        let fate = Fate::Swallow { response: Some(cancel), ends_with: None };
                        self.data_set((exchange.sent_context_id, exchange.context_id), fate);
                        Ok(())
                    }
                    None => Ok(()),
                }
            }
        }
    }

    async fn response_across(
        &self,
        command: &Command,
        exchange: &Asked,
        status: Status,
        way: Way,
    ) -> Result<Crossing, Refused> {
        let patient = exchange.patient.as_ref().filter(|patient| !patient.is_empty());
        let owned = |claim: &Correspondence| Correspondence { patient: patient.cloned(), ..claim.clone() };
        if matches!(status.outcome(), Outcome::Success | Outcome::Warning) {
            self.remembered(exchange.operation, exchange.claims.iter().map(owned).collect()).await?;
        }
        let sent = exchange.new_sop_instance.as_ref().or(exchange.sop_instance.as_ref());
        let (sop_instance, made) = match command.sop_instance() {
            Some(uid) if Some(&uid) == sent => (exchange.sop_instance.clone(), Vec::new()),
            Some(uid) => self.instance_across(exchange.operation, way, &uid, false)?,
            None => (None, Vec::new()),
        };
        self.remembered(exchange.operation, made.iter().map(owned).collect()).await?;
        self.crossing(command, exchange, way, sop_instance, Subject::Attributes)
    }

    /// The data set of a response has crossed whole.
    pub(in super::super) async fn response_complete(&mut self) {
        let Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) = &mut self.phase else { return };
        let summary = relayed.transform.summary();
        let (elements, tolerated) = (summary.elements, summary.tolerated);
        let Some(Rewritten { origin: Origin::Response(crossed), .. }) = relayed.rewritten.take().map(|r| *r)
        else {
            return;
        };
        self.association.tally.changed(elements);
        let note = |exchange: &mut Exchange| exchange.tolerate_in_data_set(tolerated);
        self.association.ledger.update(opposite(self.direction), crossed.exchange.message_id, note);
        Box::pin(self.answered(crossed.exchange.message_id, crossed.status)).await;
    }

    /// The data set of a response could not cross, and nothing of it was sent. Gives what its sender is told.
    pub(in super::super) async fn response_failed(
        &mut self,
        Crossed { response, exchange, status }: Crossed,
        error: &RewriteError,
    ) -> Result<Option<Vec<u8>>, Ended> {
        let failed = failure_of(exchange.operation, error);
        self.fail_later(&exchange, status, &failed, fault_of(error));
        if status.outcome() != Outcome::Pending {
            self.tell_failure(&response, &exchange, &failed).await;
        }
        Ok(cancel(&exchange, status))
    }

    /// Notes what is wrong for the record, and where more responses follow, for the last of them.
    fn fail_later(&self, exchange: &Asked, status: Status, failed: &Failure, fault: Box<audit::Fault>) {
        let asked = opposite(self.direction);
        self.association.ledger.update(asked, exchange.message_id, |exchange| {
            exchange.fault = Some(fault);
            if status.outcome() == Outcome::Pending {
                exchange.failed = Some(failed.clone());
            }
        });
    }

    /// A response of an operation that has failed here: all but the last are dropped.
    async fn response_withheld(
        &mut self,
        command: &Command,
        exchange: &Asked,
        status: Status,
        failed: &Failure,
    ) -> Result<(), Ended> {
        if status.outcome() != Outcome::Pending {
            self.tell_failure(command, exchange, failed).await;
        }
        if command.has_data_set {
            self.data_set(
                (exchange.sent_context_id, exchange.context_id),
                Fate::Swallow { response: None, ends_with: None },
            );
        }
        Ok(())
    }

    async fn tell_failure(&mut self, response: &Command, exchange: &Asked, failed: &Failure) {
        let asked = opposite(self.direction);
        if let Some(exchange) = self.association.ledger.close(asked, exchange.message_id) {
            self.association.record(asked, exchange, Answer::Failed(failed.status, REWRITE_FAILED)).await;
        }
        let response = dimse::failed_response(response, failed);
        self.lock().await.command(exchange.context_id, &response);
    }
}

/// The C-CANCEL-RQ that ends an operation of which more responses follow.
fn cancel(exchange: &Asked, status: Status) -> Option<Vec<u8>> {
    (status.outcome() == Outcome::Pending).then(|| dimse::cancel(exchange.message_id))
}
