//! The scored set of `tests/deid`: how much of what a curator would ask for is done, as its judge says by pydicom.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::association::Association;
use crate::command::Command as Dimse;
use crate::gate::{self, Gate, Setup};
use crate::object::Object;
use crate::peers::{self, peers_folder};
use crate::process::Finished;
use crate::scratch::Scratch;
use crate::upper::{EXPLICIT_LITTLE, Request};

/// Percent of all checks. Raise it with what raises the score; what lowers it is a regression.
const FLOOR: f64 = 99.5;
/// Actions of which no check may fail.
const WHOLE: [&str; 9] = [
    "date_shifted",
    "uid_changed",
    "uid_consistent",
    "pixels_hidden",
    "pixels_retained",
    "tag_retained",
    "text_notnull",
    "interval_retained",
    "patid_consistent",
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
    let (asked, failed) =
        (told["asked"].as_u64().expect("a number"), told["failed"].as_array().expect("a list").len());
    let said = format!("{} of {} checks", in_thousands(asked - failed as u64), in_thousands(asked));
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("the README");
    assert!(readme.contains(&said), "{said}");
    let of_set = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deid/README.md"))
        .expect("its own");
    assert!(of_set.contains(&format!("`profile.toml` | {reached:.2} %")), "{reached}");
}

fn in_thousands(number: u64) -> String {
    format!("{},{:03}", number / 1000, number % 1000)
}

#[test]
fn the_set_is_the_same_each_time() {
    let folder = Scratch::new();
    let [one, other] = ["one", "other"].map(|name| made(&folder.path().join(name)));
    let names = |folder: &Path| -> BTreeSet<_> {
        std::fs::read_dir(folder)
            .expect("objects")
            .map(|entry| entry.expect("an object").file_name())
            .collect()
    };
    assert!(names(&one).len() > 30 && names(&one) == names(&other));
    for name in names(&one) {
        let [one, other] = [&one, &other].map(|folder| std::fs::read(folder.join(&name)).expect("an object"));
        assert!(one == other, "{}", name.display());
    }
}

/// Makes the set in a folder; where its objects are.
fn made(set: &Path) -> PathBuf {
    let mut make = Command::new(peers_folder().join("venv/bin/python3"));
    make.env("PYTHONDONTWRITEBYTECODE", "1");
    make.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/deid/score")).arg("make").arg(set);
    Finished::run(make).expect_success();
    set.join("objects")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of UTF-8")
}

/// What is the same as before has kept everything and hidden nothing: a judge that passed it would pass anything.
#[test]
fn its_judge_sees_that_nothing_was_done() {
    let folder = Scratch::new();
    let [set, json]: [PathBuf; 2] = ["set", "score.json"].map(|name| folder.path().join(name));
    let objects = made(&set);
    let (_, told) = score(&["judge", text(&set), text(&objects)], &json);
    let passed: Vec<&str> = told["passed"].as_object().expect("actions").keys().map(String::as_str).collect();
    for action in ["text_removed", "date_shifted", "uid_changed", "pixels_hidden"] {
        assert!(!passed.contains(&action), "{action}: {}", told["passed"]);
    }
    for action in ["tag_retained", "text_notnull", "text_retained", "pixels_retained", "interval_retained"] {
        assert_eq!(failing(&told, action), Vec::<String>::new(), "{action}");
    }
}

/// A context for each SOP class with each of its transfer syntaxes, and one for what comes out decoded.
fn contexts(objects: &[Object]) -> Vec<(String, String)> {
    let own = objects.iter().map(|object| (object.sop_class.clone(), object.transfer_syntax.clone()));
    let native = objects.iter().map(|object| (object.sop_class.clone(), EXPLICIT_LITTLE.to_owned()));
    own.chain(native).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Sends the objects over one association; how many the archive took.
fn sent(gate: &Gate, objects: &[Object]) -> usize {
    let pairs = contexts(objects);
    let request =
        pairs.iter().fold(Request::new("SITE", "PACS"), |all, (class, syntax)| all.context(class, &[syntax]));
    let mut association = Association::open(&gate.plain(), &request).expect("an association");
    let mut taken = 0;
    for (number, object) in objects.iter().enumerate() {
        let pair = (object.sop_class.clone(), object.transfer_syntax.clone());
        let context = pairs.binary_search(&pair).expect("a context") as u8 * 2 + 1;
        let store = Dimse::c_store_rq(number as u16, &object.sop_class, &object.sop_instance);
        association.send(context, &store, Some(&object.data_set)).expect("an object sent");
        taken += usize::from(association.status().expect("an answer") == 0);
    }
    association.release().expect("a release");
    taken
}

/// What remembers pseudonyms, so that they lead back.
const CROSSWALK: &str = r#"
[[crosswalk]]
name = "readers"
file = "crosswalk/readers"
key-file = "conf/crosswalk.key"
"#;

/// What an archive has got of the set, where the proxy has these keys for the peer and, with a crosswalk, remembers.
fn in_flight(set: &Path, objects: &[Object], peer: &str, remembers: bool) -> Value {
    let archive = peers::storescp(&["+xa"]);
    let rules = include_str!("../deid/profile.toml").replace("profile.key", "conf/pseudonym.key");
    let rules = match remembers {
        true => {
            rules.replace("profile = \"basic\"", "profile = \"basic\"\ncrosswalk = \"readers\"") + CROSSWALK
        }
        false => rules,
    };
    let gate = Gate::start(&Setup {
        extra: Box::leak(rules.into_boxed_str()),
        peers: gate::peer(peer),
        ..Setup::plain(archive.address)
    });
    // All but the dose report as a picture.
    assert_eq!(sent(&gate, objects), objects.len() - 1, "{}", gate.output());
    assert_eq!(archive.stored(objects.len() - 1).len(), objects.len() - 1);
    score(&["judge", text(set), text(archive.folder.path())], &set.join("score.json")).1
}

#[test]
fn in_flight_it_comes_out_as_it_does_offline_and_both_ways_too() {
    let folder = Scratch::new();
    let [set, json]: [PathBuf; 2] = ["set", "score.json"].map(|name| folder.path().join(name));
    let mut files: Vec<PathBuf> = std::fs::read_dir(made(&set))
        .expect("the set")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let objects: Vec<Object> = files.iter().map(|file| Object::from_file(file).expect("an object")).collect();
    let (_, offline) = score(&["--dimsegate", env!("CARGO_BIN_EXE_dimsegate")], &json);
    let both_ways = "rewrite = \"scored\"\nrewrite-direction = \"from-peer\"\ntwo-way = true";
    for (peer, remembers) in
        [("rewrite = \"scored\"", false), ("rewrite = \"scored\"", true), (both_ways, true)]
    {
        let told = in_flight(&set, &objects, peer, remembers);
        assert_eq!(told["passed"], offline["passed"], "{peer} {remembers}");
    }
}
