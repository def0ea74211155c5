//! The decision about an association, replayed: of given facts, or of a refusal that was kept.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

mod answer;
mod asked;
mod replayed;

use answer::Explanation;

use super::told::{Failed, ProblemDocument, content, told};
use crate::admin::Shared;
use crate::config::Settings;
use crate::http::Problem;
use crate::policy::{self, Blocks};
use crate::users::Users;

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
    /// The token that it shows (user identity, type 5), in place of a user. It is verified, and not taken.
    token: Option<String>,
    /// What an archive says of a study, by keyword, as in `{"IssuerOfPatientID": "LYON"}`: whether the peer may see it.
    #[serde(default)]
    study: BTreeMap<String, String>,
    /// SOP classes to propose, UIDs or keywords such as `CTImageStorage`.
    #[serde(default)]
    sop_classes: Vec<String>,
}

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
            Some(recalled) => Ok(replayed::of_refusal(in_force, &recalled)),
            None => asked::of_facts(in_force, &question),
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
