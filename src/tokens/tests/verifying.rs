use aws_lc_rs::{digest, hmac};
use proptest::prelude::*;
use serde_json::{Value, json};
use time::Duration;

use super::{
    Algorithm, AtEnd, Bearer, Claim, NOW, Signer, but, claims, encoded, issuer, judge, judge_with, refused,
};
use crate::tokens::{Issuer, MOST_LEEWAY, Refused};

fn claim(refused: Refused) -> String {
    match refused {
        Refused::Claim { claim, problem } => format!("{claim} {problem}"),
        other => panic!("{other}"),
    }
}

fn malformed(refused: Refused) -> String {
    match refused {
        Refused::Malformed(what) => what,
        other => panic!("{other}"),
    }
}

#[test]
fn a_token_signed_in_each_way_proves_its_user_with_the_roles_that_it_has() {
    use Algorithm::{EdDsa, Es256, Es384, Ps256, Rs256};
    for algorithm in [Es256, Es384, EdDsa, Rs256, Ps256] {
        let signer = Signer::new(algorithm, "1");
        let bearer = judge(&issuer(&[&signer]), &signer.with(&claims())).unwrap();
        let roles = vec!["reader".to_owned(), "stranger".to_owned()];
        assert_eq!(
            bearer,
            Bearer { user: "login/anna".into(), roles, ends: None, once: None },
            "{algorithm}"
        );
        let other = Signer::new(algorithm, "1");
        let signature = Refused::Signature { issuer: "login".into() };
        assert_eq!(refused(&issuer(&[&signer]), &other.with(&claims())), signature, "{algorithm}");
    }
}

#[test]
fn what_no_private_key_has_signed_is_refused_whatever_it_calls_itself() {
    let signer = Signer::new(Algorithm::Es256, "1");
    let rsa = Signer::new(Algorithm::Rs256, "2");
    let trusted = issuer(&[&signer, &rsa]);
    let signed = |header: Value| format!("{}.{}", encoded(header.to_string()), encoded(claims().to_string()));
    for none in ["none", "None", "NONE", ""] {
        let text = signed(json!({"alg": none}));
        for token in [format!("{text}."), format!("{text}.{}", encoded(signer.sign(&text)))] {
            assert!(matches!(refused(&trusted, &token), Refused::Algorithm { .. }), "{none:?}");
        }
    }
    // The public key as the secret, in the forms that somebody may have it in.
    for secret in [rsa.jwk["n"].as_str().unwrap().to_owned(), rsa.jwk.to_string()] {
        let text = signed(json!({"alg": "HS256", "kid": "2"}));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes());
        let told = refused(&trusted, &format!("{text}.{}", encoded(tag)));
        assert!(told.to_string().contains("signed by \"HS256\", which is not among"), "{told}");
    }
    // A key of its own in the header, and where it lies.
    let thief = Signer::new(Algorithm::Es256, "1");
    for with in [json!({"jwk": thief.jwk}), json!({"jku": "https://thief.example/keys"})] {
        let mut header = json!({"alg": "ES256"});
        header.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        let token = thief.token(&header.to_string(), &claims().to_string());
        assert_eq!(refused(&trusted, &token), Refused::Signature { issuer: "login".into() });
    }
    // A way that the key could, and its issuer does not.
    let only = Issuer { algorithms: vec![Algorithm::Ps256], ..issuer(&[&rsa]) };
    assert!(matches!(refused(&only, &rsa.with(&claims())), Refused::Algorithm { .. }));
    let mixed = signer.token(r#"{"alg":"RS256","kid":"1"}"#, &claims().to_string());
    assert!(matches!(refused(&trusted, &mixed), Refused::Key { .. }), "a key for something else");
}

