//! The presentation contexts of an association, and what was agreed on in each (PS3.8 §9.3.3.2).

use super::error::Error;
use crate::wire::associate::{AnsweredContext, AssociateAc, AssociateRq, ContextResult, ProposedContext};
use crate::wire::{Malformed, Packer, Uid};

/// A presentation context that was proposed, and what was agreed on in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Odd; what every PDV of the context names.
    pub id: u8,
    /// What it is for: a SOP class, mostly.
    pub abstract_syntax: Uid,
    /// What was proposed, in the requestor's order.
    pub proposed: Vec<Uid>,
    /// The transfer syntax that was chosen, one of those proposed; or why there is none.
    pub agreed: Result<Uid, ContextResult>,
}

/// All presentation contexts that were proposed, in the order of the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contexts(Vec<Context>);

impl Contexts {
    /// What was agreed on. A context that was not answered is refused without a reason.
    ///
    /// # Errors
    /// As [`only_what_was_asked`].
    pub(super) fn agreed(requested: &AssociateRq, answered: &AssociateAc) -> Result<Self, Malformed> {
        only_what_was_asked(requested, answered)?;
        let answer_to = |id| answered.contexts.iter().find(|answer| answer.id == id);
        let agreed = requested.contexts.iter().map(|proposed| Context::of(proposed, answer_to(proposed.id)));
        Ok(Self(agreed.collect()))
    }

    /// Every context that was proposed, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = &Context> {
        self.0.iter()
    }

    /// The transfer syntax of an accepted context.
    pub fn transfer_syntax(&self, id: u8) -> Option<&Uid> {
        let context = self.0.iter().find(|context| context.id == id)?;
        context.agreed.as_ref().ok()
    }

    /// ID and transfer syntax of the first accepted context of an abstract syntax for which one of the transfer syntaxes was
    /// proposed.
    ///
    /// # Errors
    /// [`Error::ContextRefused`] with what the acceptor said to the first that was proposed.
    pub fn accepted(&self, abstract_syntax: &str, proposed: &str) -> Result<(u8, &Uid), Error> {
        let ours = |context: &&Context| {
            context.abstract_syntax.as_str() == abstract_syntax
                && context.proposed.iter().any(|uid| uid.as_str() == proposed)
        };
        let accepted = |context: &'_ Context| context.agreed.is_ok();
        let found = self.0.iter().filter(ours).find(|context| accepted(context));
        let refused = |context: Option<&Context>| Error::ContextRefused {
            abstract_syntax: abstract_syntax.to_owned(),
            result: context
                .and_then(|context| context.agreed.as_ref().err().copied())
                .unwrap_or(ContextResult::NoReason),
        };
        match found.map(|context| (context.id, &context.agreed)) {
            Some((id, Ok(transfer_syntax))) => Ok((id, transfer_syntax)),
            _ => Err(refused(self.0.iter().find(ours))),
        }
    }
}

impl Context {
    fn of(proposed: &ProposedContext, answer: Option<&AnsweredContext>) -> Self {
        let agreed = match answer.map(|answer| (answer.result, &answer.transfer_syntax)) {
            Some((ContextResult::Acceptance, Some(chosen))) => Ok(chosen.clone()),
            None | Some((ContextResult::Acceptance, None)) => Err(ContextResult::NoReason),
            Some((refused, _)) => Err(refused),
        };
        Self {
            id: proposed.id,
            abstract_syntax: proposed.abstract_syntax.clone(),
            proposed: proposed.transfer_syntaxes.clone(),
            agreed,
        }
    }
}

/// Holds an answer against what was asked.
///
/// # Errors
/// [`Malformed`] for an answer to what was not proposed, a transfer syntax that was not, and for an acceptor whose maximum
/// length is too short for a message.
pub(crate) fn only_what_was_asked(requested: &AssociateRq, answered: &AssociateAc) -> Result<(), Malformed> {
    takes_messages(answered.user.maximum_length)?;
    for AnsweredContext { id, result, transfer_syntax } in &answered.contexts {
        let Some(proposed) = requested.contexts.iter().find(|proposed| proposed.id == *id) else {
            return Err(Malformed::invalid(format!("context {id} is answered, which was not proposed")));
        };
        if let Some(chosen) = transfer_syntax.as_ref().filter(|_| *result == ContextResult::Acceptance)
            && !proposed.transfer_syntaxes.contains(chosen)
        {
            let what = format!("context {id} is accepted in {chosen}, which was not proposed for it");
            return Err(Malformed::invalid(what));
        }
    }
    Ok(())
}

/// Whether a peer with this maximum length (51H) can be sent a message.
pub(super) fn takes_messages(maximum_length: Option<u32>) -> Result<(), Malformed> {
    match maximum_length.filter(|_| !Packer::can_serve(maximum_length)) {
        Some(short) => {
            Err(Malformed::invalid(format!("it takes {short} bytes at once, too few for a message")))
        }
        None => Ok(()),
    }
}
