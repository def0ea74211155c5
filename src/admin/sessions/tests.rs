use super::{COOKIE, Lives, MOST, MOST_OF_USER, Person, Sessions, id, named};
use crate::users::AdminRole;
use crate::users::Hash;
use axum::http::{HeaderMap, HeaderValue, header};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

static HASH: LazyLock<Hash> = LazyLock::new(|| Hash::of("seven quiet herons").unwrap());

const LIVES: Lives = Lives { idle: Duration::from_secs(900), max: Duration::from_secs(8 * 3600) };

fn person(name: &str) -> Person {
    Person { name: name.into(), role: AdminRole::Operator, passcode: HASH.clone() }
}

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

#[test]
fn a_session_lives_while_it_is_used_and_never_longer_than_the_longest() {
    let (sessions, start) = (Sessions::default(), Instant::now());
    let value = sessions.begin(person("anna"), LIVES, start).unwrap();
    assert_eq!(value.len(), 64);
    let id = id(&value);
    let left = |at| sessions.use_one(&id, LIVES, start + at).map(|(person, left)| (person.name, left));
    assert_eq!(left(minutes(14)), Some(("anna".into(), minutes(15))));
    // Looking is no use of it.
    assert!(sessions.look(&id, LIVES, start + minutes(28)).is_some());
    assert!(sessions.look(&id, LIVES, start + minutes(29)).is_none());
    for minute in (28..=476).step_by(14) {
        assert!(left(minutes(minute)).is_some(), "{minute}");
    }
    assert_eq!(left(minutes(479)), Some(("anna".into(), minutes(1))), "the rest of eight hours");
    assert_eq!(left(minutes(480)), None);
    let other = super::id(&sessions.begin(person("anna"), LIVES, start).unwrap());
    assert!(sessions.use_one(&other, LIVES, start + minutes(15)).is_none());
    assert!(sessions.use_one(&other, LIVES, start).is_none(), "what has ended does not come back");
}

#[test]
fn ten_thousand_logins_leave_a_thousand_sessions_and_sixteen_of_one_user() {
    let (sessions, start) = (Sessions::default(), Instant::now());
    let first = id(&sessions.begin(person("anna"), LIVES, start).unwrap());
    let mut last = first;
    for count in 1..=MOST_OF_USER as u64 {
        assert!(sessions.use_one(&first, LIVES, start + minutes(1)).is_some() || count == 0);
        last = id(&sessions.begin(person("anna"), LIVES, start + Duration::from_millis(count)).unwrap());
    }
    let is_open = |id| sessions.look(id, LIVES, start + minutes(1)).is_some();
    assert!(is_open(&first) && is_open(&last), "the one that has been idle longest goes");
    assert_eq!(sessions.open().len(), MOST_OF_USER);
    for count in 0..10_000 {
        let name = format!("user{}", count % 2000);
        sessions.begin(person(&name), LIVES, start + minutes(2)).unwrap();
    }
    assert_eq!(sessions.open().len(), MOST);
    assert!(!is_open(&first));
    sessions.end_all();
    assert_eq!(sessions.open().len(), 0);
}

#[test]
fn a_request_names_one_session_or_none() {
    let of = |fields: &[&str]| {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::COOKIE, HeaderValue::from_str(field).unwrap());
        }
        named(&headers)
    };
    assert_eq!(of(&["a=b; __Host-dimsegate=77;c=d"]), Some(id("77")));
    assert_eq!(of(&["dimsegate=77", "x__Host-dimsegate=77"]), None);
    for two in
        [&["__Host-dimsegate=77", "__Host-dimsegate=77"][..], &["__Host-dimsegate=1; __Host-dimsegate=2"]]
    {
        assert_eq!(of(two), Some(id("")), "which of them is meant is not guessed");
    }
    for text in [super::kept("77").as_str(), &super::forgotten()] {
        assert!(
            text.starts_with(COOKIE) && text.ends_with("; Secure; HttpOnly; SameSite=Strict; Path=/"),
            "{text}"
        );
    }
}
