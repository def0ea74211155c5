use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::checks::UnderWay;
use super::lookup::Lookup;
use super::standing::{Candidate, Standing};
use super::{Availability, NotReached, Place};
use crate::config::{Balance, Health, UpstreamSettings};
use crate::vocabulary::Reason;

const CHECKED: Health = Health { echo: Duration::from_secs(30), rise: 2, fall: 3 };

fn settings(addresses: &[&str], balance: Balance, health: Option<Health>) -> Arc<UpstreamSettings> {
    Arc::new(UpstreamSettings {
        name: "pacs".into(),
        addresses: addresses.iter().map(ToString::to_string).collect(),
        called_ae_title: None,
        calling_ae_title: None,
        connect_timeout: Duration::from_secs(5),
        wait: Duration::ZERO,
        response_timeout: None,
        balance,
        health,
        resolve: Duration::from_secs(30),
        send_proxy_protocol: false,
        user_identity: crate::config::ForwardedIdentity::Strip,
        tls: None,
        line: 1,
    })
}

fn standing(settings: &Arc<UpstreamSettings>) -> Arc<Standing> {
    let nobody: Lookup = Arc::new(|_| Err(io::Error::other("no name server")));
    Standing::new(settings.clone(), nobody)
}

fn ask(standing: &Standing, settings: &UpstreamSettings) -> Vec<String> {
    standing.candidates(settings).0.into_iter().map(|candidate| candidate.called).collect()
}

fn at(address: &str) -> Candidate {
    Candidate { address: address.parse().unwrap(), called: address.to_owned() }
}

fn admitted(standing: &Arc<Standing>, address: &str) -> Place {
    standing.admit(&at(address)).unwrap_or_else(|refused| panic!("{}", refused.detail))
}

fn gone() -> NotReached {
    NotReached { connected: false, ..NotReached::new(Reason::UpstreamUnreachable, "refused") }
}

fn availability(standing: &Standing) -> Vec<Availability> {
    standing.state().addresses.iter().map(|address| address.availability).collect()
}

const TWO: [&str; 2] = ["10.0.0.5:104", "10.0.0.6:104"];

#[tokio::test]
async fn one_that_is_down_is_left_out_at_once_and_the_upstream_is_down_with_its_last_one() {
    let settings = settings(&TWO, Balance::Failover, None);
    let standing = standing(&settings);
    let down = standing.down();
    let fail = |address: &str| admitted(&standing, address).failed(&gone());
    (0..3).for_each(|_| fail(TWO[0]));
    let refused = standing.admit(&at(TWO[0])).err().unwrap();
    assert_eq!(refused.reason, Reason::UpstreamUnreachable);
    assert_eq!(refused.detail, "down for 0 s, not asked now: refused");
    assert_eq!(availability(&standing), [Availability::Down, Availability::Up]);
    assert!(!down.has_changed().unwrap(), "the other one serves");
    (0..3).for_each(|_| fail(TWO[1]));
    assert_eq!(down.borrow().as_deref(), Some("10.0.0.5:104: refused; 10.0.0.6:104: refused"));
    assert_eq!(standing.state().availability, Availability::Down);
    assert_eq!(ask(&standing, &settings), TWO, "it is for whoever wants a place to find out");
}

#[tokio::test]
async fn what_serves_an_association_is_there_however_late_it_answers_another() {
    let standing = standing(&settings(&TWO[..1], Balance::Failover, None));
    let mut place = admitted(&standing, TWO[0]);
    place.opened();
    let late = NotReached::new(Reason::UpstreamTls, "no answer");
    for _ in 0..10 {
        admitted(&standing, TWO[0]).failed(&late);
    }
    let state = standing.state();
    assert_eq!((state.availability, state.addresses[0].associations), (Availability::Up, 1));
    assert_eq!(state.addresses[0].last_failure.as_ref().map(|(_, why)| why.as_str()), Some("no answer"));
    drop(place);
    for _ in 0..3 {
        admitted(&standing, TWO[0]).failed(&late);
    }
    let state = standing.state();
    assert_eq!((state.availability, state.addresses[0].associations), (Availability::Down, 0));
}

