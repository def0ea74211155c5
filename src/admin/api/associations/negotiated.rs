//! The presentation contexts of an association, as its story tells them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::policy::sop_class::keyword;
use crate::relay::{self, Contexts, OfUpstream, Role};
use crate::wire::Uid;
use crate::wire::associate::ContextResult;

/// A presentation context (PS3.8 §9.3.2.2): what was proposed, and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Context {
    id: u8,
    abstract_syntax: Identifier,
    /// As the requestor proposed them, in its order.
    proposed_transfer_syntaxes: Vec<Identifier>,
    /// How many more it proposed.
    #[serde(skip_serializing_if = "is_none")]
    more_transfer_syntaxes: u32,
    /// What the upstream answered, in the words of PS3.8 Table 9-18; `not-offered` where the role of the peer does not allow
    /// the context, so that the upstream was not asked; `not-answered`.
    upstream: &'static str,
    /// What the requestor was answered, in the words of PS3.8 Table 9-18.
    requestor: &'static str,
    /// Of a context that was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer_syntax: Option<Identifier>,
    /// Roles that the requestor proposed for itself, `scu` and `scp` (PS3.7 D.3.3.4); absent: none, so that it is `scu`.
    #[serde(skip_serializing_if = "Option::is_none")]
    proposed_roles: Option<Vec<&'static str>>,
    /// What the requestor is.
    roles: Vec<&'static str>,
}

/// A UID with its keyword, where PS3.6 has one.
#[derive(Serialize, ToSchema)]
struct Identifier {
    uid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

/// What a requestor is that proposes no role.
const USER: Role = Role { scu: true, scp: false };

fn is_none(count: &u32) -> bool {
    *count == 0
}

impl Identifier {
    fn of(uid: &Uid) -> Self {
        Self { uid: uid.to_string(), name: keyword(uid.as_str()) }
    }
}

impl Context {
    pub(super) fn all(contexts: &Contexts) -> Vec<Self> {
        contexts.iter().map(|context| Self::of(contexts, context)).collect()
    }

    fn of(contexts: &Contexts, context: &relay::Context) -> Self {
        let proposed = context.roles.map(|roles| roles.proposed);
        let has = context.roles.map_or(USER, |roles| roles.answered.unwrap_or(USER));
        Self {
            id: context.id,
            abstract_syntax: Identifier::of(&context.abstract_syntax),
            proposed_transfer_syntaxes: contexts.proposed(context).map(Identifier::of).collect(),
            more_transfer_syntaxes: context.left_out,
            upstream: match context.upstream {
                OfUpstream::NotOffered => "not-offered",
                OfUpstream::NotAnswered => "not-answered",
                OfUpstream::Answered(result) => word(result),
            },
            requestor: word(context.requestor),
            transfer_syntax: context.transfer_syntax.as_ref().map(Identifier::of),
            proposed_roles: proposed.map(names),
            roles: names(has),
        }
    }
}

fn names(role: Role) -> Vec<&'static str> {
    let both = [(role.scu, "scu"), (role.scp, "scp")];
    both.into_iter().filter_map(|(is_so, name)| is_so.then_some(name)).collect()
}

const fn word(result: ContextResult) -> &'static str {
    match result {
        ContextResult::Acceptance => "acceptance",
        ContextResult::UserRejection => "user-rejection",
        ContextResult::NoReason => "no-reason",
        ContextResult::AbstractSyntaxNotSupported => "abstract-syntax-not-supported",
        ContextResult::TransferSyntaxesNotSupported => "transfer-syntaxes-not-supported",
    }
}
