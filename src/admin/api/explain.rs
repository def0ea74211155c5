//! The decision about an association, replayed: of given facts, or of a refusal that was kept.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::refusals::Nearest;
use super::told::{Failed, ProblemDocument, content, told};
use crate::admin::Shared;
use crate::config::{ListenerSettings, Settings, UserIdentity};
use crate::http::Problem;
use crate::identity::printable;
use crate::policy::sop_class::sop_class_uid;
use crate::policy::{
    self, Blocks, ContextVerdict, Factor, Factors, Facts, Grant, Operation, ProvenUser, TlsVersion, Verdict,
    decide, recognised,
};
use crate::relay::{Identified, Proven, Recalled, assumed, proven_by, still_borne};
use crate::users::Users;
use crate::vocabulary::Reason;
use crate::wire::associate::ProposedContext;
use crate::wire::{AeTitle, RawAeTitle};

/// What is to be explained: a refusal by its id, or facts.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Question {
    /// Of `/api/v1/refusals`. The decision is that of the configuration in force now.
    refusal: Option<String>,
    listener: Option<String>,
    /// IP address of the requestor.
    from: Option<String>,
    calling_ae_title: Option<String>,
    called_ae_title: Option<String>,
    /// The certificate that the requestor shows, with the intermediate CAs behind it, PEM.
    certificate: Option<String>,
    /// The version of TLS that it speaks, `1.2` or `1.3`, where the listener speaks TLS; absent: `1.3`.
    tls: Option<String>,
    /// When it asks (RFC 3339); absent: now. A refusal is explained as of its own time.
    at: Option<String>,
    /// The user that it names by a user identity.
    user: Option<String>,
    /// What it proves of that: `passcode`, `one-time-code`; absent: all that the user has.
    factors: Option<Vec<String>>,
    /// SOP classes to propose, UIDs or keywords such as `CTImageStorage`.
    #[serde(default)]
    sop_classes: Vec<String>,
}

/// What the configuration in force decides.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Explanation {
    allowed: bool,
    /// Digest of the configuration that decided.
    configuration: String,
    /// A stable label, as in records.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<String>,
    /// What did not match what, or why nothing more can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Nearest>,
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
    /// Line of its `[[peer]]`.
    line: usize,
    role: String,
    /// Roles of the user, where one is proven: what they and the peer's role both allow is granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_roles: Option<Vec<String>>,
    upstream: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<String>,
    operations: Vec<&'static str>,
    contexts: Vec<Context>,
}

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

/// SOP classes of one question.
const MOST_CLASSES: usize = 128;
/// What a requestor proposes nearly always.
const TRANSFER_SYNTAXES: [&str; 2] = ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"];

/// What is decided about an association, and why
#[utoipa::path(
    post,
    path = "/api/v1/explain",
    request_body = Question,
    responses(
        (status = 200, body = Explanation),
        (status = 400, body = ProblemDocument),
        (status = 403, body = ProblemDocument),
        (status = 404, body = ProblemDocument)
    )
)]
pub(super) async fn explain(State(shared): State<Shared>, body: Bytes) -> Result<Response, Failed> {
    let question: Question = content(&body)?;
    let settings = shared.proxy.settings();
    let recalled = match &question.refusal {
        Some(id) => Some(shared.proxy.gate().recent.find(id).ok_or_else(forgotten)?),
        None => None,
    };
    // A chain of certificates takes its time.
    let blocks = shared.proxy.gate().blocks.load_full();
    let explained = tokio::task::spawn_blocking(move || {
        let users = shared.proxy.gate().people.now(&settings);
        let in_force = InForce { settings: &settings, blocks: &blocks, users: users.as_ref() };
        match recalled {
            Some(recalled) => Ok(of_refusal(in_force, &recalled)),
            None => of_facts(in_force, &question),
        }
    });
    let defect =
        |_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "a defect of dimsegate; its log says more");
    let explanation = explained.await.map_err(defect)??;
    let what = match (explanation.allowed, explanation.reason) {
        (true, _) => "allowed".to_owned(),
        (false, reason) => format!("refused: {}", reason.unwrap_or("not known")),
    };
    Ok(told(Json(explanation), what))
}

fn forgotten() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no refusal of this id is kept; /api/v1/refusals lists those that are",
    )
}

fn bad(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail.into())
}

/// What decides.
#[derive(Clone, Copy)]
struct InForce<'a> {
    settings: &'a Settings,
    blocks: &'a Blocks,
    /// Those of the file as it is now.
    users: Option<&'a Users>,
}

impl InForce<'_> {
    fn admits(self, listener: &str, address: IpAddr, now: OffsetDateTime) -> Result<(), policy::Refusal> {
        match self.blocks.of_address(address, now) {
            Some(block) => Err(block.refusal()),
            None => self.settings.policy.admits_address(listener, address),
        }
    }
}

