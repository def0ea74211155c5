//! The access review: who may come, held against a trail that real requestors made.

use std::fs;

use dimsegate::users::Store;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::browser::Browser;
use crate::gate::{self, Gate, Setup, run};
use crate::object::Object;
use crate::page::is_for_everybody;
use crate::peers;
use crate::user_identity::{PASSCODE, start};

const ADMIN: &str = "[admin]\nlisten = [\"unix:admin.sock\"]\nstate-directory = \"state\"\n";

/// DCMTK stores and asks as bert, somebody guesses bert's passcode, and nobody else comes. Of a proxy that has stopped.
fn reviewed() -> Gate {
    let archive = peers::storescp(&[]);
    let other = gate::peer("networks = [\"192.0.2.0/24\"]").replace("\"site\"", "\"geneva\"");
    let listener = "user-identity = \"accept\"\nuser-identity-in-clear = true";
    let setup = Setup {
        listener,
        extra: ADMIN,
        peers: format!("{}\n{other}", gate::peer("")),
        ..Setup::plain(archive.address)
    };
    let (mut gate, _) = start(&setup);
    let soon = OffsetDateTime::now_utc() + Duration::days(10);
    let store = Store::new(&gate.site.path("conf/users.toml"));
    store.change("nora", |nora| nora.not_after = Some(soon)).expect("a user");
    let (_folder, files) = peers::files_of(&[Object::ct(4096)]);
    let user = ["-aet", "SITE", "-usr", "bert", "-pwd", PASSCODE];
    peers::requestor("storescu", gate.address, &[&user[..], &["-R"]].concat(), &[&files[0]]).expect_success();
    peers::requestor("echoscu", gate.address, &["-aet", "SITE"], &[]).expect_success();
    for _ in 0..6 {
        let guess = ["-aet", "SITE", "-usr", "bert", "-pwd", "a guess of twelve"];
        assert!(!peers::requestor("storescu", gate.address, &guess, &[&files[0]]).success);
    }
    let blocked =
        run(&gate.site, &["block", "ae-title:<b>LOST", "--reason", "lost & found", "-c", "dimsegate.toml"]);
    assert_eq!(blocked.status, 0, "{}", blocked.err);
    assert!(gate.stop().success());
    gate
}

fn review_from(gate: &Gate, from: &str) -> Value {
    let ran = run(&gate.site, &["review", "-c", "dimsegate.toml", "--from", from, "--json"]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).expect("JSON")
}

/// When the trail begins, of whose span nothing is missing then.
fn beginning(gate: &Gate) -> String {
    review_from(gate, "90d")["trail"]["begins"].as_str().expect("a time").to_owned()
}

fn review(gate: &Gate) -> Value {
    review_from(gate, &beginning(gate))
}

