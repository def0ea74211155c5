use aws_lc_rs::rsa::KeySize;
use serde_json::{Value, json};

use super::{Algorithm, Signer, claims, issuer, judge, refused};
use crate::tokens::{KeySet, Refused};

fn set(keys: &[Value]) -> Result<KeySet, String> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn with(jwk: &Value, name: &str, value: Value) -> Value {
    let mut jwk = jwk.clone();
    jwk[name] = value;
    jwk
}

#[test]
fn keys_for_something_else_are_left_out_and_what_is_no_key_set_is_none() {
    let signer = Signer::new(Algorithm::Es256, "1");
    let good = &signer.jwk;
    let others = [
        with(good, "use", json!("enc")),
        with(good, "key_ops", json!(["sign"])),
        with(good, "alg", json!("ECDH-ES")),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
    ];
    assert!(set(&[&others[..], std::slice::from_ref(good)].concat()).unwrap().has_for(Algorithm::Es256));
    assert_eq!(set(&others).unwrap_err(), "holds no key that verifies signatures");
    let rsa = Signer::rsa(KeySize::Rsa2048).1;
    let short = "w".repeat(300);
    for (key, why) in [
        (with(good, "d", json!("AA")), "holds a secret"),
        (json!({"kty": "oct", "k": "c2VjcmV0"}), "holds a secret"),
        (with(good, "x", json!("AA")), "has 1 bytes in x, where its curve has 32"),
        (with(good, "x", json!("=")), "has no base64url in x"),
        (with(good, "y", good["x"].clone()), "is no point of P-256"),
        (with(good, "alg", json!("RS256")), "is for an alg that its kty or crv is not for"),
        (with(good, "kty", json!(1)), "something else than a string in kty"),
        (with(good, "kid", json!(short)), "has a kid of more than 256 bytes"),
        (with(&rsa, "n", json!("wwww")), "is an RSA key of 24 bits"),
        (with(&rsa, "e", json!("AQAA")), "has an exponent"),
        (json!(1), "has no object as key 2"),
        (good.clone(), "has two keys with the kid of key 2"),
    ] {
        let told = set(&[good.clone(), key]).unwrap_err();
        assert!(told.contains(why), "{told}");
        assert!(!told.contains("c2VjcmV0"));
    }
    for (text, why) in [
        ("", "is no JSON"),
        ("[]", "is no JSON object"),
        ("{}", "has no keys: it is no JSON Web Key Set"),
        (r#"{"keys":[],"keys":[]}"#, "says a member twice"),
        (r#"{"keys":[]}"#, "holds no key that verifies signatures"),
    ] {
        assert_eq!(KeySet::parse(text.as_bytes()).unwrap_err(), why);
    }
    assert!(set(&vec![good.clone(); 101]).unwrap_err().contains("more than 100 keys"));
    let large = vec![b' '; 10 << 20];
    assert!(KeySet::parse(&large).unwrap_err().contains("longer than 512 KiB"));
}

#[test]
fn a_token_that_names_no_key_has_to_leave_no_choice() {
    let [one, two] = ["1", "2"].map(|id| Signer::new(Algorithm::EdDsa, id));
    let unnamed = one.token(r#"{"alg":"EdDSA"}"#, &claims().to_string());
    assert!(judge(&issuer(&[&one]), &unnamed).is_ok());
    assert_eq!(refused(&issuer(&[&one, &two]), &unnamed), Refused::KeyUnnamed { issuer: "login".into() });
    let unknown = one.token(r#"{"alg":"EdDSA","kid":"3"}"#, &claims().to_string());
    assert_eq!(
        refused(&issuer(&[&one, &two]), &unknown).to_string(),
        "issuer \"login\" has no key \"3\" for that algorithm"
    );
    // By the name of another's key.
    let swapped = one.token(r#"{"alg":"EdDSA","kid":"2"}"#, &claims().to_string());
    assert_eq!(refused(&issuer(&[&one, &two]), &swapped), Refused::Signature { issuer: "login".into() });
}

#[test]
fn keys_that_were_fetched_count_for_a_time_and_go_on_with_the_same_source_only() {
    use crate::tokens::{Fetched, Issuer, Keys};
    use std::sync::Arc;
    use std::time::Duration;
    let signer = Signer::new(Algorithm::EdDsa, "1");
    let fetched = |source: &str| Arc::new(Fetched::new(source.into(), Duration::from_secs(60)));
    let first = fetched("a");
    let judged = |fetched: &Arc<Fetched>| {
        let issuer = Issuer { keys: Keys::Fetched(fetched.clone()), ..issuer(&[&signer]) };
        judge(&issuer, &signer.with(&claims())).map_err(|failed| failed.refused)
    };
    let none = Err(Refused::NoKeys { issuer: "login".into() });
    assert_eq!(judged(&first), none);
    first.keep(set(std::slice::from_ref(&signer.jwk)).unwrap(), super::NOW - Duration::from_secs(60));
    assert!(judged(&first).is_ok());
    let (same, other) = (fetched("a"), fetched("b"));
    same.take_over(&first);
    other.take_over(&first);
    assert!(judged(&same).is_ok());
    assert_eq!(judged(&other), none);
    first.keep(set(std::slice::from_ref(&signer.jwk)).unwrap(), super::NOW - Duration::from_secs(61));
    assert_eq!(judged(&first), none);
}
