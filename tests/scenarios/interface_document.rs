//! The document of the administration interface held against the interface: whatever it is asked, and by whomever, it answers as
//! the document says, and goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use serde_json::{Map, Value, json};

use crate::login::{OWN_PAGE, PASSCODE, Scene, with};
use crate::raw::{self, verification};
use crate::wait;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    /// Over loopback, without a session.
    Nobody,
    /// The same with one.
    Viewer,
    /// Over the socket.
    Administrator,
}

/// An answer, and what was asked.
struct Heard {
    asked: String,
    status: u16,
    media_type: String,
    body: String,
}

trait Both: Read + Write {}

impl<S: Read + Write> Both for S {}

/// Values that somebody puts where a name is expected.
const NAMES: [&str; 9] = [
    "nothing",
    "%3Cscript%3Ealert(1)%3C%2Fscript%3E",
    "%00",
    "%ff",
    "..%2F..%2Fetc%2Fpasswd",
    "-1",
    "18446744073709551616",
    "%F0%9F%A9%BB",
    "a%0d%0ab",
];

/// Contents that are no JSON, or none of an object.
fn contents() -> Vec<String> {
    let short =
        ["", "{", "null", "[]", "1e999", "\"text\"", "{\"__proto__\":{}}", "{\"a\":1,\"a\":2}", "\u{0}"];
    let deep = ["[".repeat(20_000), format!("{}1{}", "{\"a\":".repeat(200), "}".repeat(200))];
    short.map(str::to_owned).into_iter().chain(deep).collect()
}

/// Values of a property, whatever the document says of it.
fn values() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!([]),
        json!({}),
        json!("x".repeat(5_000)),
        json!("<script>"),
        json!("\u{0}\r\n"),
        json!([["a"]]),
    ]
}

/// What is right, where the document alone does not say it.
fn right(path: &str) -> Value {
    match path {
        "/api/v1/blocks" => json!({"of": "ae-title:NOBODY", "for": "1h", "reason": "a test"}),
        "/api/v1/explain" => json!({"listener": "remote", "from": "127.0.0.1", "calling-ae-title": "SITE",
            "called-ae-title": "PACS", "sop-classes": ["Verification"]}),
        "/api/v1/log-level" => json!({"level": "debug"}),
        "/api/v1/session" => json!({"user": "vera", "passcode": PASSCODE}),
        "/api/v1/trace" => {
            json!({"peer": "site", "address": "127.0.0.0/8", "calling-ae-title": "SITE", "for": "1h"})
        }
        _ => json!({"reason": "a test"}),
    }
}

/// Values of properties that are right by themselves, and need not be beside the others.
fn by_itself(key: &str) -> Vec<Value> {
    match key {
        "refusal" => vec![json!("of-nobody")],
        "tls" => ["1.2", "1.3", "1.1"].map(|version| json!(version)).into(),
        "at" => vec![json!("2026-11-30T12:00:00+01:00"), json!("9999-12-31T23:59:59Z")],
        "user" => vec![json!("nora"), json!("nobody")],
        "factors" => vec![json!(["passcode"]), json!(["passcode", "passcode"]), json!(["retina"])],
        "certificate" => vec![json!("-----BEGIN CERTIFICATE-----\nMAAA\n-----END CERTIFICATE-----\n")],
        _ => Vec::new(),
    }
}

struct Interface {
    scene: Scene,
    cookie: String,
    document: Value,
}

impl Interface {
    fn start() -> Self {
        let scene = Scene::start("");
        let cookie = with(&scene.log_in("vera", PASSCODE, ""));
        let document = scene.ask("GET", "/api/openapi.json", &cookie, "").body;
        Self { scene, cookie, document }
    }

