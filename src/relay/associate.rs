//! Between two A-ASSOCIATE exchanges: the request that goes upstream, and the answer that comes back from it
//! (PS3.8 §7.1, PS3.7 Annex D.3).
//!
//! Nothing of the requestor's bytes is copied. What the policy judged is what is written anew, and what the upstream
//! answers is held against what it was asked.

use crate::config::UpstreamSettings;
use crate::dataset::Encoding;
use crate::policy::{ContextVerdict, Grant};
use crate::wire::associate::{
    AnsweredContext, AssociateAc, AssociateRq, ContextResult, ProposedContext, UserInformation,
};
use crate::wire::{Malformed, Uid};

use super::association::AcceptedContext;

/// The request for the upstream; `None` when no context is left to offer.
pub(crate) fn upstream_request(
    requested: &AssociateRq,
    grant: &Grant,
    upstream: &UpstreamSettings,
    offered_length: u32,
) -> Option<AssociateRq> {
    let contexts = offered_contexts(requested, grant);
    if contexts.is_empty() {
        return None;
    }
    let mut request = requested.clone();
    request.protocol_version = 1;
    if let Some(title) = &upstream.called_ae_title {
        request.called = title.to_raw();
    }
    if let Some(title) = &upstream.calling_ae_title {
        request.calling = title.to_raw();
    }
    let offers = |uid: &Uid| contexts.iter().any(|context| context.abstract_syntax == *uid);
    let user = &mut request.user;
    user.maximum_length = Some(offered_length);
    user.roles.retain(|role| offers(&role.sop_class));
    user.extended_negotiations.retain(|extended| offers(&extended.sop_class));
    user.common_extended_negotiations.retain(|common| offers(&common.sop_class));
    if grant.peer.strip_asynchronous_window {
        user.asynchronous_operations_window = None;
    }
    if !upstream.pass_user_identity {
        user.user_identity = None;
    }
    request.contexts = contexts;
    Some(request)
}

/// The contexts that the policy leaves, without transfer syntaxes that a rewrite could not read.
fn offered_contexts(requested: &AssociateRq, grant: &Grant) -> Vec<ProposedContext> {
    let must_parse = grant.peer.rewrite.is_some();
    let offered = |context: &ProposedContext| {
        let (_, verdict) = grant.contexts.iter().find(|(id, _)| *id == context.id)?;
        let ContextVerdict::Offer(syntaxes) = verdict else { return None };
        let readable = |uid: &&Uid| !must_parse || Encoding::of(uid.as_str()).is_some();
        let transfer_syntaxes: Vec<Uid> = syntaxes.iter().filter(readable).cloned().collect();
        let abstract_syntax = context.abstract_syntax.clone();
        (!transfer_syntaxes.is_empty()).then_some(ProposedContext {
            id: context.id,
            abstract_syntax,
            transfer_syntaxes,
        })
    };
    requested.contexts.iter().filter_map(offered).collect()
}

/// The answer for the requestor: contexts keep their IDs, those the policy stripped get result 1 (user-rejection), the
/// others what the upstream said. Without an upstream, every context is stripped.
///
/// # Errors
/// An upstream that accepts what it was not offered.
pub(crate) fn answer(
    requested: &AssociateRq,
    offered: Option<&AssociateRq>,
    answered: Option<&AssociateAc>,
    offered_length: u32,
) -> Result<AssociateAc, Malformed> {
    if let (Some(offered), Some(answered)) = (offered, answered) {
        only_what_was_offered(offered, answered)?;
    }
    let contexts =
        requested.contexts.iter().map(|context| answer_context(context, offered, answered)).collect();
    let user = match answered {
        Some(answered) => mirrored(&requested.user, offered.map(|o| &o.user), &answered.user, offered_length),
        None => UserInformation {
            maximum_length: Some(offered_length),
            implementation_class_uid: requested.user.implementation_class_uid.clone(),
            ..UserInformation::default()
        },
    };
    Ok(AssociateAc {
        protocol_version: 1,
        called: requested.called,
        calling: requested.calling,
        reserved: requested.reserved,
        application_context: requested.application_context.clone(),
        contexts,
        user,
    })
}

