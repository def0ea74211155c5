//! What was refused lately: why, who came nearest, and what would let it in.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::told::{moment, unless_known};
use crate::admin::Shared;
use crate::config::Settings;
use crate::identity::Certificate;
use crate::policy;
use crate::relay::{Because, Recalled};

/// A refusal, and how often one like it came.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Refusal {
    /// Of the last one, as records and log call it; `explain` takes it.
    id: String,
    first: String,
    last: String,
    count: u64,
    listener: String,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    calling_ae_title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    called_ae_title: Option<String>,
    /// Subject of the certificate that was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprints: Option<Fingerprints>,
    /// The peer, where it was known.
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<String>,
    /// A stable label, as in records.
    reason: &'static str,
    /// What it means.
    meaning: String,
    /// What was found, and what was expected.
    explanation: String,
    /// Where to look.
    look: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Nearest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stated: Option<Stated>,
    /// What would let it in, if it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    /// Digest of the configuration that decided.
    configuration: String,
}

/// The peer that came nearest to a match.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Nearest {
    peer: String,
    /// The key of its `[[peer]]` that does not fit.
    condition: &'static str,
    /// Line of its `[[peer]]`, in the configuration that decided; absent where that is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// The key that refused it, where one did and the configuration has it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Stated {
    key: &'static str,
    /// Its own line, in the configuration that decided; absent where that is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
}

/// By what a certificate can be blocked: SHA-256 in hexadecimal digits.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Fingerprints {
    /// Of the certificate.
    sha256: String,
    /// Of its public key, which a renewed certificate may have too.
    spki_sha256: String,
}

impl Fingerprints {
    pub(super) fn of(certificate: &Certificate) -> Self {
        Self { sha256: certificate.fingerprint.clone(), spki_sha256: certificate.key_fingerprint.clone() }
    }
}

/// What was refused lately, the newest first; with `If-None-Match`, only where there is news
#[utoipa::path(
    get,
    path = "/api/v1/refusals",
    responses(
        (status = 200, body = Vec<Refusal>),
        (status = 304, description = "As it was when the answer had this ETag")
    )
)]
pub(super) async fn list(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let gate = shared.proxy.gate();
    // Before the list: what comes meanwhile is told with the next one.
    let tag = format!("{}-{}", gate.live.run(), gate.recent.told());
    unless_known(&headers, &tag, || {
        // Whether it is a tenant's is so for as long as it runs.
        let settings = shared.proxy.settings();
        Json(gate.recent.list().iter().map(|one| Refusal::of(&settings, one)).collect::<Vec<_>>())
    })
}

impl Nearest {
    pub(super) fn of(settings: &Settings, because: &Because) -> Option<Self> {
        let (peer, condition) = because.nearest.as_ref()?;
        let line = settings.shown_line(peer.line);
        Some(Self { peer: peer.name.to_string(), condition: condition.key(), line })
    }
}

impl From<policy::Stated> for Stated {
    fn from(stated: policy::Stated) -> Self {
        Self { key: stated.key, line: Some(stated.line).filter(|line| *line > 0) }
    }
}

impl Refusal {
    fn of(settings: &Settings, one: &Recalled) -> Self {
        let asked = one.asked.as_ref();
        Self {
            id: one.id.to_string(),
            first: moment(one.first),
            last: moment(one.last),
            count: one.count,
            listener: one.listener.to_string(),
            address: one.from.to_string(),
            calling_ae_title: asked.map(|asked| asked.calling.to_string()),
            called_ae_title: asked.map(|asked| asked.called.to_string()),
            certificate: one.shown.certificate.as_ref().map(|certificate| certificate.subject.clone()),
            fingerprints: one.shown.certificate.as_ref().map(Fingerprints::of),
            peer: one.peer.clone(),
            reason: one.reason.label(),
            meaning: one.reason.to_string(),
            explanation: one
                .because
                .as_ref()
                .map_or_else(|| one.explanation.clone(), |because| because.detail.clone()),
            look: one.reason.word().look,
            nearest: one.because.as_ref().and_then(|because| Nearest::of(settings, because)),
            stated: one.stated.map(Stated::from),
            remedy: one.because.as_ref().map(|because| because.remedy.clone()),
            configuration: one.configuration.clone(),
        }
    }
}
