//! `[[issuer]]`: whose tokens prove users.

use std::time::Duration;

use super::material::{GOOD, Material};
use crate::tokens::{Algorithm, AtEnd};

const ISSUER: &str = "[[issuer]]\nname = \"login\"\nissuer = \"https://login.example\"\naudience = \"dimsegate\"\n\
                      algorithms = [\"ES256\"]\nkeys = \"conf/login.jwks\"\nrequired-claims = [\"jti\"]\n";

/// With a listener that looks, and another `[[issuer]]` than the good one.
fn with(issuer: &str) -> String {
    let looks = "[[listener]]\nuser-identity = \"accept\"\nuser-identity-in-clear = true";
    format!("{}{issuer}", GOOD.replacen("[[listener]]", looks, 1))
}

#[test]
fn an_issuer_is_read_with_its_keys_and_the_rest_has_sensible_values() {
    let material = Material::new();
    let settings = material.compile(&with(ISSUER)).unwrap().settings;
    let issuer = &settings.issuers[0];
    assert_eq!((&*issuer.name, issuer.audience.as_slice()), ("login", &["dimsegate".to_owned()][..]));
    assert_eq!((issuer.max_life, issuer.leeway), (Duration::from_secs(3600), Duration::from_secs(30)));
    assert_eq!(
        (issuer.roles_claim.to_string(), issuer.name_claim.to_string()),
        ("roles".into(), "sub".into())
    );
    assert_eq!((issuer.at_end, issuer.bound_to_certificate), (AtEnd::Finish, false));
    assert!(settings.watched.contains_key(&material.path("conf/login.jwks")));
    assert!(
        settings.files.iter().any(|one| one.file == material.path("conf/login.jwks")),
        "it is in the digest"
    );
    let more = "audience = [\"a\", \"b\"]\nleeway = \"0s\"\nat-end = \"end\"\nname-claim = \"/a/b\"\n";
    let text = with(&ISSUER.replace("audience = \"dimsegate\"\n", more));
    let issuer = material.compile(&text).unwrap().settings.issuers[0].clone();
    assert_eq!((issuer.audience.len(), issuer.leeway, issuer.at_end), (2, Duration::ZERO, AtEnd::End));
    assert_eq!(issuer.algorithms, [Algorithm::Es256]);
}

#[test]
fn what_would_let_anybody_sign_and_what_could_never_be_right_is_an_error() {
    let material = Material::new();
    material.secret("conf/private.jwks", br#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#, 0o600);
    let errors = |from: &str, to: &str| material.errors(&with(&ISSUER.replace(from, to)));
    for (from, to, told) in [
        ("\"ES256\"", "\"none\"", "\"none\" is no signature: anybody could write such a token"),
        ("\"ES256\"", "\"HS256\"", "\"HS256\" is refused: whoever can verify such a token can write one"),
        ("\"ES256\"", "\"ES257\"", "did you mean \"ES256\"?"),
        ("\"ES256\"", "\"RS256\"", "lets no token be right: no key of the set is for RS256"),
        ("login.jwks", "private.jwks", "holds a secret"),
        ("login.jwks", "nowhere.jwks", "cannot be read"),
        ("issuer = \"https://login.example\"\n", "", "issuer: is missing"),
        ("audience = \"dimsegate\"\n", "", "audience: is missing"),
        ("algorithms = [\"ES256\"]\n", "", "algorithms: is missing"),
        ("keys = \"conf/login.jwks\"\n", "", "keys: is missing"),
        ("\"jti\"", "\"/\"", "\"/\" is the name of no claim"),
        ("name = \"login\"", "name = \"login/x\"", "is not a name"),
        ("\nkeys", "\nleeway = \"11m\"\nkeys", "leeway: is longer than ten minutes"),
        ("\nkeys", "\nkeys-max-age = \"1d\"\nkeys", "keys-max-age: goes with keys from a server only"),
        ("conf/login.jwks", "http://login.example/jwks", "is not an https URL"),
        ("conf/login.jwks", "https://login.example/jwks", "tls: is missing"),
        ("\nkeys", "\nat-end = \"never\"\nkeys", "\"never\" is not known"),
        ("\nkeys", "\nbound_to_certificate = true\nkeys", "did you mean \"bound-to-certificate\"?"),
    ] {
        let found = errors(from, to);
        assert!(found.len() == 1 && found[0].contains(told), "{to}: {found:?}");
    }
    let twice = format!("{ISSUER}{}", ISSUER.replace("\"login\"", "\"other\""));
    let found = material.errors(&with(&twice));
    assert!(found.len() == 1 && found[0].contains("is that of issuer \"login\" in line"), "{found:?}");
}

#[test]
fn what_is_risky_about_an_issuer_is_said() {
    let material = Material::new();
    let risks = |text: &str| {
        let found = material.risks(text);
        found.into_iter().filter(|risk| !risk.contains("user-identity-in-clear")).collect::<Vec<_>>()
    };
    assert_eq!(risks(&with(ISSUER)), Vec::<String>::new());
    let role = "[[role]]\nname = \"mine\"\noperations = [\"C-STORE\"]\nsop-classes = [\"storage\"]\n";
    assert_eq!(risks(&with(&format!("{ISSUER}{role}"))), Vec::<String>::new(), "a token may have it");
    for (from, to, told) in [
        ("required-claims = [\"jti\"]\n", "", "lets whoever has copied a token use it until it ends"),
        ("\nkeys", "\nmax-life = \"2d\"\nkeys", "lets tokens live for longer than a day"),
        ("[\"ES256\"]", "[\"ES256\", \"EdDSA\"]", "no key of the set is for EdDSA"),
        ("\nkeys", "\nbound-to-certificate = true\nkeys", "lets nobody in: no listener"),
    ] {
        let found = risks(&with(&ISSUER.replace(from, to)));
        assert!(found.len() == 1 && found[0].contains(told), "{to}: {found:?}");
    }
    let found = material.risks(&format!("{GOOD}{ISSUER}"));
    assert!(found.len() == 1 && found[0].contains("no listener looks at user identities"), "{found:?}");
}
