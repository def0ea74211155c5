//! URLs of others that are sent something.

use std::net::IpAddr;

use hyper::Uri;

use super::addresses;
use super::report::Wrong;

/// An endpoint: https, or http to this machine.
pub(super) struct Url {
    pub secure: bool,
    /// `host:port` to connect to.
    pub address: String,
    /// The Host header.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

/// `example` is what a right one looks like.
pub(super) fn parse(text: &str, example: &str) -> Result<Url, Wrong> {
    let wrong =
        |problem: &str| Wrong::new(format!("{text:?} {problem}"), format!("write it as \"{example}\""));
    let uri: Uri = text.parse().map_err(|_| wrong("is not a URL"))?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong("is not a whole URL"));
    };
    if authority.as_str().contains('@') {
        return Err(wrong("holds a user name"));
    }
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let secure = match scheme {
        "https" => true,
        "http" if is_here(host) => false,
        "http" => return Err(wrong("sends records in clear over a network")),
        _ => return Err(wrong("is not an https URL")),
    };
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    Ok(Url { secure, address: addresses::host_and_port(&address)?, authority: authority.to_string(), path })
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
