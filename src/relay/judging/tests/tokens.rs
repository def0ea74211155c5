//! The same of users whom a token proves: whoever comes, whoever explains and whoever asks again decide alike.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::judged;
use super::users::{Numbers, TIMES, entered, facts, run, text};
use crate::config::Settings;
use crate::policy::{Blocks, Grant, ProvenUser, Refusal, Verdict, decide, recognised};
use crate::relay::borne::{borne, borne_verdict, reason_of, still_borne};
use crate::relay::identified::Identified;
use crate::relay::live::{Live, Proof, Right};
use crate::scratch::Scratch;
use crate::tokens::{Presented, Purpose, verify};
use crate::users::{Hash, Store, User};
use crate::vocabulary::Reason;

/// Issuers of a configuration: none, one of two audiences, one of another, one that says another `iss`.
const ISSUERS: [Option<(&str, &str)>; 4] = [
    None,
    Some(("https://login.example", "[\"gate\", \"desk\"]")),
    Some(("https://login.example", "[\"desk\"]")),
    Some(("https://other.example", "[\"gate\", \"desk\"]")),
];

fn configured(home: &Path, roles: [Numbers; 3], issuer: usize) -> Arc<Settings> {
    let mut told = text(&home.join("users.toml"), roles);
    if let Some((issuer, audience)) = ISSUERS[issuer % ISSUERS.len()] {
        told.push_str(&format!(
            "[[issuer]]\nname = \"login\"\nissuer = \"{issuer}\"\naudience = {audience}\nalgorithms = [\"EdDSA\"]\n\
             leeway = \"0s\"\nmax-life = \"7d\"\nkeys = \"{}\"\n",
            home.join("keys").display()
        ));
    }
    super::settings(&told)
}

fn signed(key: &Ed25519KeyPair, claims: &Value) -> Vec<u8> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "1"})), part(claims));
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(key.sign(text.as_bytes()))).into_bytes()
}

/// What a token says, by numbers: roles, and when it ends.
fn claims([roles, ends]: [u8; 2], begins: OffsetDateTime) -> Value {
    let roles: &[&str] = [&["one"][..], &["two"], &["one", "two"], &[]][usize::from(roles) % 4];
    let lasts = [60, 3_600 * 24, 3_600 * 24 * 6, -60][usize::from(ends) % 4];
    let begins = begins.unix_timestamp() - 120;
    json!({
        "iss": "https://login.example", "aud": "gate", "sub": "anna", "roles": roles,
        "iat": begins, "exp": begins + 120 + lasts,
    })
}

/// As `run` does with a token: who it is comes first, then the token is checked, and then what both may.
fn came(settings: &Settings, token: &[u8], now: OffsetDateTime) -> Result<(Grant, Proof), Reason> {
    facts((None, now), |facts| recognised(&settings.policy, facts)).map_err(|refusal| refusal.reason)?;
    if settings.issuers.is_empty() {
        return Err(Reason::UserIdentityUnsupported);
    }
    let purpose = Purpose::Association { calling: "CT1", interface: settings.interface_audience() };
    let presented = Presented { token, purpose, certificate: None };
    let bearer = verify(&settings.issuers, &presented, now).map_err(|failed| reason_of(&failed.refused))?;
    let user = Identified::borne(&bearer);
    let grant = run(settings, Some(&user), now).map_err(|refusal| refusal.reason)?;
    Ok((grant, Proof { user: Some(user), ..Proof::default() }))
}

/// As `explain --token` does.
fn explained(settings: &Settings, token: &[u8], now: OffsetDateTime) -> Result<Grant, Refusal> {
    facts((None, now), |facts| recognised(&settings.policy, facts))?;
    let borne = facts((None, now), |facts| borne(&settings.listeners[0], settings, facts, token))?;
    let (user, once) = borne.unzip();
    match facts((user.as_ref(), now), |facts| borne_verdict(settings, facts, once.flatten().as_ref())) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal),
    }
}

/// The roles and the issuer before and after, the token, and when.
type Drawn = (([Numbers; 3], [Numbers; 3], [bool; 3]), (usize, usize), [u8; 2], (usize, usize));

/// Mostly what a token can get, since little is asked where nobody comes in.
fn a_role() -> impl Strategy<Value = Numbers> {
    let hours = prop::sample::select(&[0_u8, 0, 0, 0, 0, 2, 3][..]);
    let require = prop::sample::select(&[0_u8, 0, 0, 5, 5, 5, 5, 5, 5, 2, 4][..]);
    (any::<u8>(), hours, require, any::<u8>())
        .prop_map(|(operations, hours, require, queries)| [operations, hours, require, queries])
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let three = || [a_role(), a_role(), a_role()];
    let roles = (three(), three(), [0.7, 0.7, 0.5].map(prop::bool::weighted));
    let before = prop::sample::select(&[1, 1, 1, 1, 1, 1, 0, 2, 3][..]);
    let after = prop::sample::select(&[1, 1, 1, 1, 1, 0, 2, 3][..]);
    let says = [&[0_u8, 1, 2, 2, 3][..], &[0, 0, 0, 1, 2, 3]].map(prop::sample::select);
    (roles, (before, after), says, (0..3_usize, 0..3_usize))
}