#[test]
fn what_is_no_token_is_told_by_what_is_wrong_with_it() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let trusted = issuer(&[&signer]);
    let good = signer.with(&claims());
    let header = signer.header().to_string();
    let told = |token: &str| malformed(refused(&trusted, token));
    for token in ["", ".", "a.b", "a.b.c.d", "..."] {
        assert_eq!(told(token), "it has not three parts with dots between them", "{token:?}");
    }
    assert_eq!(told(".."), "its part with the header is no JSON");
    assert_eq!(told("+.e30.e30"), "its part with the header is no base64url");
    assert_eq!(told(&format!("{good}=")), "its signature is no base64url");
    assert_eq!(told(&format!("{good}\n")), "its signature is no base64url");
    assert_eq!(told(&"a".repeat(65_536)), "it is longer than 65535 bytes");
    assert_eq!(told(&signer.token("{}", "{}")), "its header has no alg");
    assert_eq!(told(&signer.token(r#"{"alg":1}"#, "{}")), "alg of its header is no string");
    let twice = r#"{"alg":"EdDSA","kid":"1","kid":"1"}"#;
    assert_eq!(
        told(&signer.token(twice, &claims().to_string())),
        "its part with the header says a member twice"
    );
    let long = json!({"alg": "EdDSA", "x5c": "A".repeat(4000)}).to_string();
    assert_eq!(told(&signer.token(&long, "{}")), "its header is longer than 4096 bytes");
    let mut doubled = claims().to_string();
    doubled.insert_str(1, r#""sub":"bert","#);
    assert_eq!(told(&signer.token(&header, &doubled)), "its part with the claims says a member twice");
    let many: Value =
        (0..201).map(|at| (at.to_string(), json!(at))).collect::<serde_json::Map<_, _>>().into();
    assert_eq!(told(&signer.with(&many)), "it has more than 200 claims");
    for critical in [json!(["exp"]), json!([]), json!("b64")] {
        let token =
            signer.token(&json!({"alg": "EdDSA", "crit": critical}).to_string(), &claims().to_string());
        assert_eq!(refused(&trusted, &token), Refused::Critical);
    }
    for (kind, is_let) in
        [("at+JWT", true), ("application/at+jwt", true), ("logout+jwt", false), ("JWE", false)]
    {
        let token = signer.token(&json!({"alg": "EdDSA", "typ": kind}).to_string(), &claims().to_string());
        assert_eq!(judge(&trusted, &token).is_ok(), is_let, "{kind}");
    }
    // As large as a request has room for, and right.
    let filled = signer.with(&but(json!({"x": "y".repeat(48_500)})));
    assert!(filled.len() > 64_500 && judge(&trusted, &filled).is_ok(), "{}", filled.len());
}

#[test]
fn each_claim_that_counts_is_there_and_says_what_it_may() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let trusted = issuer(&[&signer]);
    let of = |changes: Value| refused(&trusted, &signer.with(&but(changes)));
    for name in ["iss", "sub", "aud", "exp"] {
        assert_eq!(claim(of(json!({ name: null }))), format!("{name} is missing"));
    }
    assert_eq!(claim(of(json!({"iss": 1}))), "iss is no string");
    assert_eq!(
        of(json!({"iss": "https://thief.example\n"})).to_string(),
        "its issuer \"https://thief.example\\u{a}\" is that of no [[issuer]]"
    );
    for audience in [json!("other"), json!([]), json!(["dimsegate2", ""])] {
        assert_eq!(of(json!({ "aud": audience })), Refused::Audience);
    }
    assert!(judge(&trusted, &signer.with(&but(json!({"aud": "dimsegate"})))).is_ok());
    assert!(claim(of(json!({"aud": {"dimsegate": 1}}))).contains("neither a string nor a list"));
    for name in [
        json!(""),
        json!(7),
        json!("anna b"),
        json!("anna\0"),
        json!("an\"na"),
        json!("ännchen"),
        json!("a".repeat(65)),
    ] {
        assert!(claim(of(json!({ "sub": name }))).starts_with("sub is no name"));
    }
    let picky = Issuer { required_claims: vec![Claim::at("/tenant/id").unwrap()], ..trusted.clone() };
    assert_eq!(claim(refused(&picky, &signer.with(&claims()))), "/tenant/id is missing");
    assert!(judge(&picky, &signer.with(&but(json!({"tenant": {"id": 0}})))).is_ok());
    let failed = judge(&picky, &signer.with(&claims())).unwrap_err();
    assert_eq!(
        failed.user.as_deref(),
        Some("login/anna"),
        "the signature is right, so that it is known who is meant"
    );
}

#[test]
fn it_is_good_in_its_time_only_and_for_no_longer_than_its_issuer_may_say() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let trusted = issuer(&[&signer]);
    let (now, leeway) = (NOW.unix_timestamp(), 30);
    let of = |changes: Value| judge(&trusted, &signer.with(&but(changes))).map_err(|failed| failed.refused);
    let (ended, not_yet) =
        (|it: &Refused| matches!(it, Refused::Ended(_)), |it: &Refused| matches!(it, Refused::NotYet(_)));
    assert!(of(json!({"exp": now - leeway + 1})).is_ok());
    assert!(of(json!({"exp": now - leeway})).is_err_and(|it| ended(&it)));
    assert!(of(json!({"exp": -1, "iat": -2})).is_err_and(|it| ended(&it)));
    for name in ["nbf", "iat"] {
        assert!(of(json!({ name: now + leeway })).is_ok());
        assert!(of(json!({ name: now + leeway + 1 })).is_err_and(|it| not_yet(&it)));
    }
    let too_long = Err(Refused::TooLong { issuer: "login".into() });
    assert!(of(json!({"exp": now + 600})).is_ok());
    assert_eq!(of(json!({"exp": now + 601})), too_long);
    assert_eq!(of(json!({"exp": now + 500, "iat": now - 101})), too_long);
    assert!(of(json!({"exp": now + 630, "iat": null})).is_ok());
    assert_eq!(of(json!({"exp": now + 631, "iat": null})), too_long);
    assert_eq!(of(json!({"exp": 253_402_300_799_i64})), too_long, "the year 9999");
    assert_eq!(of(json!({"exp": 253_402_300_799_i64, "iat": null, "nbf": null})), too_long);
    for none in [json!(253_402_300_800_i64), json!(1e300), json!("1"), json!(true)] {
        assert!(
            of(json!({ "exp": none })).is_err_and(|it| claim(it) == "exp is no date in seconds since 1970")
        );
    }
    let ending = Issuer { at_end: AtEnd::End, ..trusted.clone() };
    let bearer = judge(&ending, &signer.with(&claims())).unwrap();
    assert_eq!(bearer.ends, Some(NOW + Duration::seconds(300 + leeway)));
}

#[test]
fn it_is_of_use_to_nobody_but_those_whom_it_is_bound_to() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let calling_ae_titles_claim = Claim::at("ae");
    let titled = Issuer { calling_ae_titles_claim, ..issuer(&[&signer]) };
    for titles in [json!("SITE"), json!(["X", "SITE "])] {
        assert!(judge(&titled, &signer.with(&but(json!({ "ae": titles })))).is_ok());
    }
    for titles in [json!([]), json!("site"), json!(["SITE2", "*", "SIT?"])] {
        let told = refused(&titled, &signer.with(&but(json!({ "ae": titles }))));
        assert!(matches!(told, Refused::CallingAeTitle { .. }), "{told}");
    }
    assert_eq!(claim(refused(&titled, &signer.with(&claims()))), "ae is missing");
    let bound = Issuer { bound_to_certificate: true, ..issuer(&[&signer]) };
    let hash = digest::digest(&digest::SHA256, b"a certificate");
    let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let right = signer.with(&but(json!({"cnf": {"x5t#S256": encoded(hash)}})));
    assert!(judge_with(&bound, &right, Some(&hex), NOW).is_ok());
    let told = |token: &str, certificate: Option<&str>| {
        judge_with(&bound, token, certificate, NOW).unwrap_err().refused.to_string()
    };
    assert!(told(&right, None).contains("the requestor showed none"));
    assert!(told(&right, Some(&"0".repeat(64))).contains("another certificate"));
    for cnf in [json!(null), json!({}), json!({"x5t#S256": 1}), json!({"jkt": "x"})] {
        assert!(
            told(&signer.with(&but(json!({ "cnf": cnf }))), Some(&hex)).contains("bound to no certificate")
        );
    }
}

