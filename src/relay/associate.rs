//! Between two A-ASSOCIATE exchanges: the request that goes upstream, and the answer that comes back from it
//! (PS3.8 §7.1, PS3.7 Annex D.3).
//!
//! Nothing of the requestor's bytes is copied. What the policy judged is what is written anew, and what the upstream
//! answers is held against what it was asked.

use zeroize::Zeroizing;

use crate::config::{self, ForwardedIdentity, ListenerSettings, UpstreamSettings};
use crate::dataset::Encoding;
use crate::policy::{ContextVerdict, Grant, ProvenUser};
use crate::upper::only_what_was_asked;
use crate::wire::associate::{
    AnsweredContext, AssociateAc, AssociateRq, AsynchronousOperationsWindow, ContextResult, ProposedContext,
    RoleSelection, UserIdentity, UserInformation,
};
use crate::wire::{Malformed, Uid};

use super::machine::AcceptedContext;

/// The request for the upstream; `None` when no context is left to offer.
pub(crate) fn upstream_request(
    requested: &AssociateRq,
    grant: &Grant,
    upstream: &UpstreamSettings,
    offered_length: u32,
    proven: Option<&ProvenUser>,
) -> Option<AssociateRq> {
    let contexts = offered_contexts(requested, grant);
    if contexts.is_empty() {
        return None;
    }
    let mut request = requested.clone();
    request.protocol_version = 1;
    // What was judged is what is sent: the titles without the spaces that do not count.
    request.called = upstream.called_ae_title.as_ref().unwrap_or(&grant.called).to_raw();
    request.calling = upstream.calling_ae_title.as_ref().unwrap_or(&grant.calling).to_raw();
    let offers = |uid: &Uid| contexts.iter().any(|context| context.abstract_syntax == *uid);
    let user = &mut request.user;
    user.maximum_length = Some(offered_length);
    cut_version_name(user);
    user.roles.retain(|role| offers(&role.sop_class));
    user.extended_negotiations.retain(|extended| offers(&extended.sop_class));
    user.common_extended_negotiations.retain(|common| offers(&common.sop_class));
    if grant.peer.strip_asynchronous_window {
        user.asynchronous_operations_window = None;
    }
    match upstream.user_identity {
        ForwardedIdentity::Pass => {}
        ForwardedIdentity::Strip => user.user_identity = None,
        ForwardedIdentity::Replace => user.user_identity = proven.map(|user| named(&user.name)),
    }
    request.contexts = contexts;
    Some(request)
}

/// A user whom this proxy vouches for, as a name without a proof (PS3.7 D.3.3.7, type 1).
pub(crate) fn named(user: &str) -> UserIdentity {
    UserIdentity {
        kind: 1,
        positive_response_requested: false,
        primary: user.as_bytes().to_vec().into(),
        secondary: Zeroizing::default(),
    }
}

