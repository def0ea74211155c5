//! Whose tokens prove who somebody is, and how their keys are.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::told::moment;
use crate::admin::Shared;
use crate::config::Settings;
use crate::tokens::{Fetching, Issuer as Known, Keys};

/// An `[[issuer]]`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Issuer {
    name: String,
    /// Where the configuration defines it; absent where that is one file of several tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// What its tokens have in `iss`.
    issuer: String,
    /// For associations one of these is in `aud`.
    audience: Vec<String>,
    /// Whether its tokens have to be bound to a certificate.
    bound_to_certificate: bool,
    keys: KeysNow,
}

/// How the keys of an issuer are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct KeysNow {
    /// Whether a token can be verified now.
    count: bool,
    /// When they were fetched; absent: none were, or they are those of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    fetched: Option<String>,
    /// How long they count without being fetched again; absent: they are those of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    count_until: Option<String>,
    /// Why the last fetch failed, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing: Option<String>,
}

/// The issuers of the configuration in force, in its order
#[utoipa::path(get, path = "/api/v1/issuers", responses((status = 200, body = Vec<Issuer>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Issuer>> {
    let now = OffsetDateTime::now_utc();
    let settings = shared.proxy.settings();
    Json(settings.issuers.iter().map(|issuer| Issuer::of(&settings, issuer, now)).collect())
}

impl Issuer {
    fn of(settings: &Settings, issuer: &Known, now: OffsetDateTime) -> Self {
        Self {
            name: issuer.name.to_string(),
            line: settings.shown_line(issuer.line),
            issuer: issuer.issuer.clone(),
            audience: issuer.audience.clone(),
            bound_to_certificate: issuer.bound_to_certificate,
            keys: KeysNow::of(&issuer.keys, now),
        }
    }
}

impl KeysNow {
    fn of(keys: &Keys, now: OffsetDateTime) -> Self {
        let Keys::Fetched(fetched) = keys else {
            return Self { count: true, fetched: None, count_until: None, failing: None };
        };
        let Fetching { at, counts, failing } = fetched.fetching(now);
        let until = at.and_then(|at| at.checked_add(fetched.max_age().try_into().ok()?));
        Self {
            count: counts,
            fetched: at.map(moment),
            count_until: until.map(moment),
            failing: failing.map(|why| why.to_string()),
        }
    }
}