#[test]
fn roles_are_words_each_once_and_whatever_is_none_gives_nothing() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let roles = |issuer: &Issuer, changes: Value| judge(issuer, &signer.with(&but(changes))).unwrap().roles;
    let trusted = issuer(&[&signer]);
    assert_eq!(roles(&trusted, json!({"roles": "openid reader  reader"})), ["openid", "reader"]);
    for none in [
        json!(null),
        json!(1),
        json!([["reader"]]),
        json!({"reader": true}),
        json!(["reader", 1]),
        json!("x".repeat(65)),
    ] {
        assert_eq!(roles(&trusted, json!({ "roles": none })), Vec::<String>::new());
    }
    assert_eq!(
        roles(&trusted, json!({"roles": (0..999).map(|at| at.to_string()).collect::<Vec<_>>()})).len(),
        200
    );
    let keycloak = Issuer { roles_claim: Claim::at("/realm_access/roles").unwrap(), ..trusted };
    assert_eq!(roles(&keycloak, json!({"realm_access": {"roles": ["reader"]}})), ["reader"]);
}

#[test]
fn a_jti_is_the_same_for_one_issuer_only_and_no_other_thing() {
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let trusted = issuer(&[&signer]);
    let once = |issuer: &Issuer, id: &str, of: &str| {
        let token = signer.with(&but(json!({"jti": id, "iss": of})));
        judge(issuer, &token).unwrap().once.unwrap()
    };
    let iss = trusted.issuer.clone();
    let other = Issuer { issuer: "https://other.example".into(), ..trusted.clone() };
    assert_eq!(once(&trusted, "1", &iss), once(&trusted, "1", &iss));
    assert_ne!(once(&trusted, "1", &iss), once(&trusted, "2", &iss));
    let patient = Issuer { leeway: MOST_LEEWAY, ..trusted.clone() };
    assert_eq!(once(&trusted, "1", &iss), once(&patient, "1", &iss), "kept for as long");
    assert_ne!(once(&trusted, "1", &iss), once(&other, "1", &other.issuer));
    for none in [json!(""), json!(1), json!("x".repeat(257))] {
        let told = claim(refused(&trusted, &signer.with(&but(json!({ "jti": none })))));
        assert_eq!(told, "jti is no string of 1 to 256 bytes");
    }
}

proptest! {
    #[test]
    fn no_byte_of_a_token_can_be_changed(at in 0_usize..10_000, byte in any::<u8>()) {
        let signer = Signer::new(Algorithm::EdDsa, "1");
        let mut token = signer.with(&claims()).into_bytes();
        let at = at % token.len();
        prop_assume!(token[at] != byte);
        token[at] = byte;
        let purpose = crate::tokens::Purpose::Association { calling: "SITE", interface: &[] };
        let presented = crate::tokens::Presented { token: &token, purpose, certificate: None };
        let judged = crate::tokens::verify(&[issuer(&[&signer]).into()], &presented, NOW);
        prop_assert!(judged.is_err());
    }

    #[test]
    fn no_bytes_make_it_panic(token in prop::collection::vec(any::<u8>(), 0..300), header in "\\PC{0,60}", claims in "\\PC{0,60}") {
        let signer = Signer::new(Algorithm::EdDsa, "1");
        let texts = [String::from_utf8_lossy(&token).into_owned(), signer.token(&header, &claims)];
        for text in texts {
            prop_assert!(judge(&issuer(&[&signer]), &text).is_err());
        }
    }
}
