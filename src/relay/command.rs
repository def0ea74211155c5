//! What a complete command set leads to: relayed, refused, or the end of a protocol that was broken.

use std::sync::Arc;

use super::association::{AcceptedContext, Answer, opposite};
use super::comparison::Comparison;
use super::ended::Ended;
use super::exchange::{Ending, Exchange, labels};
use super::phase::{DataSet, Fate, Origin, Phase, Relayed, Rewritten};
use super::pump::Half;
use crate::audit;
use crate::dataset::{Encoding, Identifier, Observer};
use crate::dimse::{self, Command, CommandField, Operation, Outcome, Status};
use crate::policy::{Denial, Direction, Part, Request, Treatment};
use crate::rewrite::{Correspondences, Expected, RewriteError, Transform, Unavailable, Way};
use crate::wire::{Malformed, Uid};

/// The label of records about data sets that could not be rewritten.
pub(super) const REWRITE_FAILED: &str = "rewrite-failed";
/// The label of records about data sets that are not what their commands say.
pub(super) const DATA_SET_MISMATCH: &str = "data-set-mismatch";

/// Why a request is answered here and goes nowhere.
pub(super) struct Refused {
    pub status: Status,
    /// Of the record.
    pub label: &'static str,
    pub comment: String,
}

impl Half<'_> {
    pub(super) async fn command(&mut self, context_id: u8, command: Box<Command>) -> Result<(), Ended> {
        match command.field {
            CommandField::Request { operation, message_id } => {
                self.request(context_id, command, operation, message_id).await
            }
            CommandField::Response { operation, responding_to, status } => {
                self.response(context_id, command, operation, responding_to, status).await
            }
            CommandField::Cancel { responding_to } => Box::pin(self.cancel(&command, responding_to)).await,
            CommandField::Unrecognized { field, message_id } => {
                Box::pin(self.unrecognized(context_id, &command, field, message_id)).await
            }
        }
    }

    async fn request(
        &mut self,
        context_id: u8,
        command: Box<Command>,
        operation: Operation,
        message_id: u16,
    ) -> Result<(), Ended> {
        let began = self.association.progress.now();
        let exchange = Exchange::new(operation, context_id, message_id, &command, began);
        // What is refused costs as much as what is allowed.
        self.paced(self.association.pace.operation()).await;
        if let Err(refused) = self.judge(&exchange, &command) {
            return Box::pin(self.refuse_exchange(&command, exchange, Answer::Refused, refused)).await;
        }
        if let Some((before, status)) = self.association.ledger.close_answered(self.direction, message_id) {
            self.association.record(self.direction, before, Answer::Status(status)).await;
        }
        if let Err(no_place) = self.association.ledger.has_place_for(self.direction, message_id) {
            let (status, label) = (Status::DUPLICATE_INVOCATION, "duplicate-invocation");
            let refused = Refused { status, label, comment: no_place.to_string() };
            return Box::pin(self.refuse_exchange(&command, exchange, Answer::Refused, refused)).await;
        }
        match self.association.grant.peer.treatment(operation, Part::Request, self.direction) {
            Treatment::AsItCame => self.relay_as_it_came(command, exchange).await,
            Treatment::Rewrite => Box::pin(self.rewrite(*command, exchange)).await,
            Treatment::Pseudonymise(content) => {
                Box::pin(self.cross_request(*command, exchange, (Way::ToPseudonyms, content))).await
            }
            Treatment::Restore(content) => {
                Box::pin(self.cross_request(*command, exchange, (Way::ToReal, content))).await
            }
        }
    }

    /// Rewrites an object on its way.
    async fn rewrite(&mut self, command: Command, exchange: Box<Exchange>) -> Result<(), Ended> {
        match self.rewriting(&exchange, &command) {
            Ok((transform, new_instance)) => {
                self.relay_rewritten(command, exchange, transform, new_instance);
                Ok(())
            }
            Err(refused) => self.refuse_exchange(&command, exchange, Answer::Failed, refused).await,
        }
    }

    /// Answers a request that cannot be passed on, and writes it down.
    pub(super) async fn refuse_exchange(
        &mut self,
        command: &Command,
        exchange: Box<Exchange>,
        answer: fn(Status, &'static str) -> Answer,
        Refused { status, label, comment }: Refused,
    ) -> Result<(), Ended> {
        let context_id = exchange.context_id;
        let mut exchange = exchange;
        if label == REWRITE_FAILED {
            exchange.fault = Some(Box::new(audit::Fault::of(comment.clone())));
        }
        self.association.record(self.direction, exchange, answer(status, label)).await;
        self.refuse(context_id, command, status, &comment).await
    }

    /// Whether the request may pass, whatever is in its data set.
    fn judge(&self, exchange: &Exchange, command: &Command) -> Result<(), Refused> {
        if command.has_dangerous_sop_instance() {
            let comment = "the SOP instance UID is not a UID".into();
            return Err(Refused { status: Status::INVALID_INSTANCE, label: "invalid-sop-instance", comment });
        }
        if command.names_two_objects() {
            let comment = "affected and requested SOP class or instance differ".into();
            return Err(Refused {
                status: Status::MISTYPED_ARGUMENT,
                label: "contradictory-command",
                comment,
            });
        }
        let denied = |denial: Denial| {
            let (status, label) = (Status(denial.status()), denial.label());
            Refused { status, label, comment: denial.to_string() }
        };
        let Some(context) = self.association.context(exchange.context_id) else { return Ok(()) };
        let sop_class = exchange.sop_class.as_deref().filter(|text| !text.is_empty());
        // Nearly always that of the context, which is known to be a UID.
        let other = sop_class.filter(|text| *text != context.abstract_syntax.as_str());
        let other = other.map(str::parse::<Uid>).transpose().map_err(|_| denied(Denial::SopClass))?;
        let request = Request {
            operation: exchange.operation,
            direction: self.direction,
            abstract_syntax: &context.abstract_syntax,
            sop_class: other.as_ref().or(sop_class.map(|_| &context.abstract_syntax)),
            move_destination: exchange.move_destination.as_deref(),
            retrieving: self.direction == Direction::ToPeer
                && self.association.ledger.is_waiting(Direction::FromPeer, Operation::CGet),
        };
        let role = &self.association.grant.peer.role;
        role.permits_request(&request).map_err(denied)
    }

    /// The transform for a C-STORE, with what its SOP instance UID becomes.
    fn rewriting(&self, exchange: &Exchange, command: &Command) -> Result<(Transform, String), Refused> {
        let cannot = |comment: &str| Refused {
            status: Status(0xC000),
            label: REWRITE_FAILED,
            comment: comment.into(),
        };
        let ruleset = self.association.ruleset.as_ref().ok_or_else(|| cannot("the rewrite is gone"))?;
        let encoding = self.association.context(exchange.context_id).and_then(|context| context.encoding);
        let encoding = encoding.ok_or_else(|| cannot("this transfer syntax cannot be rewritten"))?;
        if !command.has_data_set {
            return Err(cannot("a C-STORE without a data set"));
        }
        let uid = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Uid>().ok());
        let named = uid(&exchange.sop_class).zip(uid(&exchange.sop_instance));
        let (sop_class_uid, sop_instance_uid) =
            named.ok_or_else(|| cannot("a C-STORE without legal UIDs"))?;
        let crosswalk =
            self.association.crosswalk.clone().map(|crosswalk| crosswalk as Arc<dyn Correspondences>);
        let new_instance =
            ruleset.map_known_sop_instance_uid(sop_instance_uid.as_str(), crosswalk.as_deref());
        let new_instance = new_instance.map_err(|Unavailable| {
            let error = RewriteError::not_remembered();
            Refused { status: Status(error.status), label: REWRITE_FAILED, comment: error.comment() }
        })?;
        let expected = Expected { sop_class_uid, sop_instance_uid };
        let (peer, tally) = (&self.association.grant.peer, &self.association.tally);
        let transform = Transform::new(ruleset.clone(), encoding, expected).for_peer(Arc::clone(&peer.name));
        let transform = transform.of_tenant(peer.tenant.clone()).numbered(tally.next_number(self.direction));
        let transform = match self.native_context(exchange.context_id) {
            Some((context, _)) => transform.may_decode(context.transfer_syntax.as_str()),
            None => transform,
        };
        let transform = crosswalk.into_iter().fold(transform, Transform::with_crosswalk);
        Ok((transform, new_instance))
    }

    /// A context, and that in which its objects can go on decoded.
    pub(super) fn native_context(&self, context_id: u8) -> Option<(&AcceptedContext, u8)> {
        let context = self.association.context(context_id)?;
        Some((context, self.association.native_context(context)?))
    }

    fn relay_rewritten(
        &mut self,
        command: Command,
        mut exchange: Box<Exchange>,
        transform: Transform,
        new_instance: String,
    ) {
        let held = Some(dimse::with_affected_sop_instance(&command, &new_instance));
        if exchange.sop_instance.as_deref() != Some(&new_instance) {
            exchange.new_sop_instance = Some(new_instance);
        }
        let native = self.native_context(exchange.context_id).map(|(_, native)| native);
        let rewritten =
            Some(Box::new(Rewritten { origin: Origin::Request(command), held, native, room: None }));
        let relayed = Relayed { transform, comparison: None, observer: None, identifier: None, rewritten };
        self.begin_data_set(exchange.context_id, exchange.message_id, Box::new(relayed));
        self.association.ledger.open(self.direction, exchange);
    }

    async fn relay_as_it_came(
        &mut self,
        command: Box<Command>,
        exchange: Box<Exchange>,
    ) -> Result<(), Ended> {
        let context_id = exchange.context_id;
        if command.has_data_set && exchange.operation == Operation::CStore {
            self.compare_and_relay(command, exchange).await;
            return Ok(());
        }
        if command.has_data_set {
            let encoding = self.association.context(context_id).and_then(|context| context.encoding);
            let mut relayed = Relayed::as_it_came();
            match exchange.operation {
                Operation::CFind | Operation::CMove | Operation::CGet => {
                    relayed.identifier = encoding.map(|encoding| Box::new(Identifier::new(encoding)));
                }
                _ => {}
            }
            self.begin_data_set(context_id, exchange.message_id, relayed);
        }
        // Entered before anything is awaited: whatever ends the association now, the operation is recorded.
        self.association.ledger.open(self.direction, exchange);
        self.lock().await.command(context_id, command.bytes());
        Ok(())
    }

    /// Relays an object that nothing rewrites, once it is known to be what its command says. In a transfer syntax that
    /// nobody can tell how to read, that cannot be known.
    async fn compare_and_relay(&mut self, command: Box<Command>, mut exchange: Box<Exchange>) {
        let (context_id, message_id) = (exchange.context_id, exchange.message_id);
        let context = self.association.context(context_id);
        let mut relayed = Relayed::as_it_came();
        let Some(encoding) = context.and_then(|context| Encoding::to_read(context.transfer_syntax.as_str()))
        else {
            exchange.tolerate(vec!["data-set-not-compared".into()]);
            self.begin_data_set(context_id, message_id, relayed);
            self.association.ledger.open(self.direction, exchange);
            return self.lock().await.command(context_id, command.bytes());
        };
        relayed.observer = Some(Observer::new(encoding));
        relayed.comparison = Some(Comparison::new(command, encoding));
        self.begin_data_set(context_id, message_id, relayed);
        self.association.ledger.open(self.direction, exchange);
    }

    pub(super) fn begin_data_set(&mut self, context_id: u8, message_id: u16, relayed: Box<Relayed>) {
        self.phase = Phase::DataSet(DataSet {
            context_id,
            to_context_id: context_id,
            fate: Fate::Relay(relayed),
            request: Some(message_id),
            bytes: 0,
            empty: 0,
        });
    }

    async fn response(
        &mut self,
        context_id: u8,
        command: Box<Command>,
        operation: Operation,
        responding_to: u16,
        status: Status,
    ) -> Result<(), Ended> {
        let asked = opposite(self.direction);
        let ledger = &self.association.ledger;
        let look = |exchange: &Exchange| {
            let is_in_its_context = exchange.sent_context_id == context_id;
            let fits = exchange.operation == operation && (is_in_its_context || !command.has_data_set);
            let mapped = exchange.new_sop_instance.as_ref().and(exchange.sop_instance.clone());
            fits.then_some((exchange.sent, mapped, exchange.context_id, is_in_its_context))
        };
        // By its message ID: some requestors of a C-GET answer every sub-operation in one context. A data set is written
        // in the transfer syntax of the context that it comes in, so there it has to be the right one.
        let Some((sent, mapped, to_context_id, is_in_its_context)) =
            ledger.find(asked, responding_to, look).flatten()
        else {
            let what =
                format!("a response to {operation} {responding_to}, which waits for none in this context");
            return Err(self.protocol(Malformed::invalid(what)));
        };
        if !sent && status.outcome() != Outcome::Failure {
            let what =
                format!("status {status} for {operation} {responding_to} before its data set had ended");
            return Err(self.protocol(Malformed::invalid(what)));
        }
        if !is_in_its_context || !command.tolerated().is_empty() {
            let mut labels = labels(&command, "response-");
            labels.extend((!is_in_its_context).then_some("response-context".into()));
            ledger.update(asked, responding_to, |exchange| exchange.tolerate(labels));
        }
        match self.association.grant.peer.treatment(operation, Part::Response, self.direction) {
            Treatment::AsItCame | Treatment::Rewrite => {}
            Treatment::Pseudonymise(_) => {
                return Box::pin(self.cross_response(*command, responding_to, status, Way::ToPseudonyms))
                    .await;
            }
            Treatment::Restore(_) => {
                return Box::pin(self.cross_response(*command, responding_to, status, Way::ToReal)).await;
            }
        }
        self.answered(responding_to, status).await;
        let packer = self.lock().await;
        match mapped {
            Some(original) => {
                packer.command(to_context_id, &dimse::with_affected_sop_instance(&command, &original))
            }
            None => packer.command(to_context_id, command.bytes()),
        }
        if command.has_data_set {
            self.data_set((context_id, to_context_id), Fate::Relay(Relayed::as_it_came()));
        }
        Ok(())
    }

    /// Writes an operation down that has had its last response.
    pub(super) async fn answered(&self, message_id: u16, status: Status) {
        let (asked, ledger) = (opposite(self.direction), &self.association.ledger);
        match ledger.find(asked, message_id, |exchange| exchange.ending(status)) {
            None => {}
            Some(Ending::MoreFollow) => ledger.update(asked, message_id, |exchange| exchange.answered = None),
            Some(Ending::MoreMayFollow) => {
                ledger.update(asked, message_id, |exchange| exchange.answered = Some(status));
            }
            Some(Ending::Last) => {
                if let Some(exchange) = ledger.close(asked, message_id) {
                    self.association.record(asked, exchange, Answer::Status(status)).await;
                }
            }
        }
    }

    /// A data set follows that no record has use for, in one context, to go on in another.
    pub(super) fn data_set(&mut self, (context_id, to_context_id): (u8, u8), fate: Fate) {
        self.phase =
            Phase::DataSet(DataSet { context_id, to_context_id, fate, request: None, bytes: 0, empty: 0 });
    }

    /// A C-CANCEL-RQ has no response of its own. One that comes after its operation is over means nothing any more, and
    /// one for an operation that was refused here means nothing to the other side.
    async fn cancel(&mut self, command: &Command, responding_to: u16) -> Result<(), Ended> {
        self.paced(self.association.pace.operation()).await;
        if command.has_data_set {
            return Err(self.protocol(Malformed::invalid("a C-CANCEL-RQ that announces a data set")));
        }
        let context_of = |exchange: &Exchange| exchange.sent_context_id;
        let open = self.association.ledger.find(self.direction, responding_to, context_of);
        self.association.tally.cancelled(open.is_some());
        if let Some(context_id) = open {
            self.lock().await.command(context_id, command.bytes());
        }
        Ok(())
    }

    /// A request of no service that PS3.7 defines.
    async fn unrecognized(
        &mut self,
        context_id: u8,
        command: &Command,
        field: u16,
        message_id: u16,
    ) -> Result<(), Ended> {
        self.paced(self.association.pace.operation()).await;
        self.association.record_unrecognized(self.direction, command, message_id).await;
        let comment = format!("command field {field:04X}H is no request of PS3.7");
        self.refuse(context_id, command, Status::UNRECOGNIZED_OPERATION, &comment).await
    }

    pub(super) async fn refuse(
        &mut self,
        context_id: u8,
        command: &Command,
        status: Status,
        comment: &str,
    ) -> Result<(), Ended> {
        let response = dimse::refusal(command, status, comment);
        if command.has_data_set {
            let fate = Fate::Swallow { response: Some(response), ends_with: None };
            self.data_set((context_id, context_id), fate);
            return Ok(());
        }
        self.answer(context_id, &response).await
    }
}
