//! The scored set of `tests/deid`: how much of what a curator would ask for is done, as its judge says by pydicom.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::peers::peers_folder;
use crate::process::Finished;
use crate::scratch::Scratch;

/// Percent of all checks. Raise it with what raises the score; what lowers it is a regression.
const FLOOR: f64 = 91.1;
/// Actions of which no check may fail.
const WHOLE: [&str; 8] = [
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "pixels_hidden",
    "pixels_retained",
    "tag_retained",
    "text_notnull",
    "interval_retained",
];

fn score(arguments: &[&str], json: &Path) -> (Finished, Value) {
    let mut command = Command::new(peers_folder().join("venv/bin/python3"));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deid/score")).args(arguments);
    command.args(["--kinds", "--failing", "0", "--json"]).arg(json);
    let finished = Finished::run(command);
    let told = std::fs::read(json).unwrap_or_else(|_| panic!("no score: {}", finished.output));
    (finished, serde_json::from_slice(&told).expect("JSON"))
}

/// Paths of failing checks, by action.
fn failing(told: &Value, action: &str) -> Vec<String> {
    let all = told["failed"].as_array().expect("a list").iter();
    let of_action = all.filter(|check| check["action"] == action);
    of_action.map(|check| format!("{} {}: {}", check["object"], check["path"], check["found"])).collect()
}

#[test]
fn the_scored_set_comes_out_no_worse_than_it_did() {
    let folder = Scratch::new();
    let arguments = ["--dciodvfy", "--dimsegate", env!("CARGO_BIN_EXE_dimsegate")];
    let (finished, told) = score(&arguments, &folder.path().join("score.json"));
    assert!(finished.success, "{}", finished.output);
    assert!(told["asked"].as_u64().is_some_and(|asked| asked > 2_500), "{}", told["asked"]);
    for action in WHOLE {
        assert_eq!(failing(&told, action), Vec::<String>::new(), "{action}");
    }
    assert_eq!(told["invalid"], serde_json::json!([]), "what dciodvfy found right before");
    let reached = told["score"].as_f64().expect("a number");
    assert!(reached >= FLOOR, "{reached} of {FLOOR} %, what fails:\n{}", finished.output);
}

/// What is the same as before has kept everything and hidden nothing: a judge that passed it would pass anything.
#[test]
fn its_judge_sees_that_nothing_was_done() {
    let folder = Scratch::new();
    let [set, json]: [PathBuf; 2] = ["set", "score.json"].map(|name| folder.path().join(name));
    let set = set.display().to_string();
    let objects = format!("{set}/objects");
    let mut make = Command::new(peers_folder().join("venv/bin/python3"));
    make.env("PYTHONDONTWRITEBYTECODE", "1");
    make.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deid/score")).args(["make", &set]);
    Finished::run(make).expect_success();
    let (_, told) = score(&["judge", &set, &objects], &json);
    let passed: Vec<&str> = told["passed"].as_object().expect("actions").keys().map(String::as_str).collect();
    for action in ["text_removed", "date_shifted", "uid_changed", "pixels_hidden"] {
        assert!(!passed.contains(&action), "{action}: {}", told["passed"]);
    }
    for action in ["tag_retained", "text_notnull", "text_retained", "pixels_retained", "interval_retained"] {
        assert_eq!(failing(&told, action), Vec::<String>::new(), "{action}");
    }
}
