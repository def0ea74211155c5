//! Messages that cross the boundary between real values and pseudonyms, where a peer's rewrite goes two ways.
//!
//! A command set waits for its data set until that can be trusted. A request that cannot cross is answered here, and the
//! other side never hears of it. A response that cannot cross is withheld: its sender is told to stop where it can be, and
//! the requestor learns why in the place of the last response.

use std::sync::Arc;

use time::OffsetDateTime;

use super::association::{Answer, opposite};
use super::command::{REWRITE_FAILED, Refused};
use super::ended::Ended;
use super::exchange::{Asked, Exchange};
use super::message::{DataSet, Fate, Origin, Phase, Relayed, Rewritten};
use super::pump::Half;
use crate::dataset::Identifier;
use crate::dimse::{self, Command, FreeText, Operation, Outcome, Status};
use crate::policy::Content;
use crate::rewrite::{
    Correspondence, Correspondences, Expected, Kind, RewriteError, RewriteProblem, Ruleset, Subject,
    Transform, Unavailable, Way,
};

/// The label of records about identifiers that stand for nothing on the other side.
const UNKNOWN_PSEUDONYM: &str = "unknown-pseudonym";
/// The label of records about instances whose originals they could replace.
const DUPLICATE: &str = "duplicate-instance";

/// A message as it goes on.
struct Crossing {
    command: Vec<u8>,
    /// What its SOP instance UID became.
    sop_instance: Option<String>,
    /// To be remembered once the instance is there.
    claims: Vec<Correspondence>,
    /// By the real Patient ID, where the instance tells.
    patient: Option<Vec<u8>>,
    transform: Option<Transform>,
}

/// A response that waits for its data set.
pub(crate) struct Crossed {
    pub response: Command,
    pub exchange: Asked,
    pub status: Status,
}