#[tokio::test]
async fn silence_after_a_request_takes_no_address_down_and_a_connection_brings_it_back() {
    let silence = NotReached::new(Reason::UpstreamTimeout, "no answer");
    for health in [None, Some(CHECKED)] {
        let standing = standing(&settings(&TWO[..1], Balance::Failover, health));
        let ask_in_vain = || {
            let mut place = admitted(&standing, TWO[0]);
            place.connected();
            place.unanswered(&silence);
        };
        (0..10).for_each(|_| ask_in_vain());
        let state = standing.state();
        assert_eq!(state.availability, Availability::Up);
        assert_eq!(state.addresses[0].last_failure.as_ref().map(|(_, why)| why.as_str()), Some("no answer"));
        (0..2).for_each(|_| admitted(&standing, TWO[0]).failed(&gone()));
        ask_in_vain();
        admitted(&standing, TWO[0]).failed(&gone());
        let is_down = standing.state().availability == Availability::Down;
        // Where it is checked, nobody's connection says that it answers.
        assert_eq!(is_down, health.is_some());
    }
}

#[tokio::test]
async fn silence_has_an_address_checked_that_has_answered_lately() {
    let standing = standing(&settings(&TWO[..1], Balance::Failover, Some(CHECKED)));
    admitted(&standing, TWO[0]).answered();
    let begins = |later| {
        let mut book = standing.book();
        let (_, entry) = book.entries.iter_mut().next().unwrap();
        entry.begins_check(&CHECKED, tokio::time::Instant::now() + Duration::from_secs(later))
    };
    assert!(!begins(3), "it answered");
    let _waits = admitted(&standing, TWO[0]);
    let silent = || admitted(&standing, TWO[0]).unanswered(&NotReached::new(Reason::UpstreamTimeout, "none"));
    silent();
    assert!(!begins(0) && begins(3));
    standing.checked(&at(TWO[0]), Ok(Ok(Duration::ZERO)));
    assert!(!begins(3), "it answered again");
    silent();
    admitted(&standing, TWO[0]).answered();
    assert!(!begins(3), "it answered somebody else");
}

#[tokio::test]
async fn addresses_take_turns_or_the_one_with_the_fewest_comes_first() {
    let turns = settings(&TWO, Balance::RoundRobin, None);
    let round = standing(&turns);
    let first = |asked: Vec<String>| asked.into_iter().next().unwrap();
    for expected in [TWO[0], TWO[1], TWO[0]] {
        assert_eq!(first(ask(&round, &turns)), expected);
    }
    let fewest = settings(&TWO, Balance::LeastAssociations, None);
    let least = standing(&fewest);
    let place = admitted(&least, TWO[0]);
    assert_eq!(first(ask(&least, &fewest)), TWO[1]);
    let (_other, _more) = (admitted(&least, TWO[1]), admitted(&least, TWO[1]));
    assert_eq!(first(ask(&least, &fewest)), TWO[0]);
    drop(place);
    assert_eq!(ask(&least, &fewest), TWO);
}

#[tokio::test]
async fn checks_bring_it_back_and_a_refusal_is_an_answer() {
    let standing = standing(&settings(&TWO[..1], Balance::Failover, Some(CHECKED)));
    let down = standing.down();
    let check = |shown| standing.checked(&at(TWO[0]), shown);
    (0..3).for_each(|_| check(Err(gone())));
    assert!(down.borrow().is_some() && standing.admit(&at(TWO[0])).is_err());
    check(Ok(Err("A-ASSOCIATE-RJ 1/1/7".to_owned())));
    assert_eq!(availability(&standing), [Availability::Probing]);
    assert_eq!(standing.state().addresses[0].check_refused.as_deref(), Some("A-ASSOCIATE-RJ 1/1/7"));
    check(Ok(Ok(Duration::from_millis(3))));
    let state = &standing.state().addresses[0];
    assert_eq!(state.availability, Availability::Up);
    assert_eq!((state.last_check, &state.check_refused), (Some(Duration::from_millis(3)), &None));
    assert_eq!(*down.borrow(), None);
}

#[tokio::test]
async fn nobody_is_checked_who_serves_or_has_answered_lately() {
    let standing = standing(&settings(&TWO, Balance::Failover, Some(CHECKED)));
    let mut place = admitted(&standing, TWO[0]);
    let due = || standing.checks_due().0.into_iter().map(|due| due.called).collect::<Vec<_>>();
    assert_eq!(due(), [TWO[1]]);
    assert_eq!(due(), [""; 0], "one at a time");
    place.opened();
    drop(place);
    drop(UnderWay::new(standing.clone(), at(TWO[1]).address));
    standing.checked(&at(TWO[1]), Err(gone()));
    assert_eq!(due(), [""; 0], "it answered an association");
    let (_, next) = standing.checks_due();
    let soon = next.unwrap().saturating_duration_since(tokio::time::Instant::now());
    assert!(soon <= Duration::from_secs(2), "{soon:?}: one has failed");
}

