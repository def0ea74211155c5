//! What an acceptor answers.

use super::terms::said_of_itself;
use crate::wire::Malformed;
use crate::wire::Uid;
use crate::wire::associate::{
    AnsweredContext, AssociateAc, AssociateRq, ContextResult, ProposedContext, UserInformation,
};
use crate::wire::pdu::Rejection;

/// The answer to an A-ASSOCIATE-RQ.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The association is established, be it with every context refused.
    Accept(Box<Acceptance>),
    /// It is not: result, source and reason of the A-ASSOCIATE-RJ (PS3.8 §9.3.4).
    Reject(Rejection),
}

impl Answer {
    /// Accepts every context in the first transfer syntax that its requestor proposed.
    pub fn accept_all(request: &AssociateRq) -> Self {
        let first = Acceptance::of(request, |context| {
            context.transfer_syntaxes.first().ok_or(ContextResult::TransferSyntaxesNotSupported)
        });
        Self::Accept(Box::new(first))
    }
}

/// A yes to a request for an association: the answer to each presentation context.
#[derive(Clone, Debug)]
pub struct Acceptance {
    contexts: Vec<AnsweredContext>,
    /// Roles, extended negotiations, the response to a user identity. What dimsegate says of itself is put in when it answers.
    pub user: UserInformation,
}

impl Acceptance {
    /// Each proposed context with the transfer syntax that `choose` takes of those proposed, or its reason to refuse.
    pub fn of(
        request: &AssociateRq,
        choose: impl for<'c> Fn(&'c ProposedContext) -> Result<&'c Uid, ContextResult>,
    ) -> Self {
        let answered = |context: &ProposedContext| match choose(context) {
            Ok(chosen) if context.transfer_syntaxes.contains(chosen) => AnsweredContext {
                id: context.id,
                result: ContextResult::Acceptance,
                transfer_syntax: Some(chosen.clone()),
            },
            Ok(_) => refused(context.id, ContextResult::TransferSyntaxesNotSupported),
            Err(result) => refused(context.id, result),
        };
        Self { contexts: request.contexts.iter().map(answered).collect(), user: UserInformation::default() }
    }

    pub(super) fn to_ac(&self, request: &AssociateRq, max_pdu_length: u32) -> Result<AssociateAc, Malformed> {
        Ok(AssociateAc {
            protocol_version: 1,
            called: request.called,
            calling: request.calling,
            reserved: request.reserved,
            application_context: request.application_context.clone(),
            contexts: self.contexts.clone(),
            user: said_of_itself(self.user.clone(), max_pdu_length)?,
        })
    }
}

fn refused(id: u8, result: ContextResult) -> AnsweredContext {
    AnsweredContext { id, result, transfer_syntax: None }
}
