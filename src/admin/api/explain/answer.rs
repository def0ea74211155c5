//! What is answered: what the configuration in force decides, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use time::{Date, UtcOffset};
use utoipa::ToSchema;

use super::super::refusals::{Nearest, Stated};
use crate::config::Settings;
use crate::policy::scope::{Attribute, Judged, WITHOUT};
use crate::policy::{self, ContextVerdict, Facts, Grant, Operation, Verdict};
use crate::relay::borne_verdict;
use crate::tokens::Once;
use crate::vocabulary::{Cause, Reason};
use crate::wire::associate::ProposedContext;

/// What the configuration in force decides.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Explanation {
    pub(super) allowed: bool,
    /// Digest of the configuration that decided.
    configuration: String,
    /// A stable label, as in records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
    /// What did not match what, or why nothing more can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Nearest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<Stated>,
    /// What would let it in, if it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted: Option<Granted>,
}

/// What whoever is let in gets.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct Granted {
    peer: String,
    /// Line of its `[[peer]]`; absent where the configuration is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    role: String,
    /// Roles of the user, where one is proven: what they and the peer's role both allow is granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_roles: Option<Vec<String>>,
    upstream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<String>,
    /// Id of the agreement by which its data may travel, where its route needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<String>,
    operations: Vec<&'static str>,
    contexts: Vec<Context>,
    /// The conditions on what it sees; absent: it sees every study.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// What becomes of the study that was asked about, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    study: Option<String>,
}

/// What an archive says of a study.
pub(super) type Said = BTreeMap<Attribute, String>;

/// What becomes of a proposed presentation context.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = JudgedContext)]
struct Context {
    abstract_syntax: String,
    offered: bool,
    /// Those that are offered.
    transfer_syntaxes: Vec<String>,
    /// A label, where it is not offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl Explanation {
    /// Of these facts, of a token that counts once, and of a study of which an archive says this much.
    pub(super) fn decided(settings: &Settings, facts: &Facts<'_>, once: Option<&Once>, study: &Said) -> Self {
        let grant = match borne_verdict(settings, facts, once) {
            Verdict::Refuse(refusal) => return Self::refused(settings, refusal),
            Verdict::Allow(grant) => grant,
        };
        let offers = facts.contexts.is_empty() || grant.offers_any();
        let reason = (!offers).then_some(Reason::NoContextAllowed);
        let judged = judged(&grant, study, facts.now.to_offset(UtcOffset::UTC).date());
        let told = judged.map_or(WITHOUT.to_owned(), |judged| judged.to_string());
        let told = (!study.is_empty()).then_some(told);
        let granted = Some(Granted { study: told, ..Granted::of(settings, &grant, facts.contexts) });
        let decided = Self { allowed: offers, granted, ..Self::of(settings, reason) };
        match judged.filter(|judged| offers && !judged.is_inside()) {
            Some(outside) => decided.outside(&outside),
            None => decided,
        }
    }

    /// Allowed by nothing yet.
    fn of(settings: &Settings, reason: Option<Reason>) -> Self {
        Self {
            allowed: false,
            configuration: settings.digest.clone(),
            reason: reason.map(Reason::label),
            meaning: reason.map(|reason| reason.to_string()),
            why: None,
            nearest: None,
            stated: None,
            remedy: None,
            granted: None,
        }
    }

    fn outside(self, judged: &Judged<'_>) -> Self {
        let cause = Cause::OutsideScope;
        Self {
            allowed: false,
            reason: Some(cause.label()),
            meaning: Some(cause.word().what.to_owned()),
            why: Some(format!("the study is {judged}")),
            ..self
        }
    }

    /// A refusal that cannot be decided again, and why it cannot.
    pub(super) fn as_it_was(settings: &Settings, reason: Reason, why: String) -> Self {
        Self { why: Some(why), ..Self::of(settings, Some(reason)) }
    }

    /// With its reason.
    pub(super) fn refused(settings: &Settings, refusal: policy::Refusal) -> Self {
        let reason = refusal.reason;
        let stated = refusal.stated.map(Stated::from);
        let because = refusal.into();
        Self {
            nearest: Nearest::of(settings, &because),
            stated,
            why: Some(because.detail),
            remedy: Some(because.remedy),
            ..Self::of(settings, Some(reason))
        }
    }
}

/// What becomes of a study; `None` where none was asked about, or the peer has no scope.
fn judged<'g>(grant: &'g Grant, study: &'g Said, today: Date) -> Option<Judged<'g>> {
    let value = |attribute| study.get(&attribute).map(|value| value.as_bytes());
    let scope = grant.peer.scope.as_ref().filter(|_| !study.is_empty());
    scope.map(|scope| scope.judge(today, value))
}

impl Granted {
    fn of(settings: &Settings, grant: &Grant, proposed: &[ProposedContext]) -> Self {
        let (peer, role) = (&grant.peer, &grant.peer.role);
        let of_user = grant.rights.of_user();
        let context = |(id, verdict): &(u8, ContextVerdict)| {
            let context = proposed.iter().find(|context| context.id == *id)?;
            let (syntaxes, reason) = match verdict {
                ContextVerdict::Offer(syntaxes) => (syntaxes.iter().map(ToString::to_string).collect(), None),
                ContextVerdict::Strip(why) => (Vec::new(), Some(why.label())),
            };
            Some(Context {
                abstract_syntax: context.abstract_syntax.to_string(),
                offered: reason.is_none(),
                transfer_syntaxes: syntaxes,
                reason,
            })
        };
        let name = |name: &Arc<str>| name.to_string();
        Self {
            peer: name(&peer.name),
            line: settings.shown_line(peer.line),
            role: role.name.to_string(),
            upstream: name(&grant.upstream),
            rewrite: peer.rewrite.as_ref().map(name),
            agreement: grant.rights.agreement().map(|agreement| agreement.id.to_string()),
            user_roles: of_user.map(|roles| roles.iter().map(|role| role.name.to_string()).collect()),
            operations: grant.rights.operations().into_iter().map(Operation::name).collect(),
            contexts: grant.contexts.iter().filter_map(context).collect(),
            scope: peer.scope.as_ref().map(ToString::to_string),
            study: None,
        }
    }
}
