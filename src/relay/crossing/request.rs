//! Requests that cross.

use super::super::association::Answer;
use super::super::command::{REWRITE_FAILED, Refused};
use super::super::ended::Ended;
use super::super::exchange::{Asked, Exchange};
use super::super::phase::{Origin, Relayed, Rewritten};
use super::super::pump::Half;
use super::{Crossing, UNKNOWN_PSEUDONYM, cannot, failure_of, refused};
use crate::dataset::Identifier;
use crate::dimse::{self, Command, Operation, Status};
use crate::policy::Content;
use crate::rewrite::{Expected, Kind, RewriteError, RewriteProblem, Subject, Unavailable, Way};

/// The label of records about instances whose originals they could replace.
const DUPLICATE: &str = "duplicate-instance";

impl Half<'_> {
    /// Sends a request across, or answers it.
    pub(in super::super) async fn cross_request(
        &mut self,
        command: Command,
        exchange: Box<Exchange>,
        (way, content): (Way, Content),
    ) -> Result<(), Ended> {
        let (asked, ledger) = (exchange.asked(), &self.association.ledger);
        // Entered before anything is awaited: whatever ends the association now, the operation is recorded.
        ledger.open(self.direction, exchange);
        let crossing = match self.request_across(&command, &asked, way, content).await {
            Ok(crossing) => crossing,
            Err(refused) => {
                let Some(exchange) = ledger.close(self.direction, asked.message_id) else { return Ok(()) };
                return self.refuse_exchange(&command, exchange, Answer::Failed, refused).await;
            }
        };
        let Crossing { command: bytes, sop_instance, patient, transform } = crossing;
        ledger.update(self.direction, asked.message_id, |exchange| {
            exchange.new_sop_instance =
                sop_instance.filter(|uid| Some(uid) != exchange.sop_instance.as_ref());
            exchange.patient = patient;
        });
        let Some(transform) = transform else {
            self.lock().await.command(asked.context_id, &bytes);
            return Ok(());
        };
        let encoding = self.association.context(asked.context_id).and_then(|context| context.encoding);
        let identifier = encoding.filter(|_| content == Content::Keys).map(Identifier::new).map(Box::new);
        let native = self.native_context(asked.context_id).map(|(_, native)| native);
        let origin = Origin::Request(command);
        let rewritten = Some(Box::new(Rewritten { origin, held: Some(bytes), native, room: None }));
        let relayed = Relayed { transform, comparison: None, observer: None, identifier, rewritten };
        self.begin_data_set(asked.context_id, asked.message_id, Box::new(relayed));
        Ok(())
    }

    async fn request_across(
        &self,
        command: &Command,
        exchange: &Asked,
        way: Way,
        content: Content,
    ) -> Result<Crossing, Refused> {
        use Operation::{CStore, NAction, NCreate, NDelete, NGet, NSet};
        if content != Content::Attributes && !command.has_data_set {
            return Err(cannot("a request without the data set that it needs"));
        }
        let exists = matches!(exchange.operation, NAction | NDelete | NGet | NSet);
        let named = exchange.sop_instance.as_ref();
        let instance = named.map(|uid| self.instance_across(exchange.operation, way, uid, exists));
        let instance = instance.transpose()?.unwrap_or_default();
        if instance.comes_back && matches!(exchange.operation, CStore | NCreate) {
            let comment = "the original of this instance is on the other side".into();
            return Err(Refused { status: Status::DUPLICATE_INSTANCE, label: DUPLICATE, comment });
        }
        let patient = self.patient_of(exchange, way)?;
        let subject = match content {
            Content::Object => Subject::Object(expected(exchange)?),
            Content::Keys => Subject::Keys,
            Content::Attributes => Subject::Attributes,
        };
        let exchange = &Asked { patient: patient.clone(), ..exchange.clone() };
        let sop_instance = named.map(|_| instance.uid.clone());
        let crossing = Crossing { patient, ..self.crossing(command, exchange, way, sop_instance, subject)? };
        match crossing.transform {
            // Whose the instance is, the data set says; with it, it is remembered.
            Some(transform) => Ok(Crossing { transform: Some(transform.of_instance(instance)), ..crossing }),
            None => {
                self.remembered(exchange.operation, instance.made).await?;
                Ok(crossing)
            }
        }
    }

    /// The real Patient ID that an instance from the world of pseudonyms belongs to, where that is known.
    fn patient_of(&self, exchange: &Asked, way: Way) -> Result<Option<Vec<u8>>, Refused> {
        let Some(uid) = exchange.sop_instance.as_ref().filter(|_| way == Way::ToReal) else {
            return Ok(None);
        };
        let (_, known) = self.boundary()?;
        let found = known.behind(Kind::Uid, uid.as_bytes());
        let found =
            found.map_err(|Unavailable| refused(exchange.operation, &RewriteError::not_remembered()))?;
        Ok(found.and_then(|found| found.patient))
    }

    /// What a request is answered whose data set cannot cross, and how that is written down.
    pub(in super::super) fn request_failed(
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
        let why = failure_of(operation, error);
        (dimse::refusal_of_data_set(request, &why), Answer::Failed(why.status, REWRITE_FAILED))
    }
}

fn expected(exchange: &Asked) -> Result<Expected, Refused> {
    let uid = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
    let named = uid(&exchange.sop_class).zip(uid(&exchange.sop_instance));
    let (sop_class_uid, sop_instance_uid) = named.ok_or_else(|| cannot("a C-STORE without legal UIDs"))?;
    Ok(Expected { sop_class_uid, sop_instance_uid })
}