/// Answers for the user identity where this proxy looked at it: with an empty response of its own, if one was asked for
/// (PS3.7 D.3.3.7.2). Elsewhere, and of one that the listener lets through to an upstream (`None`: there is none), the upstream's
/// stays; nobody answers for what nobody checked.
pub(crate) fn answer_identity(
    answer: &mut AssociateAc,
    requested: &AssociateRq,
    listener: &ListenerSettings,
    upstream: Option<&UpstreamSettings>,
) {
    if listener.user_identity == config::UserIdentity::Ignore {
        return;
    }
    let identity = requested.user.user_identity.as_ref();
    if identity.is_some_and(|identity| listener.passes(identity.kind)) {
        if upstream.is_none_or(|upstream| upstream.user_identity != ForwardedIdentity::Pass) {
            answer.user.user_identity_response = None;
        }
        return;
    }
    let is_asked_for = identity.is_some_and(|identity| identity.positive_response_requested);
    answer.user.user_identity_response = is_asked_for.then(Vec::new);
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
/// An upstream that accepts what it was not offered, or takes no message.
pub(crate) fn answer(
    requested: &AssociateRq,
    offered: Option<&AssociateRq>,
    answered: Option<&AssociateAc>,
    offered_length: u32,
) -> Result<AssociateAc, Malformed> {
    if let (Some(offered), Some(answered)) = (offered, answered) {
        only_what_was_asked(offered, answered)?;
    }
    let contexts =
        requested.contexts.iter().map(|context| answer_context(context, offered, answered)).collect();
    let user = match answered {
        Some(answered) => {
            let asked = offered.map_or(&requested.user, |offered| &offered.user);
            mirrored(asked, &answered.user, offered_length)
        }
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

/// The upstream's user information, as far as it was asked for. What was kept from the upstream it cannot have granted.
fn mirrored(asked: &UserInformation, answered: &UserInformation, offered_length: u32) -> UserInformation {
    let mut user = answered.clone();
    user.maximum_length = Some(offered_length);
    cut_version_name(&mut user);
    let windows = asked.asynchronous_operations_window.zip(answered.asynchronous_operations_window);
    user.asynchronous_operations_window = windows.map(|(asked, given)| AsynchronousOperationsWindow {
        invoked: narrower(asked.invoked, given.invoked),
        performed: narrower(asked.performed, given.performed),
    });
    user.roles = answered.roles.iter().filter_map(|given| granted(asked, given)).collect();
    let asked_for = |uid: &Uid| asked.extended_negotiations.iter().any(|extended| extended.sop_class == *uid);
    user.extended_negotiations.retain(|extended| asked_for(&extended.sop_class));
    if !asked.user_identity.as_ref().is_some_and(|identity| identity.positive_response_requested) {
        user.user_identity_response = None;
    }
    user
}

/// It has 16 characters at most (PS3.7 Annex D.3.3.2.3); readers with a buffer of that size exist.
fn cut_version_name(user: &mut UserInformation) {
    if let Some(name) = &mut user.implementation_version_name {
        name.truncate(16);
    }
}

/// A role that was not proposed cannot be accepted (PS3.7 Table D.3-10).
fn granted(asked: &UserInformation, given: &RoleSelection) -> Option<RoleSelection> {
    let proposed = asked.roles.iter().find(|role| role.sop_class == given.sop_class)?;
    let both = |proposed: u8, given: u8| if proposed == 0 { 0 } else { given };
    let (scu, scp) = (both(proposed.scu, given.scu), both(proposed.scp, given.scp));
    Some(RoleSelection { sop_class: given.sop_class.clone(), scu, scp })
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
            transfer_syntax,
        })
    };
    answered.contexts.iter().filter_map(accepted).collect()
}

#[cfg(test)]
mod tests {
    use super::{ContextResult, answer, mirrored};
    use crate::wire::RawAeTitle;
    use crate::wire::associate::*;

    fn role(scu: u8, scp: u8) -> RoleSelection {
        RoleSelection { sop_class: "1.2.3".parse().unwrap(), scu, scp }
    }

    #[test]
    fn an_upstream_grants_no_role_and_no_identity_that_it_was_not_asked_for() {
        let asked = UserInformation { roles: vec![role(1, 0)], ..UserInformation::default() };
        let answered = UserInformation {
            roles: vec![role(1, 1)],
            user_identity_response: Some(b"welcome".to_vec()),
            implementation_version_name: Some(vec![b'A'; 60_000]),
            asynchronous_operations_window: Some(AsynchronousOperationsWindow { invoked: 9, performed: 9 }),
            ..UserInformation::default()
        };
        let user = mirrored(&asked, &answered, 16384);
        let implementation_version_name = Some(vec![b'A'; 16]);
        assert_eq!(
            user,
            UserInformation { maximum_length: Some(16384), implementation_version_name, ..asked }
        );
    }

    #[test]
    fn an_upstream_that_takes_no_message_is_refused() {
        let user = |maximum_length| UserInformation {
            maximum_length: Some(maximum_length),
            ..UserInformation::default()
        };
        let contexts = vec![ProposedContext {
            id: 1,
            abstract_syntax: "1.2.3".parse().unwrap(),
            transfer_syntaxes: vec!["1.2.840.10008.1.2".parse().unwrap()],
        }];
        let title = RawAeTitle(*b"PACS            ");
        let application_context: crate::wire::Uid = APPLICATION_CONTEXT.parse().unwrap();
        let offered = AssociateRq {
            protocol_version: 1,
            called: title,
            calling: title,
            reserved: [0; 32],
            application_context: application_context.clone(),
            contexts,
            user: user(16384),
        };
        let answered = |maximum_length| AssociateAc {
            protocol_version: 1,
            called: title,
            calling: title,
            reserved: [0; 32],
            application_context: application_context.clone(),
            contexts: vec![AnsweredContext {
                id: 1,
                result: ContextResult::Acceptance,
                transfer_syntax: Some("1.2.840.10008.1.2".parse().unwrap()),
            }],
            user: user(maximum_length),
        };
        let of = |maximum_length| answer(&offered, Some(&offered), Some(&answered(maximum_length)), 16384);
        assert!(of(127).is_err());
        for enough in [0, 128] {
            of(enough).unwrap();
        }
    }
}
