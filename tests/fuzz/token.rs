//! Tokens and key sets: what the issuer has not signed proves nobody, and whom it proves is called as records can show it.
//!
//! The first byte says what the rest is: a token, a header and claims with a line between them that the issuer signs, or a key set.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use dimsegate::tokens::{Algorithm, AtEnd, Claim, Issuer, KeySet, Keys, Presented, Purpose, verify};

/// Of a seed that everybody knows.
static PAIR: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key"));

static ISSUER: LazyLock<Arc<Issuer>> = LazyLock::new(|| {
    let x = encoded(PAIR.public_key().as_ref());
    let keys = format!(r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}]}}"#);
    let claim = |text| Claim::at(text).expect("a claim");
    Arc::new(Issuer {
        name: "login".into(),
        issuer: "i".into(),
        audience: vec!["a".into()],
        algorithms: Algorithm::ALL.into(),
        keys: Keys::Read(Arc::new(KeySet::parse(keys.as_bytes()).expect("a key set"))),
        max_life: Duration::from_secs(600),
        leeway: Duration::from_secs(30),
        required_claims: Vec::new(),
        roles_claim: claim("/r/r"),
        name_claim: claim("sub"),
        calling_ae_titles_claim: Some(claim("ae")),
        bound_to_certificate: false,
        at_end: AtEnd::End,
        line: 1,
    })
});

pub fn check(input: &[u8]) {
    let Some((what, rest)) = input.split_first() else { return };
    match what % 3 {
        0 => assert!(
            verify(std::slice::from_ref(&*ISSUER), &presented(rest), now().into()).is_err(),
            "nobody has signed it"
        ),
        1 => signed(rest),
        // A set, or what is wrong with it.
        _ => drop(KeySet::parse(rest)),
    }
}

fn signed(text: &[u8]) {
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (header, claims) = (&text[..end], text.get(end + 1..).unwrap_or_default());
    let text = format!("{}.{}", encoded(header), encoded(claims));
    let token = format!("{text}.{}", encoded(PAIR.sign(text.as_bytes()).as_ref()));
    let Ok(bearer) = verify(std::slice::from_ref(&*ISSUER), &presented(token.as_bytes()), now().into())
    else {
        return;
    };
    let name = bearer.user.strip_prefix("login/").expect("the name of its issuer");
    assert!((1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name:?}");
    assert!(bearer.roles.len() <= 200 && bearer.roles.iter().all(|role| (1..=64).contains(&role.len())));
    let ends = bearer.ends.expect("an end");
    assert!(ends > now() && ends <= now() + Duration::from_secs(660), "{ends}");
}

fn presented(token: &[u8]) -> Presented<'_> {
    Presented { token, purpose: Purpose::Association { calling: "SITE", interface: &[] }, certificate: None }
}

/// The same in every run.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// In base64url.
fn encoded(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let at = |index: usize| u32::from(part.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for sign in 0..=part.len() {
            text.push(char::from(SIGNS[(bits >> (18 - 6 * sign) & 63) as usize]));
        }
    }
    text
}
