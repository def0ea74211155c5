//! Who is gone, and how much of that is shown.

use time::macros::datetime;

use super::findings::findings;
use super::model::{Review, Trail};
use super::page::{ROWS, page};
use super::text::text;
use super::who::Names;
use crate::audit::reading::access::{Access, Use};
use crate::audit::reading::figures::Period;

const NOW: time::OffsetDateTime = datetime!(2026-03-03 0:00 UTC);

fn came() -> Use {
    Use { seen: Some((NOW, NOW)), associations: 2, ..Use::default() }
}

fn names() -> Names<'static> {
    Names { peers: ["lyon"].into(), users: ["bert"].into(), issuers: vec!["login", "other"] }
}

fn review(access: &Access) -> Review {
    let names = names();
    let trail = Trail {
        directory: "audit".to_owned(),
        records: 1,
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
    review.findings = findings(&review, NOW);
    review
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
    let shown = text(&review);
    assert!(shown.contains("login: 2 users, 4 associations, the last 2026-03-03T00:00:00Z"), "{shown}");
    assert!(page(&review, NOW).contains("Issuer other: nobody came"));
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
