//! The configuration in force, key by key.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use toml::{Table, Value};
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

/// A secret that stands in the file itself is hidden, user, passcode and query of a URL, and of whoever is told all but where
/// and by which program: the address of a hook often is its secret, and a command may be given one.
fn shown(key: &str, value: &str) -> String {
    let name = key.rsplit(['.', ' ']).next().unwrap_or_default();
    let is_secret =
        ["secret", "passphrase", "password", "passcode", "token"].iter().any(|word| name.ends_with(word));
    // The number of a version says nothing of the secret.
    if is_secret && name != "current-secret" {
        return HIDDEN.to_owned();
    }
    let Some(read) = read(value) else { return HIDDEN.to_owned() };
    match (key.starts_with("notify "), name, read) {
        (true, "url", Value::String(text)) => Value::String(config::url_origin(&text)),
        (true, "command", Value::Array(words)) => program(words),
        (true, "url" | "command", _) => return HIDDEN.to_owned(),
        (.., other) => without_secrets(other),
    }
    .to_string()
}

fn read(value: &str) -> Option<Value> {
    format!("value = {value}").parse::<Table>().ok()?.remove("value")
}

/// Whether there are arguments is shown.
fn program(words: Vec<Value>) -> Value {
    let has_arguments = words.len() > 1;
    let program = words.into_iter().take(1);
    Value::Array(program.chain(has_arguments.then(|| Value::String(HIDDEN.to_owned()))).collect())
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(public(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

/// Of a URL, neither user and passcode nor the query.
fn public(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, format!("?{HIDDEN}")),
        None => (rest, String::new()),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let rest = match authority.rsplit_once('@') {
        Some((user, _)) => format!("{HIDDEN}{}", rest.get(user.len()..).unwrap_or_default()),
        None => rest.to_owned(),
    };
    format!("{scheme}://{rest}{query}")
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
            ("issuer \"i\".keys", "\"https://i.example/keys?k=x\"", "\"https://i.example/keys?hidden\""),
            ("x.urls", "[\"https://a:b@x/\", 7]", "[\"https://hidden@x/\", 7]"),
            ("limits.grace", "\"10s\"", "\"10s\""),
            ("limits.max-associations", "5", "5"),
        ] {
            assert_eq!(shown(key, value), expected);
        }
    }

    #[test]
    fn of_whoever_is_told_host_and_program_are_shown() {
        for (key, value, expected) in [
            ("url", "\"https://hooks.example:8443/T0/s3cret?x=y\"", "\"https://hooks.example:8443/…\""),
            ("url", "'https://hooks.example/\"s3cret'", "\"https://hooks.example/…\""),
            ("url", "\"https://hooks.example\"", "\"https://hooks.example\""),
            ("url", "[\"https://hooks.example/s3cret\"]", "hidden"),
            ("command", "[\"/bin/tell\", \"--key\", \"s3cret\"]", "[\"/bin/tell\", \"hidden\"]"),
            ("command", "[\"/bin/tell\"]", "[\"/bin/tell\"]"),
            ("command", "\"/bin/tell s3cret\"", "hidden"),
            ("when", "[\"disk\"]", "[\"disk\"]"),
        ] {
            assert_eq!(shown(&format!("notify \"a.url\".{key}"), value), expected);
        }
    }
}
