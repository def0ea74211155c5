//! Who is gone, and how much of that is shown.

use std::collections::BTreeMap;

use time::macros::datetime;

use super::findings::findings;
use super::model::{Account, End, Guess, Review, Reviewed, Seen, Trail};
use super::page::{ROWS, page};
use super::rights::Rights;
use super::text::text;
use super::who::Names;
use crate::audit::reading::access::{Access, Use, access};
use crate::audit::reading::figures::Period;
use crate::audit::reading::files;
use crate::scratch::Scratch;
use crate::users::Refused;

const NOW: time::OffsetDateTime = datetime!(2026-03-03 0:00 UTC);

fn came() -> Use {
    Use { seen: Some((NOW, NOW)), associations: 2, ..Use::default() }
}

fn names() -> Names<'static> {
    Names { peers: ["lyon"].into(), users: ["bert"].into(), issuers: vec!["login", "other"] }
}

fn review(access: &Access) -> Review {
    reviewed(access, |_| ())
}

fn reviewed(access: &Access, more: impl FnOnce(&mut Review)) -> Review {
    let names = names();
    let trail = Trail {
        directory: "audit".to_owned(),
        records: 1,
        begins: Some("2026-01-01T00:00:00Z".to_owned()),
        covers_span: true,
        is_intact: true,
        verdict: "intact".to_owned(),
        unread: 0,
        left_out: access.left_out,
    };
    let mut review = Review {
        configuration: "dimsegate.toml".to_owned(),
        digest: String::new(),
        from: String::new(),
        to: String::new(),
        trail,
        findings: Vec::new(),
        peers: Vec::new(),
        users: Vec::new(),
        issuers: names.issuers(access),
        gone: names.gone(access),
        ends: Vec::new(),
        guesses: Vec::new(),
        blocks: Vec::new(),
        block_changes: Vec::new(),
        period: Period { from: NOW, to: NOW },
    };
    more(&mut review);
    review.findings = findings(&review, NOW);
    review
}

fn peer(name: &str, used: &Use) -> Reviewed {
    Reviewed { name: name.to_owned(), line: 7, seen: Seen::of(Some(used)), rights: Rights::of(&[], used) }
}

fn user(name: &str, used: &Use) -> Account {
    Account {
        name: name.to_owned(),
        state: "in force",
        has_one_time_code: true,
        administration: None,
        ends: None,
        may_use_peers: Vec::new(),
        peers_never_used: Vec::new(),
        seen: Seen::of(Some(used)),
        last_login: None,
        administered: BTreeMap::new(),
        rights: Rights::of(&[], used),
        end: None,
    }
}

/// Kind and sentence of each finding about somebody.
fn about<'r>(review: &'r Review, whom: &str) -> Vec<(&'r str, &'r str)> {
    let of_them = review.findings.iter().filter(|finding| finding.about == whom);
    of_them.map(|finding| (finding.kind, finding.sentence.as_str())).collect()
}

#[test]
fn nobody_is_to_be_taken_out_for_a_time_that_no_records_tell_of() {
    let told = |change: fn(&mut Trail)| {
        reviewed(&Access::default(), |review| {
            review.peers.push(peer("lyon", &Use::default()));
            review.users.push(user("bert", &Use::default()));
            change(&mut review.trail);
        })
    };
    let whole = told(|_| ());
    let out = "never came: take the [[peer]] of line 7 out, if nobody needs it";
    assert_eq!(about(&whole, "peer lyon"), [("peer-never-seen", out)]);
    assert_eq!(about(&whole, "user bert"), [("user-never-seen", "never came, over DIMSE or to log in")]);
    assert!(about(&whole, "the trail").is_empty());
    for short in [
        told(|trail| trail.covers_span = false),
        told(|trail| (trail.covers_span, trail.begins) = (false, None)),
        told(|trail| trail.unread = 1),
        told(|trail| trail.is_intact = false),
    ] {
        for whom in ["peer lyon", "user bert"] {
            let found = about(&short, whom);
            assert!(found[0].1.starts_with("is in no record that was read"), "{found:?}");
        }
        let (text, page) = (text(&short), page(&short, NOW));
        assert!(!text.contains("take the") && !page.contains("never came"), "{text}");
        let begins =
            if short.trail.begins.is_some() { "begin at 2026-01-01T00:00:00Z" } else { "no records" };
        assert!(text.lines().nth(2).is_some_and(|line| line.contains(begins)), "{text}");
        assert!(page.contains(begins));
    }
    let late = told(|trail| trail.covers_span = false);
    let sentence = "the records begin at 2026-01-01T00:00:00Z: who came before is not told of";
    assert_eq!(about(&late, "the trail"), [("records-begin-later", sentence)]);
}