/// A name server whose answer can be changed.
fn name_server() -> (Lookup, Arc<Mutex<Option<Vec<SocketAddr>>>>) {
    let answer = Arc::new(Mutex::new(None));
    let answers = answer.clone();
    let lookup: Lookup = Arc::new(move |name| {
        let answer: Option<Vec<SocketAddr>> = answers.lock().unwrap().clone();
        answer.ok_or_else(|| io::Error::other(format!("{name} is not known")))
    });
    (lookup, answer)
}

#[tokio::test]
async fn a_name_that_moves_is_followed_and_one_that_is_lost_keeps_its_last_addresses() {
    let settings = settings(&["pacs.example:104"], Balance::Failover, None);
    let (lookup, answer) = name_server();
    let standing = Standing::new(settings.clone(), lookup);
    assert_eq!(standing.candidates(&settings), (vec![], vec!["pacs.example:104"]));
    assert_eq!(
        standing.found(&settings, &["pacs.example:104"]).await,
        (vec![], vec!["pacs.example:104: pacs.example:104 is not known".to_owned()])
    );
    assert_eq!(standing.state().availability, Availability::Down);
    let becomes = |addresses: Option<&[&str]>| {
        let addresses = addresses.map(|all| all.iter().map(|one| one.parse().unwrap()).collect());
        *answer.lock().unwrap() = addresses;
    };
    becomes(Some(&TWO));
    let (_, spared) = standing.found(&settings, &["pacs.example:104"]).await;
    assert_eq!(spared.len(), 1, "not asked again at once");
    standing.look_up("pacs.example:104", Duration::from_secs(60)).await.unwrap();
    let called = TWO.map(|address| format!("pacs.example:104 ({address})"));
    assert_eq!(ask(&standing, &settings), called, "every address is a candidate");
    assert_eq!(standing.state().availability, Availability::Up);
    let place = admitted(&standing, TWO[0]);
    becomes(Some(&["10.0.0.7:104"]));
    assert_eq!(ask(&standing, &settings), called, "as it was looked up");
    standing.look_up("pacs.example:104", Duration::from_secs(60)).await.unwrap();
    let moved = ["pacs.example:104 (10.0.0.7:104)"];
    assert_eq!(ask(&standing, &settings), moved);
    assert_eq!(standing.state().addresses.len(), 1, "whoever is still served elsewhere is not shown");
    drop(place);
    becomes(None);
    standing.look_up("pacs.example:104", Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(ask(&standing, &settings), moved);
    assert_eq!(standing.state().availability, Availability::Up);
}

#[tokio::test]
async fn all_who_wait_share_one_look_up_and_nobody_waits_who_has_somebody_to_ask() {
    let settings = settings(&["pacs.example:104", TWO[0]], Balance::Failover, None);
    let (go, held) = std::sync::mpsc::channel::<()>();
    let (held, times) = (Mutex::new(held), Arc::new(Mutex::new(0)));
    let counted = times.clone();
    let lookup: Lookup = Arc::new(move |_| {
        *counted.lock().unwrap() += 1;
        let _ = held.lock().unwrap().recv();
        Ok(vec![TWO[1].parse().unwrap()])
    });
    let standing = Standing::new(settings.clone(), lookup);
    assert_eq!(ask(&standing, &settings), [TWO[0]]);
    let name = "pacs.example:104";
    for _ in 0..3 {
        let late = standing.look_up(name, Duration::from_millis(1)).await;
        assert_eq!(late, Err("looking it up took longer than 1ms".to_owned()));
    }
    let told = [format!("{name}: looking it up took longer than 1ms")];
    assert_eq!(standing.problems(&[name]), told);
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let standing = standing.clone();
            tokio::spawn(async move { standing.look_up(name, Duration::from_secs(60)).await })
        })
        .collect();
    tokio::task::yield_now().await;
    go.send(()).unwrap();
    for one in waiting {
        assert_eq!(one.await.unwrap(), Ok(()));
    }
    assert_eq!(*times.lock().unwrap(), 1, "one look-up for all");
    assert_eq!(ask(&standing, &settings), [format!("{name} ({})", TWO[1]), TWO[0].to_owned()]);
}
