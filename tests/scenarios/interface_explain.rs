//! Decisions that the interface explains: what a token proves, and whether a study is within a scope.

use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::administration::{Answer, exchange};
use crate::gate::{self, Gate, Setup, leaked};
use crate::raw::Upstream;
use crate::tokens::{claiming, issuer, site};

const SCOPE: &str = "scope = [{ tag = \"IssuerOfPatientID\", equals = [\"LYON\"] }, { tag = \"StudyDate\", newer-than = \"90d\" }]";

fn started(upstream: &Upstream) -> Gate {
    let extra = leaked(format!("{}[admin]\nlisten = \"unix:admin.sock\"\n", issuer("")));
    let listener = "user-identity = \"accept\"\nuser-identity-in-clear = true";
    let peers = gate::peer(SCOPE);
    Gate::start_in(site(), &Setup { listener, extra, peers, ..Setup::plain(upstream.address) })
}

/// About an association of the peer, with more.
fn asked(gate: &Gate, more: &Value) -> Answer {
    let mut question = json!({
        "listener": "remote", "from": "127.0.0.1", "calling-ae-title": "SITE", "called-ae-title": "PACS",
        "at": "2026-12-01T10:00:00Z"
    });
    question.as_object_mut().expect("facts").extend(more.as_object().expect("facts").clone());
    let mut stream = UnixStream::connect(gate.site.path("admin.sock")).expect("the socket");
    exchange(&mut stream, "POST", "/api/v1/explain", "", &question.to_string())
}

#[test]
fn the_interface_says_whether_a_study_is_within_the_scope_of_a_peer() {
    let upstream = Upstream::bind();
    let gate = started(&upstream);
    let inside = asked(&gate, &json!({"study": {"IssuerOfPatientID": "LYON", "StudyDate": "20261101"}})).body;
    assert_eq!(inside["allowed"], true, "{inside}");
    assert_eq!(inside["granted"]["study"], "inside: every condition holds");
    let scope = inside["granted"]["scope"].as_str().expect("the scope");
    assert!(scope.contains("IssuerOfPatientID") && scope.contains("StudyDate"), "{scope}");
    for (study, told) in [
        (json!({"IssuerOfPatientID": "PARIS", "StudyDate": "20261101"}), "does not hold"),
        (json!({"IssuerOfPatientID": "LYON", "StudyDate": "20260101"}), "does not hold"),
        (json!({"IssuerOfPatientID": "LYON"}), "cannot be judged by what is said of StudyDate"),
    ] {
        let outside = asked(&gate, &json!({ "study": study })).body;
        assert_eq!((&outside["allowed"], &outside["reason"]), (&json!(false), &json!("outside-scope")));
        let why = outside["why"].as_str().unwrap_or_default();
        assert!(why.starts_with("the study is outside: ") && why.ends_with(told), "{outside}");
    }
    let unknown = asked(&gate, &json!({"study": {"PatientName": "X"}}));
    let detail = unknown.body["detail"].as_str().unwrap_or_default();
    assert!(unknown.status == 400 && detail.contains("write one of StudyDate, "), "{detail}");
}

#[test]
fn the_interface_says_what_a_token_proves_and_takes_none() {
    let upstream = Upstream::bind();
    let gate = started(&upstream);
    let times = json!({"iat": 1_796_119_200, "exp": 1_796_119_500, "jti": "once"});
    let token = claiming(&gate.site, &times);
    // As often as somebody asks: explaining uses nothing up.
    for _ in 0..2 {
        let allowed = asked(&gate, &json!({ "token": token })).body;
        assert_eq!(allowed["allowed"], true, "{allowed}");
        assert_eq!(allowed["granted"]["user-roles"], json!(["all"]));
    }
    let ended = asked(&gate, &json!({"token": token, "at": "2026-12-02T10:00:00Z"})).body;
    assert_eq!((&ended["allowed"], &ended["reason"]), (&json!(false), &json!("token-ended")), "{ended}");
    let both = asked(&gate, &json!({"token": token, "user": "anna"}));
    assert_eq!(
        (both.status, &both.body["detail"]),
        (400, &json!("a token says who it is: leave user and factors out"))
    );
    let told = format!("{:?}{}", gate.records(), gate.output());
    assert!(!told.contains(token.split('.').next_back().expect("a signature")), "a token is told");
}