#[test]
fn whoever_was_refused_every_time_came() {
    let refused = [("user-identity-wrong".to_owned(), 60), ("association-rate".to_owned(), 12)];
    let refused = Use { refused: refused.into(), ..Use::default() };
    let let_in = Use { refused: refused.refused.clone(), ..came() };
    let told = reviewed(&Access::default(), |review| {
        review.peers.extend([peer("lyon", &refused), peer("geneva", &let_in)]);
        review.users.extend([user("bert", &refused), user("anna", &Use::default())]);
        review.users.push(Account { last_login: Some("2026-03-01".into()), ..user("nora", &refused) });
        let last = None;
        review.guesses.push(Guess { user: "anna".to_owned(), times: 3, locked_out: 0, last });
    });
    let why = "refused 72 times: user-identity-wrong 60, association-rate 12";
    let sentence = format!("was never let in, and {why}");
    assert_eq!(about(&told, "peer lyon"), [("peer-only-refused", sentence.as_str())]);
    assert!(about(&told, "peer geneva").is_empty());
    assert_eq!(about(&told, "user bert"), [("user-only-refused", sentence.as_str())]);
    let guessed = "was never let in, and 3 wrong proofs came in this name";
    assert_eq!(about(&told, "user anna"), [("user-only-refused", guessed)]);
    let over_dimse = format!("was never let in over DIMSE, and {why}");
    assert_eq!(about(&told, "user nora"), [("user-only-refused", over_dimse.as_str())]);
    let (text, page) = (text(&told), page(&told, NOW));
    assert!(text.contains("never, refused 72 times"), "{text}");
    assert!(page.contains(">only refused <small>") || page.contains(">only refused</span>"), "{page}");
    assert!(page.contains("<b>1</b><span>only refused</span><small>of 2 peers"), "{page}");
}

#[test]
fn users_of_a_token_are_gone_with_their_issuer_only() {
    let mut access = Access::default();
    for user in ["bert", "bart", "login/anna", "login/a/b", "former/nora"] {
        access.users.insert(user.to_owned(), came());
    }
    access.users.insert("login/never".to_owned(), Use::default());
    let review = review(&access);
    let gone: Vec<_> = review.gone.iter().map(|gone| (gone.name.as_str(), gone.why)).collect();
    assert_eq!(
        gone,
        [
            ("bart", "is not in the file of users any more"),
            ("former/nora", "its issuer is not in the configuration")
        ]
    );
    let [login, other] = &review.issuers[..] else { panic!("{:?}", review.issuers) };
    assert_eq!(
        (login.users, login.associations, login.last.as_deref()),
        (2, 4, Some("2026-03-03T00:00:00Z"))
    );
    assert_eq!((other.users, &other.last), (0, &None));
    let who: Vec<_> = login.who.iter().map(|one| (one.name.as_str(), one.seen.associations)).collect();
    assert_eq!(who, [("login/a/b", 2), ("login/anna", 2), ("login/never", 0)]);
    let shown = text(&review);
    assert!(shown.contains("login: 2 users, 4 associations, the last 2026-03-03T00:00:00Z"), "{shown}");
    assert!(page(&review, NOW).contains("Issuer other: nobody came"));
}

#[test]
fn what_records_without_a_reason_say_of_a_login_is_what_is_said_today() {
    let wrong = [
        Refused::Unknown,
        Refused::Passcode,
        Refused::CodeMissing,
        Refused::Code,
        Refused::CodeUsed,
        Refused::Disabled,
        Refused::Ended,
        Refused::Locked { until: NOW },
    ];
    let others = [Refused::Busy, Refused::Unavailable("no key".to_owned())];
    let folder = Scratch::new();
    let lines: String = wrong.iter().chain(&others).enumerate().map(|(at, refused)| {
        format!(
            r#"{{"time":"2026-03-02T01:00:00.000000Z","event":"administration","sequence":{at},"user":"anna","action":"login","resource":"/api/v1/session","outcome":"refused","explanation":"{refused}"}}"#
        ) + "\n"
    }).collect();
    std::fs::write(folder.path().join("audit-2026-03-02.jsonl"), lines).unwrap();
    let period = Period { from: NOW - time::Duration::DAY, to: NOW };
    let told = access(&files(folder.path()).unwrap(), period, &Default::default());
    assert_eq!((told.wrong["anna"].times, told.wrong["anna"].locked), (wrong.len() as u64, 1));
}