impl Half<'_> {
    /// Sends a request across, or answers it.
    pub(super) async fn cross_request(
        &mut self,
        command: Command,
        mut exchange: Exchange,
        (way, content): (Way, Content),
    ) -> Result<(), Ended> {
        let crossing = match self.request_across(&command, &exchange, way, content).await {
            Ok(crossing) => crossing,
            Err(refused) => return self.refuse_exchange(&command, exchange, refused).await,
        };
        let Crossing { command: bytes, sop_instance, claims, patient, transform } = crossing;
        exchange.new_sop_instance = sop_instance.filter(|uid| Some(uid) != exchange.sop_instance.as_ref());
        (exchange.claims, exchange.patient) = (claims, patient);
        let context_id = exchange.context_id;
        let Some(transform) = transform else {
            self.association.ledger.open(self.direction, exchange);
            self.lock().await.command(context_id, &bytes);
            return Ok(());
        };
        let encoding = self.association.context(context_id).and_then(|context| context.encoding);
        let identifier = encoding.filter(|_| content == Content::Keys).map(Identifier::new).map(Box::new);
        let rewritten = Some(Box::new(Rewritten { origin: Origin::Request(command), held: Some(bytes) }));
        self.begin_data_set(&exchange, Relayed { transform, observer: None, identifier, rewritten });
        self.association.ledger.open(self.direction, exchange);
        Ok(())
    }

    async fn request_across(
        &self,
        command: &Command,
        exchange: &Exchange,
        way: Way,
        content: Content,
    ) -> Result<Crossing, Refused> {
        use Operation::{NAction, NDelete, NGet, NSet};
        if content != Content::Attributes && !command.has_data_set {
            return Err(cannot("a request without the data set that it needs"));
        }
        let exists = matches!(exchange.operation, NAction | NDelete | NGet | NSet);
        let (sop_instance, made) = match &exchange.sop_instance {
            Some(uid) => self.instance_across(exchange.operation, way, uid, exists)?,
            None => (None, Vec::new()),
        };
        let comes_back = way == Way::ToReal && sop_instance != exchange.sop_instance;
        let mut claims = Vec::new();
        match content {
            Content::Object if comes_back => {
                let comment = "the original of this instance is on the other side".into();
                return Err(Refused { status: Status::DUPLICATE_INSTANCE, label: DUPLICATE, comment });
            }
            // The data set says the same, and whose it is.
            Content::Object => {}
            // Whoever names an instance that is not there yet could mean one of the other side.
            _ if exchange.operation == Operation::NCreate => claims = made,
            _ => self.remembered(exchange.operation, made).await?,
        }
        let patient = self.patient_of(exchange, way)?;
        let subject = match content {
            Content::Object => Subject::Object(expected(exchange)?),
            Content::Keys => Subject::Keys,
            Content::Attributes => Subject::Attributes,
        };
        let asked = Asked { patient: patient.clone(), ..exchange.asked() };
        Ok(Crossing { claims, patient, ..self.crossing(command, &asked, way, sop_instance, subject)? })
    }

    /// The real Patient ID that an instance from the world of pseudonyms belongs to, where that is known.
    fn patient_of(&self, exchange: &Exchange, way: Way) -> Result<Option<Vec<u8>>, Refused> {
        let Some(uid) = exchange.sop_instance.as_ref().filter(|_| way == Way::ToReal) else {
            return Ok(None);
        };
        let (_, known) = self.boundary()?;
        let found = known.behind(Kind::Uid, uid.as_bytes());
        let found =
            found.map_err(|Unavailable| refused(exchange.operation, &RewriteError::not_remembered()))?;
        Ok(found.and_then(|found| found.patient))
    }

    /// Sends a response across, or what stands for it.
    pub(super) async fn cross_response(
        &mut self,
        command: Command,
        responding_to: u16,
        status: Status,
        way: Way,
    ) -> Result<(), Ended> {
        let asked = self.association.ledger.find(opposite(self.direction), responding_to, Exchange::asked);
        let Some(exchange) = asked else { return Ok(()) };
        if let Some((failed, comment)) = exchange.failed.clone() {
            return self.response_withheld(&command, &exchange, status, failed, &comment).await;
        }
        match self.response_across(&command, &exchange, status, way).await {
            Ok(Crossing { command: bytes, transform: Some(transform), .. }) => {
                let context_id = exchange.context_id;
                let origin = Origin::Response(Box::new(Crossed { response: command, exchange, status }));
                let rewritten = Some(Box::new(Rewritten { origin, held: Some(bytes) }));
                let relayed = Relayed { transform, observer: None, identifier: None, rewritten };
                self.data_set(context_id, Fate::Relay(Box::new(relayed)));
                Ok(())
            }
            Ok(Crossing { command: bytes, .. }) => {
                self.answered(&exchange, status).await;
                self.lock().await.command(exchange.context_id, &bytes);
                Ok(())
            }
            Err(Refused { status: failed, comment, .. }) => {
                self.fail_later(&exchange, status, failed, &comment);
                self.response_withheld(&command, &exchange, status, failed, &comment).await?;
                match cancel(&exchange, status) {
                    Some(cancel) if self.phase.is_idle() => self.answer(exchange.context_id, &cancel).await,
                    Some(cancel) => {
                        let fate = Fate::Swallow { response: Some(cancel), ends_with: None };
                        self.data_set(exchange.context_id, fate);
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
        if matches!(status.outcome(), Outcome::Success | Outcome::Warning) {
            let owned = |claim: &Correspondence| Correspondence {
                patient: exchange.patient.clone(),
                ..claim.clone()
            };
            self.remembered(exchange.operation, exchange.claims.iter().map(owned).collect()).await?;
        }
        let sent = exchange.new_sop_instance.as_ref().or(exchange.sop_instance.as_ref());
        let (sop_instance, made) = match command.sop_instance() {
            Some(uid) if Some(&uid) == sent => (exchange.sop_instance.clone(), Vec::new()),
            Some(uid) => self.instance_across(exchange.operation, way, &uid, false)?,
            None => (None, Vec::new()),
        };
        self.remembered(exchange.operation, made).await?;
        self.crossing(command, exchange, way, sop_instance, Subject::Attributes)
    }

    fn crossing(
        &self,
        command: &Command,
        exchange: &Asked,
        way: Way,
        sop_instance: Option<String>,
        subject: Subject,
    ) -> Result<Crossing, Refused> {
        let text = if way == Way::ToPseudonyms { FreeText::Withheld } else { FreeText::Passes };
        let bytes = dimse::across(command, sop_instance.as_deref(), text);
        let transform = match command.has_data_set {
            true => Some(self.transform_across(exchange, way, subject)?),
            false => None,
        };
        Ok(Crossing { command: bytes, sop_instance, claims: Vec::new(), patient: None, transform })
    }

    fn transform_across(&self, exchange: &Asked, way: Way, subject: Subject) -> Result<Transform, Refused> {
        let (rules, known) = self.boundary()?;
        let encoding = self.association.context(exchange.context_id).and_then(|context| context.encoding);
        let encoding = encoding.ok_or_else(|| cannot("this transfer syntax cannot be rewritten"))?;
        let (peer, is_object) = (&self.association.grant.peer, matches!(subject, Subject::Object(_)));
        let transform = Transform::across(Arc::clone(rules), way, subject, encoding)
            .for_peer(Arc::clone(&peer.name))
            .of_tenant(peer.tenant.clone())
            .with_crosswalk(known)
            .on(OffsetDateTime::now_utc().date())
            .about(exchange.patient.clone());
        // Only objects count.
        Ok(match is_object {
            true => transform.numbered(self.association.tally.next_number(self.direction)),
            false => transform,
        })
    }

    /// What the SOP instance UID of a command becomes, and what is to be remembered for it.
    fn instance_across(
        &self,
        operation: Operation,
        way: Way,
        uid: &str,
        exists: bool,
    ) -> Result<(Option<String>, Vec<Correspondence>), Refused> {
        let (rules, known) = self.boundary()?;
        let across = rules.instance_across(way, uid, exists, known);
        let across = across.map_err(|error| refused(operation, &error))?;
        let (new, made) = across.ok_or_else(|| Refused {
            status: Status::NO_SUCH_INSTANCE,
            label: UNKNOWN_PSEUDONYM,
            comment: "no such SOP instance".into(),
        })?;
        Ok((Some(new), made))
    }

    async fn remembered(&self, operation: Operation, made: Vec<Correspondence>) -> Result<(), Refused> {
        self.store(made).await.map_err(|error| refused(operation, &error))
    }

    fn boundary(&self) -> Result<(&Arc<Ruleset>, Arc<dyn Correspondences>), Refused> {
        let both = self.association.ruleset.as_ref().zip(self.association.crosswalk.clone());
        let (rules, crosswalk) = both.ok_or_else(|| cannot("the rewrite or its crosswalk is gone"))?;
        Ok((rules, crosswalk))
    }

    /// The data set of a response has crossed whole.
    pub(super) async fn response_complete(&mut self) {
        let Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) = &mut self.phase else { return };
        let elements = relayed.transform.summary().elements;
        let Some(Rewritten { origin: Origin::Response(crossed), .. }) = relayed.rewritten.take().map(|r| *r)
        else {
            return;
        };
        self.association.tally.changed(elements);
        self.answered(&crossed.exchange, crossed.status).await;
    }

    /// Writes an operation down that has had its last response.
    async fn answered(&self, exchange: &Asked, status: Status) {
        let asked = opposite(self.direction);
        if status.outcome() != Outcome::Pending
            && let Some(exchange) = self.association.ledger.close(asked, exchange.message_id)
        {
            self.association.record(asked, exchange, Answer::Status(status)).await;
        }
    }

    /// The data set of a response could not cross, and nothing of it was sent. Gives what its sender is told.
    pub(super) async fn response_failed(
        &mut self,
        Crossed { response, exchange, status }: Crossed,
        error: &RewriteError,
    ) -> Result<Option<Vec<u8>>, Ended> {
        let failed = status_of(exchange.operation, error);
        self.fail_later(&exchange, status, failed, &error.comment());
        if status.outcome() != Outcome::Pending {
            self.tell_failure(&response, &exchange, failed, &error.comment()).await;
        }
        Ok(cancel(&exchange, status))
    }

    fn fail_later(&self, exchange: &Asked, status: Status, failed: Status, comment: &str) {
        if status.outcome() == Outcome::Pending {
            let asked = opposite(self.direction);
            self.association.ledger.update(asked, exchange.message_id, |exchange| {
                exchange.failed = Some((failed, comment.to_owned()));
            });
        }
    }

    /// A response of an operation that has failed here: all but the last are dropped.
    async fn response_withheld(
        &mut self,
        command: &Command,
        exchange: &Asked,
        status: Status,
        failed: Status,
        comment: &str,
    ) -> Result<(), Ended> {
        if status.outcome() != Outcome::Pending {
            self.tell_failure(command, exchange, failed, comment).await;
        }
        if command.has_data_set {
            self.data_set(exchange.context_id, Fate::Swallow { response: None, ends_with: None });
        }
        Ok(())
    }

    async fn tell_failure(&mut self, response: &Command, exchange: &Asked, failed: Status, comment: &str) {
        let asked = opposite(self.direction);
        if let Some(exchange) = self.association.ledger.close(asked, exchange.message_id) {
            self.association.record(asked, exchange, Answer::Failed(failed, REWRITE_FAILED)).await;
        }
        let response = dimse::failed_response(response, failed, comment);
        self.lock().await.command(exchange.context_id, &response);
    }

    /// What a request is answered whose data set cannot cross, and how that is written down.
    pub(super) fn request_failed(
        &self,
        request: &Command,
        operation: Operation,
        error: &RewriteError,
    ) -> (Vec<u8>, Answer) {
        use Operation::{CFind, CGet, CMove};
        let looks_for = matches!(operation, CFind | CGet | CMove);
        if error.problem == RewriteProblem::MatchesNothing && looks_for {
            return (dimse::nothing_matches(request), Answer::Nothing(UNKNOWN_PSEUDONYM));
        }
        let status = status_of(operation, error);
        (dimse::refusal(request, status, &error.comment()), Answer::Failed(status, REWRITE_FAILED))
    }
}

fn cannot(comment: &str) -> Refused {
    Refused { status: Status(0xC000), label: REWRITE_FAILED, comment: comment.into() }
}

fn refused(operation: Operation, error: &RewriteError) -> Refused {
    Refused { status: status_of(operation, error), label: REWRITE_FAILED, comment: error.comment() }
}

fn expected(exchange: &Exchange) -> Result<Expected, Refused> {
    let uid = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let named = uid(&exchange.sop_class).zip(uid(&exchange.sop_instance));
    let (sop_class_uid, sop_instance_uid) = named.ok_or_else(|| cannot("a C-STORE without legal UIDs"))?;
    Ok(Expected { sop_class_uid, sop_instance_uid })
}

/// The status that the service knows for it: PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5; PS3.7 Annex C.
fn status_of(operation: Operation, error: &RewriteError) -> Status {
    use Operation::{CEcho, CFind, CGet, CMove, CStore};
    match (operation, error.status) {
        (CMove | CGet, 0xA700) => Status(0xA701),
        (CEcho | CStore | CFind | CMove | CGet, status) => Status(status),
        _ => Status::PROCESSING_FAILURE,
    }
}

/// The C-CANCEL-RQ that ends an operation of which more responses follow.
fn cancel(exchange: &Asked, status: Status) -> Option<Vec<u8>> {
    (status.outcome() == Outcome::Pending).then(|| dimse::cancel(exchange.message_id))
}
