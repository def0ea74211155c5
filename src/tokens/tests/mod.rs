//! Tokens as somebody signs them who has the key, and as somebody writes them who has not.

mod key_sets;
mod verifying;

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

use super::{
    Algorithm, AtEnd, Bearer, Claim, Failed, Issuer, KeySet, Keys, Presented, Purpose, Refused, verify,
};

const NOW: OffsetDateTime = datetime!(2026-12-01 12:00 UTC);
const ISSUER: &str = "https://login.hospital.example";

/// A private key, with what a key set says of it.
struct Signer {
    algorithm: Algorithm,
    key: Private,
    jwk: Value,
}

enum Private {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new(algorithm: Algorithm, id: &str) -> Self {
        let (key, mut jwk) = match algorithm {
            Algorithm::Es256 => Self::ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"),
            Algorithm::Es384 => Self::ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().unwrap();
                let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key())});
                (Private::Ed25519(pair), jwk)
            }
            _ => Self::rsa(KeySize::Rsa2048),
        };
        jwk["kid"] = id.into();
        Self { algorithm, key, jwk }
    }

    fn ecdsa(kind: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm, curve: &str) -> (Private, Value) {
        let pair = EcdsaKeyPair::generate(kind).unwrap();
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(point.len() / 2);
        let jwk = json!({"kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y)});
        (Private::Ecdsa(pair), jwk)
    }

    fn rsa(size: KeySize) -> (Private, Value) {
        let pair = RsaKeyPair::generate(size).unwrap();
        // SEQUENCE { INTEGER of 257 bytes, INTEGER 65537 }
        let der = pair.public_key().as_ref();
        let (n, e) = (&der[8..der.len() - 5], &der[der.len() - 3..]);
        let jwk = json!({"kty": "RSA", "n": encoded(n), "e": encoded(e)});
        (Private::Rsa(pair), jwk)
    }

    fn sign(&self, text: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Private::Ecdsa(pair) => pair.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            Private::Ed25519(pair) => pair.sign(text.as_bytes()).as_ref().to_vec(),
            Private::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                let kind =
                    if self.algorithm == Algorithm::Ps256 { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
                pair.sign(kind, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
        }
    }

    fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "typ": "JWT", "kid": self.jwk["kid"]})
    }

    /// A token of these two texts, whatever they say.
    fn token(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encoded(header), encoded(claims));
        format!("{signed}.{}", encoded(self.sign(&signed)))
    }

    fn with(&self, claims: &Value) -> String {
        self.token(&self.header().to_string(), &claims.to_string())
    }
}

/// What a token says that is good for five minutes.
fn claims() -> Value {
    let now = NOW.unix_timestamp();
    json!({
        "iss": ISSUER,
        "sub": "anna",
        "aud": ["other", "dimsegate"],
        "iat": now,
        "nbf": now,
        "exp": now + 300,
        "roles": ["reader", "stranger"],
    })
}

/// With other claims; `null` takes one away.
fn but(changes: Value) -> Value {
    let mut claims = claims();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (name, value) in changes {
        match value.is_null() {
            true => drop(claims.as_object_mut().unwrap().remove(&name)),
            false => claims[name] = value,
        }
    }
    claims
}

fn issuer(signers: &[&Signer]) -> Issuer {
    let keys: Vec<&Value> = signers.iter().map(|signer| &signer.jwk).collect();
    Issuer {
        name: "login".into(),
        issuer: ISSUER.into(),
        audience: vec!["dimsegate".into()],
        algorithms: signers.iter().map(|signer| signer.algorithm).collect(),
        keys: Keys::Read(Arc::new(KeySet::parse(json!({"keys": keys}).to_string().as_bytes()).unwrap())),
        max_life: Duration::from_secs(600),
        leeway: Duration::from_secs(30),
        required_claims: Vec::new(),
        roles_claim: Claim::at("roles").unwrap(),
        name_claim: Claim::at("sub").unwrap(),
        calling_ae_titles_claim: None,
        bound_to_certificate: false,
        at_end: AtEnd::Finish,
        line: 1,
    }
}

fn judge(issuer: &Issuer, token: &str) -> Result<Bearer, Failed> {
    judge_with(issuer, token, None, NOW)
}

fn judge_with(
    issuer: &Issuer,
    token: &str,
    certificate: Option<&str>,
    now: OffsetDateTime,
) -> Result<Bearer, Failed> {
    let presented = Presented {
        token: token.as_bytes(),
        purpose: Purpose::Association { calling: "SITE", interface: &[] },
        certificate,
    };
    verify(&[Arc::new(issuer.clone())], &presented, now)
}

fn refused(issuer: &Issuer, token: &str) -> Refused {
    judge(issuer, token).unwrap_err().refused
}