fn answer_context(
    context: &ProposedContext,
    offered: Option<&AssociateRq>,
    answered: Option<&AssociateAc>,
) -> AnsweredContext {
    let was_offered = offered.is_some_and(|offered| offered.contexts.iter().any(|o| o.id == context.id));
    let answer = answered.and_then(|answered| answered.contexts.iter().find(|a| a.id == context.id));
    let result = match answer {
        _ if !was_offered => ContextResult::UserRejection,
        Some(answer) => answer.result,
        None => ContextResult::NoReason,
    };
    // Of a refused context the transfer syntax means nothing, but strict readers expect one.
    let transfer_syntax = answer.and_then(|a| a.transfer_syntax.clone()).filter(|_| was_offered);
    let transfer_syntax = transfer_syntax.or_else(|| context.transfer_syntaxes.first().cloned());
    AnsweredContext { id: context.id, result, transfer_syntax }
}

fn only_what_was_offered(offered: &AssociateRq, answered: &AssociateAc) -> Result<(), Malformed> {
    for context in &answered.contexts {
        let id = context.id;
        let Some(proposed) = offered.contexts.iter().find(|proposed| proposed.id == id) else {
            return Err(Malformed::invalid(format!(
                "the upstream answered context {id}, which it was not offered"
            )));
        };
        if let Some(syntax) = &context.transfer_syntax
            && context.result == ContextResult::Acceptance
            && !proposed.transfer_syntaxes.contains(syntax)
        {
            let what = format!("the upstream accepted {syntax} for context {id}, which it was not offered");
            return Err(Malformed::invalid(what));
        }
    }
    Ok(())
}

/// The upstream's user information, as far as the requestor asked for it.
fn mirrored(
    requested: &UserInformation,
    offered: Option<&UserInformation>,
    answered: &UserInformation,
    offered_length: u32,
) -> UserInformation {
    let mut user = answered.clone();
    user.maximum_length = Some(offered_length);
    let window = requested
        .asynchronous_operations_window
        .filter(|_| offered.is_some_and(|offered| offered.asynchronous_operations_window.is_some()));
    user.asynchronous_operations_window = match (window, answered.asynchronous_operations_window) {
        (Some(asked), Some(mut given)) => {
            given.invoked = narrower(asked.invoked, given.invoked);
            given.performed = narrower(asked.performed, given.performed);
            Some(given)
        }
        _ => None,
    };
    user.roles.retain(|role| requested.roles.iter().any(|asked| asked.sop_class == role.sop_class));
    let asked_for = |uid: &Uid| requested.extended_negotiations.iter().any(|asked| asked.sop_class == *uid);
    user.extended_negotiations.retain(|extended| asked_for(&extended.sop_class));
    let identity_asked =
        requested.user_identity.as_ref().is_some_and(|identity| identity.positive_response_requested);
    if !identity_asked {
        user.user_identity_response = None;
    }
    user
}

/// The smaller window, where 0 is unlimited (PS3.7 D.3.3.3).
fn narrower(one: u16, other: u16) -> u16 {
    match (one, other) {
        (0, other) => other,
        (one, 0) => one,
        (one, other) => one.min(other),
    }
}

/// The contexts that may carry messages.
pub(crate) fn accepted(offered: &AssociateRq, answered: &AssociateAc) -> Vec<AcceptedContext> {
    let accepted = |context: &AnsweredContext| {
        let transfer_syntax =
            context.transfer_syntax.clone().filter(|_| context.result == ContextResult::Acceptance)?;
        let proposed = offered.contexts.iter().find(|proposed| proposed.id == context.id)?;
        Some(AcceptedContext {
            id: context.id,
            abstract_syntax: proposed.abstract_syntax.clone(),
            encoding: Encoding::of(transfer_syntax.as_str()),
        })
    };
    answered.contexts.iter().filter_map(accepted).collect()
}