    fn ask(&self, caller: Caller, method: &str, path: &str, content: &str) -> Heard {
        let socket = self.scene.gate.site.path("admin.sock");
        let stream: Box<dyn Both> = match caller {
            Caller::Administrator => {
                let stream = UnixStream::connect(socket).expect("the socket");
                stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
                Box::new(stream)
            }
            _ => {
                let stream = TcpStream::connect(self.scene.address).expect("the interface");
                stream.set_read_timeout(Some(wait::PATIENCE)).expect("a limit");
                Box::new(stream)
            }
        };
        let session = if caller == Caller::Viewer { self.cookie.as_str() } else { "" };
        let length = content.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {session}{OWN_PAGE}\r\n"
        );
        let short: String = content.chars().take(200).collect();
        heard(
            stream,
            &[head.as_bytes(), content.as_bytes()].concat(),
            format!("{caller:?} {method} {path} {short}"),
        )
    }

    /// What the document says of a method of a path.
    fn operation(&self, path: &str, method: &str) -> Option<&Value> {
        self.document["paths"][path].get(method.to_ascii_lowercase())
    }

    /// Holds an answer against the document.
    fn judge(&self, operation: Option<&Value>, heard: &Heard) {
        let Heard { asked, status, media_type, body } = heard;
        let said = format!("{asked}: {status} {media_type} {}", body.chars().take(500).collect::<String>());
        let Some(operation) = operation else {
            assert!((400..500).contains(status) && media_type == "application/problem+json", "{said}");
            return;
        };
        let responses = &operation["responses"];
        let of_status = responses.get(status.to_string());
        assert!(*status < 500 || of_status.is_some(), "not in the document: {said}");
        let response = of_status.or_else(|| (*status >= 400).then(|| &responses["default"]));
        let response = response.unwrap_or_else(|| panic!("not in the document: {said}"));
        let contents = response["content"].as_object().cloned().unwrap_or_default();
        if contents.is_empty() {
            return assert!(body.is_empty(), "{said}");
        }
        let content =
            contents.get(media_type.as_str()).unwrap_or_else(|| panic!("another media type: {said}"));
        if media_type.ends_with("json") {
            let value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {said}"));
            if let Err(why) = self.conforms(&content["schema"], &value, true) {
                panic!("{why}: {said}");
            }
        }
    }

    /// Whether a value is what a schema says, as far as the document goes; `closed`: it has no keys besides.
    fn conforms(&self, schema: &Value, value: &Value, closed: bool) -> Result<(), String> {
        if let Some(reference) = schema["$ref"].as_str() {
            let schema = self.document.pointer(&reference[1..]).ok_or_else(|| format!("no {reference}"))?;
            return self.conforms(schema, value, closed);
        }
        for (key, is_enough) in [("oneOf", true), ("anyOf", true), ("allOf", false)] {
            let Some(parts) = schema[key].as_array() else { continue };
            let mut results = parts.iter().map(|part| self.conforms(part, value, closed && is_enough));
            match is_enough {
                true if !results.any(|result| result.is_ok()) => {
                    return Err(format!("none of {parts:?} is {value}"));
                }
                true => {}
                false => results.try_for_each(|result| result)?,
            }
        }
        if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
            return Err(format!("{value} is none of {}", schema["enum"]));
        }
        has_type(&schema["type"], value)?;
        if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
            items.iter().try_for_each(|item| self.conforms(schema, item, closed))?;
        }
        match value.as_object() {
            Some(object) if schema["properties"].is_object() => self.has_keys(schema, object, closed),
            _ => Ok(()),
        }
    }

    fn has_keys(&self, schema: &Value, object: &Map<String, Value>, closed: bool) -> Result<(), String> {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for key in required {
            object.get(key).ok_or_else(|| format!("no {key:?}"))?;
        }
        for (key, value) in object {
            match schema["properties"].get(key) {
                Some(schema) => {
                    self.conforms(schema, value, closed).map_err(|why| format!("{key}: {why}"))?
                }
                None if closed && schema.get("additionalProperties").is_none() => {
                    return Err(format!("the document has no {key:?}"));
                }
                None => {}
            }
        }
        Ok(())
    }

    /// Contents for an operation: what nobody expects, what is nearly right, and at last what is.
    fn contents_for(&self, path: &str, operation: Option<&Value>) -> Vec<String> {
        let Some(schema) = operation.and_then(|operation| operation["requestBody"].get("content")) else {
            return vec!["{\"a\":[]}".into(), String::new()];
        };
        let (mut all, right) = (contents(), right(path));
        for key in self.keys(&schema["application/json"]["schema"]) {
            let others = values().into_iter().chain(by_itself(&key)).map(|value| {
                let mut other = right.clone();
                other[&key] = value;
                other.to_string()
            });
            all.extend(others);
        }
        all.push(right.to_string());
        all
    }

    /// The keys that the document has for a content.
    fn keys(&self, schema: &Value) -> Vec<String> {
        if let Some(reference) = schema["$ref"].as_str() {
            return self.keys(self.document.pointer(&reference[1..]).expect("a schema"));
        }
        let parts = ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|of| schema[of].as_array()).flatten();
        let own = schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned();
        own.chain(parts.flat_map(|part| self.keys(part))).collect()
    }
}