#[test]
fn users_of_tokens_are_told_each_and_what_they_did_together() {
    let mut access = Access::default();
    for number in 0..ROWS + 50 {
        let operations = [("C-STORE".to_owned(), 2), ("C-FIND".to_owned(), u64::from(number == 0))];
        let with = ["lyon".to_owned()].into();
        let used = Use { operations: operations.into(), with, ..came() };
        access.users.insert(format!("login/{number:04}"), used);
    }
    let review = review(&access);
    let login = &review.issuers[0];
    assert_eq!((login.who.len(), login.operations["C-STORE"], login.operations["C-FIND"]), (250, 500, 1));
    let json = serde_json::to_value(&review).unwrap();
    let last = &json["issuers"][0]["who"][249];
    assert_eq!((&last["name"], &last["operations"]["C-STORE"]), (&"login/0249".into(), &2.into()));
    assert_eq!(last["seen"]["with"][0], "lyon");
    let text = text(&review);
    assert!(text.contains("250 users, 500 associations, 1 C-FIND, 500 C-STORE, the last "), "{text}");
    let page = page(&review, NOW);
    assert!(page.contains("50 users more, whom --json names") && page.contains("login/0199"));
    assert!(!page.contains("login/0200"));
}

#[test]
fn of_whoever_came_before_the_span_no_certificate_ends() {
    let folder = Scratch::new();
    for (day, peer) in [(1, "gone"), (3, "lyon")] {
        let opened = format!(
            r#"{{"time":"2026-03-0{day}T01:00:00.000000Z","event":"association-opened","sequence":{day},"association":"a-{day}","listener":"remote","peer":"{peer}","address":"203.0.113.7","port":1,"tls":{{"version":"1.3","cipher":"TLS_AES_256_GCM_SHA384","subject":"CN={peer}","fingerprint":"{peer}","not-after":"2026-03-04T00:00:00Z"}},"calling-ae-title":"A","called-ae-title":"PACS"}}"#
        );
        std::fs::write(folder.path().join(format!("audit-2026-03-0{day}.jsonl")), opened + "\n").unwrap();
    }
    let files = files(folder.path()).unwrap();
    let places = |from| {
        let ends = super::ends(&files, Vec::new(), Period { from, to: NOW }, NOW);
        ends.into_iter().map(|end| end.place).collect::<Vec<_>>()
    };
    assert_eq!(places(datetime!(2026-03-01 0:00 UTC)), ["peer gone", "peer lyon"]);
    assert_eq!(places(datetime!(2026-03-02 0:00 UTC)), ["peer lyon"]);
}

#[test]
fn of_those_who_are_gone_the_first_are_shown_and_the_others_counted() {
    let mut access = Access::default();
    for number in 0..ROWS + 50 {
        access.peers.insert(format!("old-{number:04}"), came());
    }
    access.users.insert("bart".to_owned(), came());
    let review = review(&access);
    assert_eq!((review.gone.len(), review.findings.len()), (ROWS + 51, ROWS + 2));
    let shown = text(&review);
    assert!(shown.contains("- 50 more peers: came") && shown.contains("- user bart: came"), "{shown}");
    assert!(!shown.contains("old-0200"));
    let page = page(&review, NOW);
    assert!(page.contains("50 peers more, which --json names") && !page.contains("old-0200"));
}

#[test]
fn names_that_were_left_out_are_said_first() {
    let mut access = Access { left_out: 3, ..Access::default() };
    access.users.insert("bart".to_owned(), came());
    let review = review(&access);
    let first = &review.findings[0];
    assert_eq!((first.kind, first.tone), ("names-left-out", "bad"));
    assert!(first.sentence.contains("3 names or more"), "{}", first.sentence);
    assert!(page(&review, NOW).contains("3 names or more"));
}

#[test]
fn a_certificate_is_bad_where_it_ended_and_worth_a_warning_where_it_soon_will() {
    let told = reviewed(&Access::default(), |review| {
        for (place, days) in [("gone", -1), ("soon", 10), ("later", 400)] {
            review.ends.push(End {
                at: String::new(),
                what: "a certificate".to_owned(),
                place: place.to_owned(),
                end: NOW + time::Duration::days(days),
            });
        }
    });
    let found: Vec<_> = told.findings.iter().map(|one| (one.about.as_str(), one.kind, one.tone)).collect();
    assert!(found.contains(&("gone", "certificate-ended", "bad")), "{found:?}");
    assert!(found.contains(&("soon", "certificate-ends", "warn")), "{found:?}");
}