/// As it was asked then, by what is in force now. What TLS made of a certificate is taken as it was.
fn of_refusal(in_force: InForce<'_>, recalled: &Recalled) -> Explanation {
    let InForce { settings, blocks, .. } = in_force;
    let address = recalled.from.ip().to_canonical();
    if let Err(refusal) = in_force.admits(&recalled.listener, address, recalled.last) {
        return Explanation::refused(settings, refusal);
    }
    let Some(asked) = &recalled.asked else {
        // It came no further than this.
        return Explanation {
            why: Some(format!(
                "{}. The configuration in force lets this address connect; what happened before an association was asked \
                 for cannot be replayed",
                recalled.explanation
            )),
            ..Explanation::of(settings, Some(recalled.reason))
        };
    };
    let facts = Facts {
        listener: &recalled.listener,
        user: None,
        address,
        certificate: recalled.shown.certificate.as_ref(),
        tls: recalled.shown.tls,
        authorities: &recalled.shown.authorities,
        calling: &asked.calling,
        called: &asked.called,
        contexts: &asked.contexts,
        blocks,
        now: recalled.last,
    };
    // In the order of `run`: who it is comes before which user.
    if let Err(refusal) = recognised(&settings.policy, &facts) {
        return Explanation::refused(settings, refusal);
    }
    match user_again(in_force, recalled) {
        Ok(user) => decided(settings, &Facts { user: user.as_ref(), ..facts }),
        Err(explanation) => *explanation,
    }
}

fn of_facts(in_force: InForce<'_>, question: &Question) -> Result<Explanation, Problem> {
    let InForce { settings, blocks, .. } = in_force;
    let needed = |value: &Option<String>, name: &str| {
        value
            .clone()
            .ok_or_else(|| bad(format!("{name} is missing; give refusal, or the facts of an association")))
    };
    let name = needed(&question.listener, "listener")?;
    let address: IpAddr =
        needed(&question.from, "from")?.parse().map_err(|_| bad("from is no IP address"))?;
    let title = |value: &Option<String>, name: &str| -> Result<RawAeTitle, Problem> {
        let title = needed(value, name)?.parse::<AeTitle>();
        title.map(|title| title.to_raw()).map_err(|error| bad(format!("{name} {error}")))
    };
    let calling = title(&question.calling_ae_title, "calling-ae-title")?;
    let called = title(&question.called_ae_title, "called-ae-title")?;
    let contexts = contexts(&question.sop_classes)?;
    let (tls, now) = (tls(question)?, at(question)?);
    let listener = settings.listeners.iter().find(|listener| *listener.name == *name);
    let listener = listener.ok_or_else(|| bad(format!("no listener is called {name:?}")))?;
    let chain = question.certificate.as_deref().map(chain).transpose()?;
    if let Err(refusal) = in_force.admits(&listener.name, address, now) {
        return Ok(Explanation::refused(settings, refusal));
    }
    let proven = match proven_by(listener, chain.as_deref(), now) {
        Ok(proven) => proven,
        Err((refusal, _)) => return Ok(Explanation::refused(settings, refusal)),
    };
    let facts = Facts {
        listener: &listener.name,
        user: None,
        address: address.to_canonical(),
        certificate: proven.as_ref().map(|proven| &proven.certificate),
        tls: listener.tls.as_ref().map(|_| tls),
        authorities: proven.as_ref().map_or(&[], |Proven { authorities, .. }| authorities),
        calling: &calling,
        called: &called,
        contexts: &contexts,
        blocks,
        now,
    };
    let recognised = recognised(&settings.policy, &facts);
    // Also where it does not come to that: a question has to be right.
    let user = user(in_force, listener, question, now)?;
    Ok(match recognised.and(user) {
        Ok(user) => decided(settings, &Facts { user: user.as_ref(), ..facts }),
        Err(refusal) => Explanation::refused(settings, refusal),
    })
}

fn tls(question: &Question) -> Result<TlsVersion, Problem> {
    let Some(text) = &question.tls else { return Ok(TlsVersion::V1_3) };
    TlsVersion::of(text).ok_or_else(|| bad("tls is neither 1.2 nor 1.3"))
}

fn at(question: &Question) -> Result<OffsetDateTime, Problem> {
    let Some(text) = &question.at else { return Ok(OffsetDateTime::now_utc()) };
    OffsetDateTime::parse(text, &Rfc3339).map_err(|_| bad("at is no time of RFC 3339"))
}

