//! What was refused lately: why, who came nearest, and what would let it in.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::told::moment;
use crate::admin::Shared;
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
    /// Line of the configuration that decided.
    line: usize,
}

/// What was refused lately, the newest first
#[utoipa::path(get, path = "/api/v1/refusals", responses((status = 200, body = Vec<Refusal>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Refusal>> {
    let all = shared.proxy.gate().recent.list();
    Json(all.iter().map(|one| Refusal::of(one)).collect())
}

impl Nearest {
    pub(super) fn of(because: &Because) -> Option<Self> {
        let (peer, condition) = because.nearest.as_ref()?;
        Some(Self { peer: peer.name.to_string(), condition: condition.key(), line: peer.line })
    }
}

impl Refusal {
    fn of(one: &Recalled) -> Self {
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
            peer: one.peer.clone(),
            reason: one.reason.label(),
            meaning: one.reason.to_string(),
            explanation: one
                .because
                .as_ref()
                .map_or_else(|| one.explanation.clone(), |because| because.detail.clone()),
            look: one.reason.word().look,
            nearest: one.because.as_ref().and_then(Nearest::of),
            remedy: one.because.as_ref().map(|because| because.remedy.clone()),
            configuration: one.configuration.clone(),
        }
    }
}
