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
    // A problem goes to the log, into a record and onto the page.
    let wrong = |problem: &str| {
        Wrong::new(format!("{:?} {problem}", origin(text)), format!("write it as \"{example}\""))
    };
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

/// What may be told of a URL that is a secret, as that of a hook often is: scheme, host and port. In place of the rest,
/// a user name too, stands "…".
pub fn origin(text: &str) -> String {
    let start = text.find("://").map_or(0, |colon| colon + "://".len());
    let (scheme, rest) = text.split_at(start);
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host == rest {
        true => text.to_owned(),
        false => format!("{scheme}{host}/…"),
    }
}

fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{origin, parse};

    #[test]
    fn of_a_url_that_is_a_secret_the_origin_is_told() {
        for (text, told) in [
            ("https://hooks.example", "https://hooks.example"),
            ("https://hooks.example:8443/services/T0/s3cret", "https://hooks.example:8443/…"),
            ("https://hooks.example?key=s3cret", "https://hooks.example/…"),
            ("https://hooks.example#s3cret", "https://hooks.example/…"),
            ("https://s3cret:s3@cret@[::1]:8443", "https://[::1]:8443/…"),
            ("hooks.example/services/s3cret", "hooks.example/…"),
            ("https:\\\\hooks.example\\s3cret", "https:/…"),
            ("", ""),
        ] {
            assert_eq!(origin(text), told, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_tells_no_secret_in_it() {
        let paths = ["services/s3cret", "?key=s3cret", "s3 cret"];
        let begins = [
            "http://hooks.example/",
            "ftp://hooks.example/",
            "https://s3cret@hooks.example/",
            "hooks.example/",
        ];
        for text in begins.iter().flat_map(|begin| paths.map(|path| format!("{begin}{path}"))) {
            let wrong = parse(&text, "https://alerts.example/hook").err().unwrap();
            let said = format!("{}; {}", wrong.problem, wrong.remedy);
            assert!(said.contains("hooks.example/…") && !said.contains("cret"), "{text}: {said}");
        }
    }
}
