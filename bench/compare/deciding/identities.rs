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
use crate::association::Association;
use crate::configurations;
use crate::loads::{CALLED, CALLING};
use crate::procfs;
use crate::report::Figures;
use crate::setups::{Out, Running, Setup};
use crate::sink;
use crate::site::Site;
use crate::upper::{self, Request};

/// In a round, of each.
const ASSOCIATIONS: usize = 400;
const AT_ONCE: usize = 8;

const LISTENER: &str = "user-identity = \"accept\"\n[listener.tls]\n";
const ISSUER: &str = "[[issuer]]\nname = \"login\"\nissuer = \"https://login.example\"\naudience = \"dimsegate\"\n\
    algorithms = [\"ES256\"]\nkeys = \"conf/login.jwks\"\nmax-life = \"12h\"\n[admin]\nlisten = \"unix:identities.sock\"\n";

/// What an association costs more with a user identity, in microseconds of CPU.
pub struct More {
    /// Type 1.
    pub claimed: Option<f64>,
    /// Type 5.
    pub token: Option<f64>,
    /// Type 5 with a `jti`, which is taken once: much of that is the disk's.
    pub taken: Option<f64>,
}

/// Through one proxy, in turns.
pub fn measure(site: &Site, rounds: usize) -> io::Result<More> {
    let options = sink::Options { maximum_length: 131_072, tls: None, checksums: false };
    let (pacs, _totals) = sink::start(SocketAddr::from(([127, 0, 0, 1], 0)), options)?;
    let issuer = Issuer::made(site)?;
    let token = issuer.token("")?;
    let running = Running::configured(site, "identities", |port| {
        let toml = configurations::dimsegate("identities", port, pacs, Some(Out::Plain), Setup::PassThrough);
        toml.replace("[listener.tls]\n", LISTENER) + ISSUER
    });
    let with = |identity| associations(&running, &vec![request(identity); AT_ONCE], ASSOCIATIONS / AT_ONCE);
    let (mut claimed, mut proven, mut taken) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let (none, name, bearer) =
            (with(None)?, with(Some((1, b"anna")))?, with(Some((5, token.as_bytes())))?);
        claimed.push(name - none);
        proven.push(bearer - none);
        let once = |number| issuer.token(&format!("\"jti\":\"{round}-{number}\","));
        let tokens: io::Result<Vec<String>> = (0..ASSOCIATIONS).map(once).collect();
        let requests: Vec<Request> =
            tokens?.iter().map(|token| request(Some((5, token.as_bytes())))).collect();
        taken.push(associations(&running, &requests, 1)? - none);
    }
    Ok(More { claimed: median(&mut claimed), token: median(&mut proven), taken: median(&mut taken) })
}

fn request(identity: Option<(u8, &[u8])>) -> Request {
    let request = Request::new(CALLING, CALLED).context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    match identity {
        Some((kind, field)) => request.user_item(item(kind, field)),
        None => request,
    }
}

/// CPU of each, where each of the requests is made so many times.
fn associations(running: &Running, requests: &[Request], times: usize) -> io::Result<f64> {
    let usage = || running.pid().map(procfs::usage);
    let before = usage();
    let of_some = |requests: &[Request]| -> io::Result<()> {
        requests
            .iter()
            .flat_map(|request| std::iter::repeat_n(request, times))
            .try_for_each(|request| Association::open(&running.target, request)?.release())
    };
    let each = requests.len().div_ceil(AT_ONCE);
    std::thread::scope(|scope| {
        let workers: Vec<_> = requests.chunks(each).map(|some| scope.spawn(move || of_some(some))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no panic in a worker"))
    })?;
    let count = requests.len() * times;
    let figures = Figures { mode: "associate", count, usage: before.zip(usage()), ..Figures::default() };
    Ok(cpu(&figures) / count as f64)
}

/// PS3.7 D.3.3.7.1, without a positive response.
fn item(kind: u8, field: &[u8]) -> Vec<u8> {
    upper::item(0x58, &[&[kind, 0], &(field.len() as u16).to_be_bytes()[..], field, &[0, 0]].concat())
}

/// Whose tokens the proxy takes.
struct Issuer(EcdsaKeyPair);

impl Issuer {
    /// Makes a key, and the key set that the proxy reads.
    fn made(site: &Site) -> io::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(io::Error::other)?;
        let point: Arc<[u8]> = pair.public_key().as_ref().into();
        let (x, y) = point[1..].split_at(32);
        let keys = format!(
            "{{\"keys\":[{{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"1\",\"x\":\"{}\",\"y\":\"{}\"}}]}}",
            encoded(x),
            encoded(y)
        );
        fs::write(site.path("conf/login.jwks"), keys)?;
        Ok(Self(pair))
    }

    /// With more claims, each with its comma behind.
    fn token(&self, more: &str) -> io::Result<String> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = format!(
            "{{{more}\"iss\":\"https://login.example\",\"aud\":\"dimsegate\",\"sub\":\"anna\",\"iat\":{now},\"exp\":{},\"roles\":[\"all\"]}}",
            now + 36_000
        );
        let signed = format!("{}.{}", encoded(br#"{"alg":"ES256","kid":"1"}"#), encoded(claims.as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).map_err(io::Error::other)?;
        Ok(format!("{signed}.{}", encoded(signature.as_ref())))
    }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