fn named<'v>(all: &'v Value, name: &str) -> &'v Value {
    let mut all = all.as_array().expect("a list").iter();
    all.find(|one| one["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

/// How often each operation was done.
fn done(one: &Value) -> Vec<(String, u64)> {
    let all = one["rights"]["operations"].as_array().expect("operations").iter();
    let done = all.filter(|right| right["times"] != 0);
    done.map(|right| {
        (right["name"].as_str().unwrap_or_default().into(), right["times"].as_u64().unwrap_or(0))
    })
    .collect()
}

fn finds(review: &Value, kind: &str, about: &str) -> String {
    let mut all = review["findings"].as_array().expect("a list").iter();
    let found = all.find(|finding| finding["kind"] == kind && finding["about"] == about);
    let found = found.unwrap_or_else(|| panic!("no {kind} about {about} in {}", review["findings"]));
    found["sentence"].as_str().expect("a sentence").to_owned()
}

#[test]
fn each_peer_and_user_is_held_against_what_dcmtk_did_as_them() {
    let gate = reviewed();
    let review = review(&gate);
    let (site, geneva) = (named(&review["peers"], "site"), named(&review["peers"], "geneva"));
    assert_eq!(done(site), [("C-ECHO".to_owned(), 1), ("C-STORE".to_owned(), 1)]);
    assert_eq!((&site["seen"]["associations"], &site["seen"]["with"]), (&json!(2), &json!(["bert"])));
    assert_eq!(site["rights"]["sop-classes"][0], json!({"name": "CTImageStorage", "times": 1}));
    assert_eq!(site["seen"]["refused"]["user-identity-wrong"], 5);
    assert!(finds(&review, "rights-never-used", "peer site").starts_with("never used C-FIND, "));
    assert_eq!((&geneva["seen"]["last"], done(geneva)), (&Value::Null, Vec::new()));
    assert!(
        finds(&review, "peer-never-seen", "peer geneva").starts_with("never came: take the [[peer]] of ")
    );
    let (anna, bert) = (named(&review["users"], "anna"), named(&review["users"], "bert"));
    assert_eq!((done(bert), &bert["seen"]["with"]), (vec![("C-STORE".to_owned(), 1)], &json!(["site"])));
    assert_eq!((&bert["has-one-time-code"], &anna["has-one-time-code"]), (&json!(false), &json!(true)));
    finds(&review, "user-never-seen", "user anna");
    finds(&review, "no-second-factor", "user bert");
    assert!(finds(&review, "account-ends", "user nora").starts_with("ends in "));
    let guess = &review["guesses"][0];
    assert_eq!(
        (&guess["user"], &guess["times"], &guess["locked-out"]),
        (&json!("bert"), &json!(6), &json!(1))
    );
    finds(&review, "locked-out", "user bert");
    assert!(finds(&review, "blocked", "ae-title:<b>LOST").contains("lost & found"));
    assert_eq!(review["block-changes"].as_array().map(Vec::len), Some(1));
    assert_eq!(review["trail"]["is-intact"], true, "{}", review["trail"]);
    let text = run(&gate.site, &["review", "-c", "dimsegate.toml"]);
    assert_eq!(text.status, 0, "{}", text.err);
    for told in ["the records begin at ", "the records are intact", "1 C-ECHO, 1 C-STORE", "while locked out"]
    {
        assert!(text.out.contains(told), "{told} in {}", text.out);
    }
    let before = run(&gate.site, &["review", "-c", "dimsegate.toml", "--from", "9d", "--to", "2d", "--json"]);
    let before: Value = serde_json::from_str(&before.out).expect("JSON");
    finds(&before, "peer-never-seen", "peer site");
    let notes = fs::read_dir(gate.site.path("audit/used")).expect("notes").flatten();
    let notes: String = notes.filter_map(|note| fs::read_to_string(note.path()).ok()).collect();
    assert!(notes.contains("\"review\""), "who looked is a record: {notes}");
}

#[test]
fn of_a_time_before_the_records_begin_nobody_is_said_to_be_needless() {
    let gate = reviewed();
    let begins = beginning(&gate);
    let review = review_from(&gate, "90d");
    let told = finds(&review, "records-begin-later", "the trail");
    assert_eq!(told, format!("the records begin at {begins}: who came before is not told of"));
    assert!(finds(&review, "peer-never-seen", "peer geneva").starts_with("is in no record that was read"));
    assert!(!review.to_string().contains("[[peer]]"), "{review}");
    let text = run(&gate.site, &["review", "-c", "dimsegate.toml", "--from", "90d"]);
    assert_eq!(text.out.lines().nth(2), Some(&*format!("the records begin at {begins}")), "{}", text.out);
    let all = review_from(&gate, &begins);
    assert!(!all["findings"].to_string().contains("records-begin-later"), "{all}");
}

#[test]
fn a_trail_that_was_changed_is_said_first_and_by_the_status() {
    let gate = reviewed();
    let mut files =
        fs::read_dir(gate.site.path("audit")).expect("a folder").flatten().map(|entry| entry.path());
    let file = files.find(|path| path.to_string_lossy().contains("audit-20")).expect("a file");
    let text = fs::read_to_string(&file).expect("records");
    fs::write(&file, text.replacen("\"user\":\"bert\"", "\"user\":\"bart\"", 1)).expect("a file written");
    let ran = run(&gate.site, &["review", "-c", "dimsegate.toml", "--json"]);
    assert_eq!(ran.status, 4, "{}", ran.err);
    let review: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        (&review["findings"][0]["kind"], &review["trail"]["is-intact"]),
        (&json!("trail-not-proven"), &json!(false))
    );
    named(&review["gone"], "bart");
}

#[test]
fn the_page_of_a_review_is_for_everybody_and_shows_nothing_as_markup() {
    let gate = reviewed();
    let from = beginning(&gate);
    let ran = run(&gate.site, &["review", "-c", "dimsegate.toml", "--from", &from, "-o", "review.html"]);
    assert!(ran.status == 0 && ran.out.starts_with("review.html: "), "{}{}", ran.out, ran.err);
    let browser = Browser::start();
    browser.open(&format!("file://{}", gate.site.path("review.html").display()));
    browser.run("document.querySelectorAll('details').forEach(row => row.open = true)");
    for (section, told) in [
        ("#decide", "never came: take the [[peer]] of line"),
        ("#peers", "CTImageStorage"),
        ("#users", "passcode alone"),
        ("#ends", "the user nora"),
        ("#guesses", "bert"),
        ("#blocks", "ae-title:<b>LOST"),
        ("#reading", "they are intact"),
    ] {
        let text = browser.text(section);
        assert!(text.contains(told), "{told} in {text}");
    }
    assert_eq!(browser.run("return document.querySelectorAll('#blocks b, #decide b').length"), 0);
    let axe = peers::peers_folder().join("node/node_modules/axe-core/axe.min.js");
    browser.run(&fs::read_to_string(axe).expect("axe-core, which tests/run installs"));
    is_for_everybody(&browser, "review");
}
