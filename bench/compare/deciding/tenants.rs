//! Whether one tenant can tell by the clock what another one has: what nobody has, and what is another's, are asked for in turns,
//! and the two series of times are held against each other by Welch's t, as dudect does (Reparaz, Balasch, Verbauwhede: "dude, is my
//! code constant time?", 2017). A |t| below 4.5 tells nothing.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;

use crate::connection::Target;
use crate::setups::Running;
use crate::site::Site;
use crate::upper::{self, Request};

/// In a round, of each of both.
const ASKED: usize = 400;

/// Of a series, the part of the longest times that is left out: what the machine does besides is in them.
const LEFT_OUT: f64 = 0.1;

/// |t| of both.
pub struct Told {
    /// Of AE titles.
    pub titles: Option<f64>,
    /// Of certificates.
    pub certificates: Option<f64>,
}

/// Two tenants at one address, one of which is asked.
pub fn measure(site: &Site, rounds: usize) -> io::Result<Told> {
    ["here", "elsewhere", "nowhere"].iter().for_each(|name| site.organisation(name));
    site.server("front", &["here.example"]);
    let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
    let running = Running::configured(site, "tenants", |port| {
        let both = ["here", "elsewhere"].map(|name| tenant(name, port, nobody));
        format!("[audit]\ndirectory = \"audit-machine\"\n{LIMITS}{}", both.concat())
    });
    let name = ServerName::try_from("here.example").map_err(io::Error::other)?;
    let by = |client: &str| {
        let target = site.tls(running.target.address, "ca", Some(client));
        Target { tls: target.tls.map(|(config, _)| (unresumed(config), name.clone())), ..target }
    };
    let (mut titles, mut certificates) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let (here, others) = (by("here"), ["nowhere", "elsewhere"].map(by));
    for _ in 0..rounds * ASKED {
        for (times, ae) in titles.iter_mut().zip(["NOWHERE_CT", "ELSEWHR_CT"]) {
            times.push(refused(&here, ae)?);
        }
        for (times, target) in certificates.iter_mut().zip(&others) {
            times.push(shut_out(target)?);
        }
    }
    let [titles, certificates] = [titles, certificates].map(|[one, other]| welch(one, other));
    Ok(Told { titles, certificates })
}

/// Every handshake is a full one.
fn unresumed(mut config: Arc<ClientConfig>) -> Arc<ClientConfig> {
    Arc::make_mut(&mut config).resumption = Resumption::disabled();
    config
}

const LIMITS: &str = "[limits]\nmax-associations = 20000\nmax-associations-per-address = 20000\n\
    connections-per-minute-per-address = 1000000\n";

fn tenant(name: &str, port: u16, archive: SocketAddr) -> String {
    let ae = if name == "here" { "HERE_CT" } else { "ELSEWHR_CT" };
    format!(
        "[[tenant]]\nname = \"{name}\"\nshare = 0.5\nserver-names = [\"{name}.example\"]\n[tenant.audit]\ndirectory = \"audit-{name}\"\n\
         [[listener]]\nname = \"remote\"\ntenant = \"{name}\"\naddress = \"127.0.0.1:{port}\"\nupstream = \"archive\"\n\
         [listener.tls]\ncertificate-chain = \"certs/front.pem\"\nprivate-key = \"certs/front.key\"\n\
         client-authentication = \"required\"\nclient-ca = \"certs/{name}-ca.pem\"\nprofile = \"tls13\"\n\
         [[upstream]]\nname = \"archive\"\ntenant = \"{name}\"\naddresses = [\"{archive}\"]\n\
         [[role]]\nname = \"all\"\ntenant = \"{name}\"\noperations = [\"all\"]\nsop-classes = [\"all\"]\ntransfer-syntaxes = [\"all\"]\n\
         [[peer]]\nname = \"site\"\ntenant = \"{name}\"\nnetworks = [\"127.0.0.0/8\"]\ncalling-ae-titles = [\"{ae}\"]\n\
         called-ae-titles = [\"*\"]\nrole = \"all\"\n"
    )
}

/// From the request to its A-ASSOCIATE-RJ, in seconds.
fn refused(target: &Target, calling: &str) -> io::Result<f64> {
    let request = Request::new(calling, "PACS").context(upper::VERIFICATION, &[upper::IMPLICIT_LITTLE]);
    let mut stream = target.connect()?;
    // The end of the handshake is read, and is in no time.
    let began = Instant::now();
    stream.write_all(&request.encode())?;
    stream.flush()?;
    match upper::read_pdu(&mut stream)?.map(|pdu| pdu.kind) {
        Some(upper::ASSOCIATE_RJ) => Ok(began.elapsed().as_secs_f64()),
        other => Err(io::Error::other(format!("an unknown AE title was answered by {other:?}"))),
    }
}

/// From the connection to the alert, in seconds.
fn shut_out(target: &Target) -> io::Result<f64> {
    let began = Instant::now();
    match target.connect().and_then(|mut stream| upper::read_pdu(&mut stream)) {
        Err(_) => Ok(began.elapsed().as_secs_f64()),
        Ok(_) => Err(io::Error::other("a stranger's certificate was taken")),
    }
}

/// Welch's |t| of two series without their longest times.
fn welch(one: Vec<f64>, other: Vec<f64>) -> Option<f64> {
    let [one, other] = [one, other].map(without_longest);
    let ((mean, spread), (others_mean, others_spread)) = (moments(&one)?, moments(&other)?);
    let error = (spread / one.len() as f64 + others_spread / other.len() as f64).sqrt();
    Some(((mean - others_mean) / error).abs())
}

fn without_longest(mut times: Vec<f64>) -> Vec<f64> {
    times.sort_unstable_by(f64::total_cmp);
    times.truncate((times.len() as f64 * (1.0 - LEFT_OUT)) as usize);
    times
}

/// Mean and variance.
fn moments(times: &[f64]) -> Option<(f64, f64)> {
    let count = times.len() as f64;
    let mean = times.iter().sum::<f64>() / count;
    let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
    (count > 1.0).then(|| (mean, squares / (count - 1.0)))
}
