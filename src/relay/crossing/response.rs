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
use crate::dimse::Operation::{self, CStore, NCreate};
use crate::dimse::{self, Command, Failure, Outcome, Status};
use crate::rewrite::{Correspondence, Instance, RewriteError, Subject, Way};

/// The label of records about responses on another instance than was asked about.
const OTHER_INSTANCE: &str = "other-instance";

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
            return self.response_withheld(&command, &exchange, status, (&failed, REWRITE_FAILED)).await;
        }
        match self.response_across(&command, &exchange, status, way).await {
            Ok(Crossing { command: bytes, transform: Some(transform), .. }) => {
                let contexts = (exchange.sent_context_id, exchange.context_id);
                let origin = Origin::Response(Box::new(Crossed { response: command, exchange, status }));
                let rewritten =
                    Some(Box::new(Rewritten { origin, held: Some(bytes), native: None, room: None }));
                let relayed =
                    Relayed { transform, comparison: None, observer: None, identifier: None, rewritten };
                self.data_set(contexts, Fate::Relay(Box::new(relayed)));
                Ok(())
            }
            Ok(Crossing { command: bytes, .. }) => {
                self.answered(exchange.message_id, status).await;
                self.lock().await.command(exchange.context_id, &bytes);
                Ok(())
            }
            Err(Refused { status: failed, label, comment }) => {
                let fault = Box::new(audit::Fault::of(comment.clone()));
                let failed = Failure { status: failed, comment, offending: None };
                self.fail_later(&exchange, status, &failed, fault);
                self.response_withheld(&command, &exchange, status, (&failed, label)).await?;
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
        let owned = |made| Correspondence { patient: patient.cloned(), ..made };
        let (sop_instance, made) = self.response_instance(command, exchange, status, way)?;
        self.remembered(exchange.operation, made.into_iter().map(owned).collect()).await?;
        self.crossing(command, exchange, way, sop_instance, Subject::Attributes)
    }

    /// What the requestor calls the instance that a response names: the one that it asked about, or a new one, where the
    /// other side was to name what it made (PS3.7 §10.1.5.1.4). Of another, the requestor never hears.
    fn response_instance(
        &self,
        command: &Command,
        exchange: &Asked,
        status: Status,
        way: Way,
    ) -> Result<(Option<String>, Vec<Correspondence>), Refused> {
        let operation = exchange.operation;
        let named = command.sop_instance().filter(|uid| !uid.is_empty());
        let Some(named) = named else { return Ok((None, Vec::new())) };
        let sent = exchange.new_sop_instance.as_ref().or(exchange.sop_instance.as_ref());
        match sent.filter(|uid| !uid.is_empty()) {
            Some(sent) if *sent == named => Ok((exchange.sop_instance.clone(), Vec::new())),
            // What was not made needs no name.
            None if operation == NCreate && status.outcome() == Outcome::Failure => Ok((None, Vec::new())),
            None if operation == NCreate => {
                let Instance { uid, comes_back, made, .. } =
                    self.instance_across(operation, way, &named, false)?;
                if comes_back { Err(other_instance(operation)) } else { Ok((Some(uid), made)) }
            }
            _ => Err(other_instance(operation)),
        }
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
            self.tell_failure(&response, &exchange, (&failed, REWRITE_FAILED)).await;
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
        failed: (&Failure, &'static str),
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

    async fn tell_failure(
        &mut self,
        response: &Command,
        exchange: &Asked,
        (failed, label): (&Failure, &'static str),
    ) {
        let asked = opposite(self.direction);
        if let Some(exchange) = self.association.ledger.close(asked, exchange.message_id) {
            self.association.record(asked, exchange, Answer::Failed(failed.status, label)).await;
        }
        let response = dimse::failed_response(response, failed);
        self.lock().await.command(exchange.context_id, &response);
    }
}

fn other_instance(operation: Operation) -> Refused {
    let status = if operation == CStore { Status(0xC000) } else { Status::PROCESSING_FAILURE };
    Refused { status, label: OTHER_INSTANCE, comment: "the response names another SOP instance".into() }
}

/// The C-CANCEL-RQ that ends an operation of which more responses follow.
fn cancel(exchange: &Asked, status: Status) -> Option<Vec<u8>> {
    (status.outcome() == Outcome::Pending).then(|| dimse::cancel(exchange.message_id))
}
