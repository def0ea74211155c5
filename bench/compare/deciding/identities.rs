//! Associations of somebody who names a user, who proves one by a token, and who does neither, through one proxy.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use time::OffsetDateTime;

use super::{cpu, median};
use crate::configurations;
use crate::loads::{CALLED, CALLING};
use crate::procfs;
use crate::rounds;
use crate::setups::{Out, Running, Setup};
use crate::sink;
use crate::site::Site;
use crate::upper::{self, Request};

/// In a round, of each.
const ASSOCIATIONS: usize = 400;
const AT_ONCE: usize = 8;

const LISTENER: &str = "user-identity = \"accept\"\n[listener.tls]\n";
/// Without a `jti`: what it costs to remember one is the disk's.
const ISSUER: &str = "[[issuer]]\nname = \"login\"\nissuer = \"https://login.example\"\naudience = \"dimsegate\"\n\
    algorithms = [\"ES256\"]\nkeys = \"conf/login.jwks\"\nmax-life = \"12h\"\n[admin]\nlisten = \"unix:identities.sock\"\n";

/// What an association costs more with a user identity of type 1, and of type 5, in microseconds of CPU.
pub fn measure(site: &Site, rounds: usize) -> io::Result<(Option<f64>, Option<f64>)> {
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: false };
    let (pacs, _totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)?;
    let token = issued(site)?;
    let running = Running::configured(site, "identities", |port| {
        let toml = configurations::dimsegate("identities", port, pacs, Some(Out::Plain), Setup::PassThrough);
        toml.replace("[listener.tls]\n", LISTENER) + ISSUER
    });
    let with = |identity: Option<(u8, &[u8])>| {
        let mut request =
            Request::new(CALLING, CALLED).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
        if let Some((kind, field)) = identity {
            request = request.user_item(item(kind, field));
        }
        associations(&running, &request)
    };
    let (mut claimed, mut proven) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (none, name, bearer) =
            (with(None)?, with(Some((1, b"anna")))?, with(Some((5, token.as_bytes())))?);
        claimed.push(name - none);
        proven.push(bearer - none);
    }
    Ok((median(&mut claimed), median(&mut proven)))
}

/// CPU of each.
fn associations(running: &Running, request: &Request) -> io::Result<f64> {
    let usage = || running.pid().map(procfs::usage);
    let before = usage();
    let mut figures = rounds::associate_as(&running.target, request, ASSOCIATIONS, AT_ONCE)?;
    figures.usage = before.zip(usage());
    Ok(cpu(&figures) / ASSOCIATIONS as f64)
}

/// PS3.7 D.3.3.7.1, without a positive response.
fn item(kind: u8, field: &[u8]) -> Vec<u8> {
    upper::item(0x58, &[&[kind, 0], &(field.len() as u16).to_be_bytes()[..], field, &[0, 0]].concat())
}

/// Makes the key of an issuer and its key set; a token of it.
fn issued(site: &Site) -> io::Result<String> {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(io::Error::other)?;
    let point: Arc<[u8]> = pair.public_key().as_ref().into();
    let (x, y) = point[1..].split_at(32);
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let keys = format!(
        "{{\"keys\":[{{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\",\"x\":\"{}\",\"y\":\"{}\"}}]}}",
        encode(x),
        encode(y)
    );
    fs::write(site.path("conf/login.jwks"), keys)?;
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let claims = format!(
        "{{\"iss\":\"https://login.example\",\"aud\":\"dimsegate\",\"sub\":\"anna\",\"iat\":{now},\"exp\":{},\"roles\":[\"all\"]}}",
        now + 36_000
    );
    let signed = format!("{}.{}", encode(br#"{"alg":"ES256","kid":"1"}"#), encode(claims.as_bytes()));
    let signature = pair.sign(&SystemRandom::new(), signed.as_bytes()).map_err(io::Error::other)?;
    Ok(format!("{signed}.{}", encode(signature.as_ref())))
}
