//! What ends, and when: certificates and revocation lists of the configuration in force.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

use super::told::moment;
use crate::admin::Shared;
use crate::tls::EndKind;

/// A certificate or a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Certificate {
    /// The table of the configuration that names it.
    place: String,
    file: String,
    /// Such as `the certificate of CN=lyon`.
    what: String,
    /// `certificate` or `revocation-list`.
    kind: &'static str,
    ends: String,
    /// Whole days that are left; negative once it has ended.
    days: i64,
    /// `good`, `ends-soon` or `ended`.
    state: &'static str,
}

/// What ends, and when; the first to end comes first
#[utoipa::path(get, path = "/api/v1/certificates", responses((status = 200, body = Vec<Certificate>)))]
pub(super) async fn list(State(shared): State<Shared>) -> Json<Vec<Certificate>> {
    let (settings, now) = (shared.proxy.settings(), OffsetDateTime::now_utc());
    let mut ends: Vec<_> = settings.ends.iter().collect();
    ends.sort_by_key(|(_, end)| end.at);
    let told = ends.into_iter().map(|(place, end)| {
        let left = end.at - now;
        Certificate {
            place: place.clone(),
            file: end.file.display().to_string(),
            what: end.what.clone(),
            kind: match end.kind {
                EndKind::Certificate => "certificate",
                EndKind::RevocationList => "revocation-list",
            },
            ends: moment(end.at),
            days: super::status::days(left),
            state: match left {
                left if left <= time::Duration::ZERO => "ended",
                left if left <= end.kind.notice() => "ends-soon",
                _ => "good",
            },
        }
    });
    Json(told.collect())
}
