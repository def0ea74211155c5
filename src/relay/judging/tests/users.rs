//! Whoever comes, whoever explains and whoever asks again decide alike, also over users, hours and factors.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use time::OffsetDateTime;
use time::macros::datetime;

use super::super::judged;
use crate::config::Settings;
use crate::policy::{
    Blocks, Factor, Factors, Grant, ProvenUser, Refusal, Verdict, decide, granted, recognised,
};
use crate::relay::assumed::assumed;
use crate::relay::identified::Identified;
use crate::relay::live::{Facts as OfAssociation, Live, Proof, Right};
use crate::scratch::Scratch;
use crate::users::{Hash, Store, User, Users};
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

/// A Tuesday, in hours of all roles, of some, and of none.
pub(super) const TIMES: [OffsetDateTime; 3] =
    [datetime!(2026-12-01 10:00 UTC), datetime!(2026-12-01 20:00 UTC), datetime!(2026-12-06 03:00 UTC)];

/// What a role says, by numbers: operations, hours, factors, and how its queries are bounded.
pub(super) type Numbers = [u8; 4];

/// A configuration: the role of the peer, and two that users may have.
pub(super) fn text(users: &Path, roles: [Numbers; 3]) -> String {
    let of = |all: &[&'static str], number: u8| all[usize::from(number) % all.len()];
    let mut text = format!(
        "[audit]\ndirectory = \".\"\n[users]\nfile = \"{}\"\n[[listener]]\nname = \"l\"\naddress = \"127.0.0.1:0\"\n\
         upstream = \"pacs\"\nuser-identity = \"accept\"\nuser-identity-in-clear = true\n\
         [[upstream]]\nname = \"pacs\"\naddresses = [\"127.0.0.1:104\"]\n\
         [[peer]]\nname = \"p\"\nrole = \"peer\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"*\"]\n",
        users.display()
    );
    for ([operations, hours, require, queries], name) in roles.into_iter().zip(["peer", "one", "two"]) {
        let operations = of(&["\"C-FIND\"", "\"C-STORE\", \"C-FIND\"", "\"all\""], operations);
        let hours = of(
            &["", "", "hours = \"mon-fri 07:00-19:00 UTC\"\n", "hours = \"mon-fri 07:00-22:00 UTC\"\n"],
            hours,
        );
        let require = of(
            &[
                "",
                "",
                "require = [\"passcode\"]\n",
                "require = [\"one-time-code\"]\n",
                "require = [\"certificate\"]\n",
                "require = [\"token\"]\n",
            ],
            require,
        );
        let queries = of(&["", "max-answers = 5\n", "max-patients-per-day = 5\n"], queries);
        text.push_str(&format!(
            "[[role]]\nname = \"{name}\"\noperations = [{operations}]\nsop-classes = [\"all\"]\n{hours}{require}{queries}"
        ));
    }
    text
}

/// How a user is in the file, by numbers.
fn user(hash: &Hash, [roles, disabled, peers, ends]: Numbers) -> User {
    let roles: &[&str] = [&["one"][..], &["two"], &["one", "two"], &[]][usize::from(roles) % 4];
    let peers: &[&str] = [&[][..], &[], &["p"], &["q"]][usize::from(peers) % 4];
    User {
        name: "anna".into(),
        hash: hash.clone(),
        one_time: None,
        roles: roles.iter().map(|&role| role.into()).collect(),
        not_after: (ends % 4 == 0).then_some(TIMES[1] - time::Duration::HOUR),
        disabled: disabled % 4 == 0,
        peers: peers.iter().map(|&peer| peer.into()).collect(),
    }
}

pub(super) fn facts<T>(
    (user, now): (Option<&ProvenUser>, OffsetDateTime),
    asked: impl FnOnce(&crate::policy::Facts<'_>) -> T,
) -> T {
    let (calling, called) = ("CT1".parse::<AeTitle>().unwrap(), "PACS".parse::<AeTitle>().unwrap());
    asked(&crate::policy::Facts {
        listener: "l",
        address: "127.0.0.1".parse().unwrap(),
        certificate: None,
        tls: None,
        authorities: &[],
        user,
        calling: &calling.to_raw(),
        called: &called.to_raw(),
        contexts: &[],
        blocks: &Blocks::default(),
        now,
    })
}

/// As `run` decides: who it is comes first, then the user is proven, and then what both may.
pub(super) fn run(
    settings: &Settings,
    user: Option<&ProvenUser>,
    now: OffsetDateTime,
) -> Result<Grant, Refusal> {
    let peer = facts((None, now), |facts| recognised(&settings.policy, facts))?;
    match facts((user, now), |facts| granted(&settings.policy, facts, &peer)) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

/// As `explain` does, with all that the user has to prove.
fn explained(settings: &Settings, user: Option<&User>, now: OffsetDateTime) -> Result<Grant, Refusal> {
    facts((None, now), |facts| recognised(&settings.policy, facts))?;
    let passcode = Factors::default().with(Factor::Passcode);
    let user = assumed(&settings.listeners[0], user.map(|user| (user, passcode)), now)?;
    match facts((user.as_ref(), now), |facts| decide(&settings.policy, facts)) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

pub(super) fn entered(grant: &Grant) -> OfAssociation {
    OfAssociation {
        id: "1".into(),
        listener: "l".into(),
        peer: grant.peer.name.clone(),
        upstream: grant.upstream.clone(),
        upstream_address: "127.0.0.1:104".into(),
        from: ([127, 0, 0, 1], 4711).into(),
        calling: grant.calling.clone(),
        called: grant.called.clone(),
        certificate: None,
        user: Some("anna".into()),
        contexts: Default::default(),
        since: Instant::now(),
    }
}

/// What is drawn: the roles before and after, the user before and after, whether one comes at all, and when.
type Drawn = (([Numbers; 3], [Numbers; 3], [bool; 3]), (Numbers, Numbers), bool, (usize, usize));

fn drawn() -> impl Strategy<Value = Drawn> {
    let roles = (any::<[Numbers; 3]>(), any::<[Numbers; 3]>(), any::<[bool; 3]>());
    (roles, any::<(Numbers, Numbers)>(), prop::bool::weighted(0.8), (0..3_usize, 0..3_usize))
}

#[test]
fn run_explain_and_a_reload_decide_alike_over_users_hours_and_factors() {
    let home = Scratch::new();
    let file = home.path().join("users.toml");
    let hash = Hash::of("seven quiet herons").unwrap();
    let store = Store::new(&file);
    store.add(user(&hash, [0, 1, 0, 1])).unwrap();
    let users = Users::open(&file, None).unwrap();
    let now_is = |one: User| {
        store.change("anna", |anna| *anna = one).unwrap();
        users.reload().unwrap();
    };
    let mut runner = TestRunner::new(ProptestConfig::with_cases(192));
    let property = |((before, after, is_same), (then, since), is_named, (first, later)): Drawn| {
        let after = [0, 1, 2].map(|at| if is_same[at] { before[at] } else { after[at] });
        let [old, new] = [before, after].map(|roles| super::settings(&text(&file, roles)));
        let (then, since) = (user(&hash, then), user(&hash, since));
        let (first, later) = (TIMES[first], TIMES[later].max(TIMES[first]));
        let named = |user| Some(user).filter(|_| is_named);
        // Whoever has not proven to be a user has been refused before this by `run`, as by `explain`.
        let expected = explained(&old, named(&then), first);
        now_is(then.clone());
        if is_named && users.still("anna", first).is_err() {
            let before = facts((None, first), |facts| recognised(&old.policy, facts)).err();
            let reason = before.map_or(Reason::UserIdentityWrong, |refusal| refusal.reason);
            prop_assert_eq!(expected.map(|_| ()).map_err(|refusal| refusal.reason), Err(reason));
            return Ok(());
        }
        let proven = named(&then).map(Identified::of);
        let (grant, expected) = match (run(&old, proven.as_ref(), first), expected) {
            (Ok(grant), Ok(expected)) => (grant, expected),
            (one, other) => {
                let reason =
                    |told: Result<Grant, Refusal>| told.map(|_| ()).map_err(|refusal| refusal.reason);
                prop_assert_eq!(reason(one), reason(other));
                return Ok(());
            }
        };
        prop_assert!(grant.rights.covers(&expected.rights) && expected.rights.covers(&grant.rights));

        let proof = Proof { user: proven.map(Arc::new), ..Proof::default() };
        let right = Right::new(old.clone(), grant.peer.clone(), grant.rights.clone(), proof);
        let live = Live::default();
        let alive = live.enter(entered(&grant), right);
        let ask =
            |rules: &Arc<Settings>, now| judged(rules, alive.entry(), Some(&users), &Blocks::default(), now);
        prop_assert!(ask(&old, first).is_none(), "nothing has changed");
        now_is(since.clone());
        let lost = ask(&new, later).map(|lost| lost.reason);
        match explained(&new, named(&since), later) {
            Ok(now) => {
                let lost_some = !now.rights.covers(&grant.rights);
                prop_assert_eq!(lost, lost_some.then_some(Reason::PolicyChanged));
            }
            Err(refusal) if refusal.reason == Reason::UserIdentityWrong => prop_assert!(lost.is_some()),
            Err(refusal) => prop_assert_eq!(lost, Some(refusal.reason)),
        }
        Ok(())
    };
    runner.run(&drawn(), property).unwrap();
}
