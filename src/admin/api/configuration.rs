//! The configuration in force, key by key.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::Shared;

/// The configuration in force.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Configuration {
    file: String,
    /// Of all that is in force: the file, and the certificates and lists that it names.
    digest: String,
    /// SHA-256 of the file alone.
    file_sha256: String,
    /// Each key with its value as TOML. Secrets lie in files, of which only the names are here.
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

/// In place of what nobody is shown.
const HIDDEN: &str = "hidden";

/// The configuration in force, without secrets
#[utoipa::path(get, path = "/api/v1/configuration", responses((status = 200, body = Configuration)))]
pub(super) async fn configuration(State(shared): State<Shared>) -> Json<Configuration> {
    let settings = shared.proxy.settings();
    let files = settings.files.iter();
    Json(Configuration {
        file: settings.path.display().to_string(),
        digest: settings.digest.clone(),
        file_sha256: settings.file_digest.clone(),
        keys: settings.keys.each().map(|(key, value)| (key.to_owned(), shown(key, value))).collect(),
        files: files
            .map(|one| UsedFile { file: one.file.display().to_string(), sha256: one.sha256.clone() })
            .collect(),
    })
}

/// A secret that stands in the file itself is hidden, and so are user and passcode of a URL.
fn shown(key: &str, value: &str) -> String {
    let name = key.rsplit(['.', ' ']).next().unwrap_or_default();
    let is_secret =
        ["secret", "passphrase", "password", "passcode", "token"].iter().any(|word| name.ends_with(word));
    // The number of a version says nothing of the secret.
    if is_secret && name != "current-secret" {
        return HIDDEN.to_owned();
    }
    match value.split_once("://") {
        Some((scheme, rest)) => {
            let authority = rest.split(['/', '"']).next().unwrap_or_default();
            match authority.rsplit_once('@') {
                Some((user, _)) => format!("{scheme}://{HIDDEN}{}", &rest[user.len()..]),
                None => value.to_owned(),
            }
        }
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_is_a_secret_is_not_shown_and_what_names_one_is() {
        for (key, value, expected) in [
            ("audit.secret-file", "\"conf/audit.key\"", "\"conf/audit.key\""),
            ("rewrite \"w\".current-secret", "\"2\"", "\"2\""),
            ("upstream \"u\".secret", "\"x\"", "hidden"),
            ("listener \"l\".tls.passphrase", "\"x\"", "hidden"),
            (
                "audit.fhir \"f\".url",
                "\"https://a:b@fhir.example/x@y\"",
                "\"https://hidden@fhir.example/x@y\"",
            ),
            ("audit.fhir \"f\".url", "\"https://fhir.example/x@y\"", "\"https://fhir.example/x@y\""),
        ] {
            assert_eq!(shown(key, value), expected);
        }
    }
}