fn has_type(types: &Value, value: &Value) -> Result<(), String> {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    };
    let fits = match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("{value} is no {types}")) }
}

/// Sends a request, and reads the answer as far as its length says; of one without a length the head.
fn heard(mut stream: Box<dyn Both>, request: &[u8], asked: String) -> Heard {
    stream.write_all(request).expect("a request written");
    let (mut answer, mut some) = (Vec::new(), [0; 16_384]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let length = field("content-length: ").map(|length| length.parse::<usize>().expect("a number"));
            if length.is_none_or(|length| body.len() >= length) {
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
                let media_type = field("content-type: ").unwrap_or_default();
                let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
                let body = if length.is_some() { body.to_owned() } else { String::new() };
                return Heard { asked, status, media_type, body };
            }
        }
        let count = stream.read(&mut some).unwrap_or_else(|error| panic!("{asked}: {error} after {text}"));
        assert_ne!(count, 0, "{asked}: closed after {text:?}");
        answer.extend_from_slice(&some[..count]);
    }
}

#[test]
fn whatever_is_asked_is_answered_as_the_document_says() {
    let mut interface = Interface::start();
    let Scene { gate, upstream, .. } = &interface.scene;
    let (requestor, acceptor) = raw::open(&gate.plain(), upstream, &verification("SITE", "PACS"), 16384);
    let association = gate.event("association-opened")["association"].as_str().expect("an id").to_owned();
    let paths: Vec<String> =
        interface.document["paths"].as_object().expect("paths").keys().cloned().collect();
    let mut done = Vec::new();
    for path in paths.iter().filter(|path| *path != "/api/v1/drain") {
        let last = if path.contains("associations") { association.as_str() } else { "1" };
        let names = if path.contains('{') { [&NAMES[..], &[last]].concat() } else { vec![""] };
        for (method, name) in ["GET", "PUT", "DELETE", "PATCH", "POST"]
            .iter()
            .flat_map(|method| names.iter().map(move |name| (*method, *name)))
        {
            let operation = interface.operation(path, method);
            let (open, close) = (path.find('{'), path.find('}'));
            let asked = match open.zip(close) {
                Some((open, close)) => format!("{}{name}{}", &path[..open], &path[close + 1..]),
                None => path.clone(),
            };
            // A session that is given up is none any more.
            let callers = match (path.as_str(), method) {
                ("/api/v1/session", "DELETE") => &[Caller::Nobody][..],
                _ => &[Caller::Nobody, Caller::Viewer, Caller::Administrator],
            };
            for caller in callers {
                for content in interface.contents_for(path, operation) {
                    let heard = interface.ask(*caller, method, &asked, &content);
                    interface.judge(operation, &heard);
                    if heard.status < 300 {
                        done.push(format!("{method} {path}"));
                    }
                }
            }
        }
    }
    drop((requestor, acceptor));
    let heard = interface.ask(Caller::Administrator, "POST", "/api/v1/drain", "");
    interface.judge(interface.operation("/api/v1/drain", "POST"), &heard);
    assert_eq!(heard.status, 202, "{}", heard.body);
    assert_eq!(interface.scene.gate.wait().code(), Some(0), "it ends as it was told, and not before");
    let log = interface.scene.gate.output();
    assert!(!log.contains("please report it"), "{log}");
    // What needs somebody else to answer is asked by others.
    let others = ["POST /api/v1/upstreams/{name}/echo", "POST /api/v1/notifications/{name}/test"];
    for (path, method) in paths.iter().flat_map(|path| ["GET", "PUT", "POST"].map(|method| (path, method))) {
        let operation = format!("{method} {path}");
        let is_ours = interface.operation(path, method).is_some() && path != "/api/v1/drain";
        assert!(
            !is_ours || others.contains(&operation.as_str()) || done.contains(&operation),
            "{operation} was never done"
        );
    }
}
