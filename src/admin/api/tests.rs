//! The document says what the routes are.

use super::document;
use serde_json::{Value, json};

#[test]
fn the_document_has_every_resource_with_its_answers_in_kebab_case() {
    let document: Value = serde_json::to_value(document()).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    for (path, method) in [
        ("/api/v1/status", "get"),
        ("/api/v1/associations", "get"),
        ("/api/v1/associations/changes", "get"),
        ("/api/v1/associations/{id}", "get"),
        ("/api/v1/associations/{id}/abort", "post"),
        ("/api/v1/refusals", "get"),
        ("/api/v1/peers", "get"),
        ("/api/v1/upstreams", "get"),
        ("/api/v1/upstreams/{name}/echo", "post"),
        ("/api/v1/limits", "get"),
        ("/api/v1/certificates", "get"),
        ("/api/v1/configuration", "get"),
        ("/api/v1/events", "get"),
        ("/api/v1/reload", "post"),
        ("/api/v1/drain", "post"),
        ("/api/v1/log-level", "put"),
        ("/api/v1/explain", "post"),
        ("/api/v1/trace", "post"),
        ("/api/v1/session", "get"),
        ("/api/v1/session", "post"),
        ("/api/v1/session", "delete"),
        ("/metrics", "get"),
        ("/health", "get"),
        ("/ready", "get"),
    ] {
        assert!(paths[path][method]["responses"].is_object(), "{method} {path}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        for key in schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys()) {
            assert!(
                key.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{name} {key}"
            );
        }
    }
    assert_eq!(schemas["Association"]["properties"]["from-peer"]["$ref"], "#/components/schemas/Lane");
}

#[test]
fn the_document_says_how_somebody_shows_who_they_are() {
    let document: Value = serde_json::to_value(document()).unwrap();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(schemes["session"]["in"], "cookie");
    assert_eq!(schemes["session"]["name"], "__Host-dimsegate");
    assert_eq!([&schemes["token"]["type"], &schemes["token"]["scheme"]], ["http", "bearer"]);
    // Over the socket and with a certificate nothing of it is shown.
    assert_eq!(document["security"], json!([{}, {"session": []}, {"token": []}]));
}

#[test]
fn what_a_monitor_asks_is_described_with_its_answers() {
    let document: Value = serde_json::to_value(document()).unwrap();
    let answers = |path: &str| document["paths"][path]["get"]["responses"].clone();
    assert!(answers("/metrics")["200"]["content"]["application/openmetrics-text"].is_object());
    for path in ["/health", "/ready"] {
        assert!(answers(path)["200"]["content"]["text/plain"].is_object(), "{path}");
        assert!(answers(path)["default"]["content"]["application/problem+json"].is_object(), "{path}");
    }
    assert!(answers("/ready")["503"]["content"]["application/problem+json"].is_object());
}
