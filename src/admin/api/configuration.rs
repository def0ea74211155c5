//! The configuration in force, key by key.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Shared;
use crate::config;

/// The configuration in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Configuration {
    file: String,
    /// Of all that is in force: the file, and the certificates and lists that it names.
    digest: String,
    /// SHA-256 of the file alone.
    file_sha256: String,
    /// Each key with its value as TOML. Secrets lie in files, of which only the names are here; what may hold one itself is
    /// hidden: of a `[[notify]]` host and program are shown.
    keys: BTreeMap<String, String>,
    /// The certificates and lists that it names.
    files: Vec<UsedFile>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
struct UsedFile {
    file: String,
    sha256: String,
}

/// The configuration in force, without secrets
#[utoipa::path(get, path = "/api/v1/configuration", responses((status = 200, body = Configuration)))]
pub(super) async fn configuration(State(shared): State<Shared>) -> Json<Configuration> {
    let settings = shared.proxy.settings();
    let files = settings.files.iter();
    Json(Configuration {
        file: settings.path.display().to_string(),
        digest: settings.digest.clone(),
        file_sha256: settings.file_digest.clone(),
        keys: settings.keys.each().map(|(key, value)| (key.to_owned(), config::shown(key, value))).collect(),
        files: files
            .map(|one| UsedFile { file: one.file.display().to_string(), sha256: one.sha256.clone() })
            .collect(),
    })
}