/// A folder with the key of an issuer, and with a file of users, which says nothing of those of tokens.
fn home() -> (Scratch, Ed25519KeyPair) {
    let home = Scratch::new();
    let key = Ed25519KeyPair::generate().unwrap();
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "1", "alg": "EdDSA", "use": "sig",
        "x": URL_SAFE_NO_PAD.encode(key.public_key())});
    fs::write(home.path().join("keys"), json!({"keys": [jwk]}).to_string()).unwrap();
    let anna = User {
        name: "anna".into(),
        hash: Hash::of("seven quiet herons").unwrap(),
        one_time: None,
        roles: vec!["one".into()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    };
    Store::new(&home.path().join("users.toml")).add(anna).unwrap();
    (home, key)
}

/// Which kind of a case was met.
type Met = usize;

/// What a reload makes of an association, against what is explained of its token and, since it outlives that, of its user.
fn reloaded(
    (grant, user): (&Grant, &ProvenUser),
    (new, next): (&Settings, usize),
    (token, later): (&[u8], OffsetDateTime),
    lost: Option<Reason>,
) -> Result<Met, TestCaseError> {
    let still =
        still_borne(new, &user.name).map(|()| facts((Some(user), later), |facts| decide(&new.policy, facts)));
    match (explained(new, token, later), still) {
        (Ok(now), _) => {
            let lost_some = !now.rights.covers(&grant.rights);
            prop_assert_eq!(lost, lost_some.then_some(Reason::PolicyChanged));
            Ok(1)
        }
        // It would be nobody's token any more.
        (Err(refusal), _) if next != 1 && refusal.reason != Reason::TokenEnded => {
            prop_assert!(lost.is_some(), "{:?}", refusal.reason);
            Ok(2)
        }
        (Err(refusal), Ok(Verdict::Allow(now))) => {
            prop_assert_eq!(refusal.reason, Reason::TokenEnded);
            let lost_some = next != 1 || !now.rights.covers(&grant.rights);
            prop_assert_eq!(lost, lost_some.then_some(Reason::PolicyChanged));
            Ok(3)
        }
        (Err(_), Ok(Verdict::Refuse(refusal))) => {
            let reason = if next == 1 { refusal.reason } else { Reason::PolicyChanged };
            prop_assert_eq!(lost, Some(reason));
            Ok(3)
        }
        (Err(_), Err(_)) => {
            prop_assert_eq!(lost, Some(Reason::PolicyChanged));
            Ok(2)
        }
    }
}

#[test]
fn run_explain_and_a_reload_decide_alike_over_tokens() {
    let (home, key) = home();
    let seen = std::cell::RefCell::new([0_u32; 4]);
    let property = |((before, after, is_same), (issuer, next), says, (first, later)): Drawn| {
        let after = [0, 1, 2].map(|at| if is_same[at] { before[at] } else { after[at] });
        let (old, new) = (configured(home.path(), before, issuer), configured(home.path(), after, next));
        let (first, later) = (TIMES[first], TIMES[later].max(TIMES[first]));
        let token = signed(&key, &claims(says, first));
        let (grant, proof) = match (came(&old, &token, first), explained(&old, &token, first)) {
            (Ok((grant, proof)), Ok(expected)) => {
                prop_assert!(grant.rights.covers(&expected.rights) && expected.rights.covers(&grant.rights));
                (grant, proof)
            }
            (one, other) => {
                seen.borrow_mut()[0] += 1;
                prop_assert_eq!(one.map(|_| ()), other.map(|_| ()).map_err(|refusal| refusal.reason));
                return Ok(());
            }
        };
        let user = proof.user.clone().unwrap();
        let right = Right::new(old.clone(), grant.peer.clone(), grant.rights.clone(), proof);
        let live = Live::default();
        let alive = live.enter(entered(&grant), right);
        let ask = |rules: &Arc<Settings>, now| judged(rules, alive.entry(), None, &Blocks::default(), now);
        prop_assert!(ask(&old, first).is_none(), "nothing has changed");
        let lost = ask(&new, later).map(|lost| lost.reason);
        let met = reloaded((&grant, &user), (&new, next), (&token, later), lost)?;
        seen.borrow_mut()[met] += 1;
        Ok(())
    };
    TestRunner::new(ProptestConfig::with_cases(512)).run(&drawn(), property).unwrap();
    let seen = *seen.borrow();
    assert!(seen.iter().all(|count| *count > 0), "each kind was met: {seen:?}");
}