/// The user of a refusal as the file has them now, by what was proven then.
fn user_again(in_force: InForce<'_>, recalled: &Recalled) -> Result<Option<ProvenUser>, Box<Explanation>> {
    use Reason::{
        TokenEnded, TokenNotBound, TokenUsed, TokenWrong, UserIdentityUnchecked, UserIdentityUnsupported,
        UserIdentityWrong, UserLockedOut,
    };
    let InForce { settings, users, .. } = in_force;
    let listener = settings.listeners.iter().find(|listener| listener.name == recalled.listener);
    let Some(listener) = listener.filter(|one| one.user_identity != UserIdentity::Ignore) else {
        return Ok(None);
    };
    let unproven = [
        UserIdentityWrong,
        UserIdentityUnsupported,
        UserLockedOut,
        UserIdentityUnchecked,
        TokenWrong,
        TokenEnded,
        TokenUsed,
        TokenNotBound,
    ];
    if unproven.contains(&recalled.reason) {
        let why = format!(
            "{}. What a requestor proves by a passcode or a token cannot be replayed",
            recalled.explanation
        );
        return Err(Box::new(Explanation {
            why: Some(why),
            ..Explanation::of(settings, Some(recalled.reason))
        }));
    }
    let refused = |refusal| Box::new(Explanation::refused(settings, refusal));
    let now = recalled.last;
    let Some(proven) = recalled.user.as_ref().and_then(Identified::as_proven) else {
        return assumed(listener, None, now).map_err(refused);
    };
    if proven.factors.contains(Factor::Token) {
        // Its roles are those of the token, as they were.
        let still = still_borne(settings, &proven.name).map_err(refused);
        return still.map(|()| Some(ProvenUser::clone(proven)));
    }
    match users.and_then(|users| users.named(&proven.name)) {
        Some(user) => assumed(listener, Some((&user, proven.factors)), now).map_err(refused),
        None => Err(refused(gone(&proven.name))),
    }
}

fn gone(name: &str) -> policy::Refusal {
    policy::Refusal {
        reason: Reason::UserIdentityWrong,
        nearest: None,
        detail: format!("no user is called \"{name}\""),
        remedy: format!("dimsegate user add {name}"),
    }
}

/// The user of a question.
fn user(
    in_force: InForce<'_>,
    listener: &ListenerSettings,
    question: &Question,
    now: OffsetDateTime,
) -> Result<Result<Option<ProvenUser>, policy::Refusal>, Problem> {
    let Some(name) = &question.user else { return Ok(assumed(listener, None, now)) };
    let users = in_force.users.ok_or_else(|| bad("the configuration in force has no [users]"))?;
    let Some(user) = users.named(name) else { return Ok(Err(gone(&printable(name, 64)))) };
    let factor = |word: &String| Factor::named(word).ok_or_else(|| bad(format!("{word:?} is no factor")));
    let factors =
        question.factors.as_ref().map(|words| words.iter().map(factor).collect::<Result<Factors, _>>());
    let factors = factors.transpose()?.unwrap_or_else(|| Identified::of(&user).factors);
    Ok(assumed(listener, Some((&user, factors)), now))
}

fn chain(pem: &str) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) => Err(bad("certificate holds no certificate in PEM")),
        Err(error) => Err(bad(format!("certificate holds no certificate in PEM: {error}"))),
    }
}

fn contexts(classes: &[String]) -> Result<Vec<ProposedContext>, Problem> {
    if classes.len() > MOST_CLASSES {
        return Err(bad(format!("an association proposes {MOST_CLASSES} SOP classes at the most")));
    }
    let context = |(class, number): (&String, u8)| {
        let uid = sop_class_uid(class)
            .ok_or_else(|| bad(format!("{class:?} is neither a UID nor a keyword such as CTImageStorage")))?;
        let transfer_syntaxes = TRANSFER_SYNTAXES.iter().filter_map(|uid| uid.parse().ok()).collect();
        Ok(ProposedContext {
            id: number.wrapping_mul(2).wrapping_add(1),
            abstract_syntax: uid,
            transfer_syntaxes,
        })
    };
    classes.iter().zip(0..=u8::MAX).map(context).collect()
}

fn decided(settings: &Settings, facts: &Facts<'_>) -> Explanation {
    match decide(&settings.policy, facts) {
        Verdict::Refuse(refusal) => Explanation::refused(settings, refusal),
        Verdict::Allow(grant) => {
            let offers = facts.contexts.is_empty() || grant.offers_any();
            let reason = (!offers).then_some(Reason::NoContextAllowed);
            let granted = Some(Granted::of(&grant, facts.contexts));
            Explanation { allowed: offers, granted, ..Explanation::of(settings, reason) }
        }
    }
}

impl Explanation {
    fn of(settings: &Settings, reason: Option<Reason>) -> Self {
        Self {
            allowed: false,
            configuration: settings.digest.clone(),
            reason: reason.map(Reason::label),
            meaning: reason.map(|reason| reason.to_string()),
            why: None,
            nearest: None,
            remedy: None,
            granted: None,
        }
    }

    fn refused(settings: &Settings, refusal: policy::Refusal) -> Self {
        let reason = refusal.reason;
        let because = refusal.into();
        Self {
            nearest: Nearest::of(&because),
            why: Some(because.detail),
            remedy: Some(because.remedy),
            ..Self::of(settings, Some(reason))
        }
    }
}

impl Granted {
    fn of(grant: &Grant, proposed: &[ProposedContext]) -> Self {
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
            line: peer.line,
            role: role.name.to_string(),
            upstream: name(&grant.upstream),
            rewrite: peer.rewrite.as_ref().map(name),
            user_roles: of_user.map(|roles| roles.iter().map(|role| role.name.to_string()).collect()),
            operations: grant.rights.operations().into_iter().map(Operation::name).collect(),
            contexts: grant.contexts.iter().filter_map(context).collect(),
        }
    }
}
