//! What a browser says of the page that asks.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{Caller, Problem, Source};

/// Whether a browser that asks shows a page of this socket, and means this machine: any page may send requests anywhere, and a
/// name of a stranger can be made to lead to 127.0.0.1.
///
/// What counts is where the connection came in. Nobody's page reaches a socket of this machine, and with TLS the name is one
/// that the certificate proves.
pub fn is_for_here(headers: &HeaderMap, caller: &Caller) -> bool {
    is_own_page(headers) && (caller.has_tls || means_here(headers, caller))
}

fn host(headers: &HeaderMap) -> &str {
    headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default()
}

fn is_own_page(headers: &HeaderMap) -> bool {
    let host = host(headers);
    let is_own_origin = headers.get(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        origin.split_once("://").is_some_and(|(_, authority)| authority == host)
    });
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    is_own_origin && site.is_none_or(|site| matches!(site, "same-origin" | "none"))
}

fn means_here(headers: &HeaderMap, caller: &Caller) -> bool {
    let host = host(headers);
    let (Source::Address(_), Some(own)) = (&caller.source, caller.own) else {
        return matches!(caller.source, Source::Unix { .. });
    };
    let name =
        host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(name, _)| name);
    let is_loopback = matches!(name, "localhost" | "127.0.0.1" | "[::1]");
    is_loopback || name.trim_matches(['[', ']']) == own.ip().to_canonical().to_string()
}

/// Answers nobody whose request is [for elsewhere](is_for_here), of a socket that anybody may ask. Other machines may call this
/// one by a name that it does not know. A request of HTTP/1.0 without a Host is of no browser.
pub async fn only_for_here(request: Request, next: Next) -> Response {
    let headers = request.headers();
    let means_here = |caller: &Caller| {
        let is_loopback = caller.own.is_none_or(|own| own.ip().to_canonical().is_loopback());
        !is_loopback || !headers.contains_key(header::HOST) || means_here(headers, caller)
    };
    if is_own_page(headers) && request.extensions().get::<Caller>().is_some_and(means_here) {
        return next.run(request).await;
    }
    let detail = "the request is for another host, or from a page of another one: ask with the address at which this is served";
    Problem::new(StatusCode::FORBIDDEN, detail).into_response()
}

#[cfg(test)]
mod tests {
    use super::is_for_here;
    use crate::http::{Caller, Source};
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn caller(own: &str) -> Caller {
        let from = "192.0.2.1:9".parse().unwrap();
        let own = Some(own.parse().unwrap());
        Caller { source: Source::Address(from), certificate: None, own, has_tls: false }
    }

    fn is(headers: &[(&'static str, &'static str)], caller: &Caller) -> bool {
        let pairs = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_for_here(&pairs.collect::<HeaderMap>(), caller)
    }

    #[test]
    fn what_a_page_of_another_host_sends_is_not_done() {
        let of = |headers: &[(&'static str, &'static str)]| is(headers, &caller("127.0.0.1:8765"));
        assert!(of(&[("host", "127.0.0.1:8765")]) && of(&[("host", "localhost:8765")]));
        assert!(of(&[("host", "[::1]:8765")]));
        assert!(of(&[
            ("host", "localhost:8765"),
            ("origin", "http://localhost:8765"),
            ("sec-fetch-site", "same-origin")
        ]));
        assert!(!of(&[("host", "localhost:8765"), ("origin", "https://evil.example")]));
        assert!(!of(&[("host", "localhost:8765"), ("origin", "null")]));
        assert!(!of(&[("host", "localhost:8765"), ("sec-fetch-site", "cross-site")]));
        assert!(!of(&[("host", "evil.example:8765")]), "a name that was made to lead here");
    }

    #[test]
    fn what_counts_is_where_the_connection_came_in() {
        for (own, host) in [("192.0.2.7:80", "192.0.2.7"), ("[2001:db8::7]:80", "[2001:db8::7]:80")] {
            assert!(is(&[("host", host)], &caller(own)) && is(&[("host", "localhost")], &caller(own)));
            assert!(!is(&[("host", "192.0.2.8")], &caller(own)));
        }
        let mapped = caller("[::ffff:192.0.2.7]:80");
        assert!(is(&[("host", "192.0.2.7:80")], &mapped));
        let tls = Caller { has_tls: true, ..caller("192.0.2.7:80") };
        assert!(is(&[("host", "gate.example")], &tls));
        assert!(!is(&[("host", "gate.example"), ("origin", "https://evil.example")], &tls));
        let source = Source::Unix { uid: 0, gid: 0, pid: None };
        let socket = Caller { source, own: None, ..caller("192.0.2.7:80") };
        assert!(is(&[("host", "anything")], &socket));
        assert!(!is(&[("host", "anything"), ("origin", "https://evil.example")], &socket));
        assert!(!is(&[("host", "localhost.evil.example")], &Caller { own: None, ..caller("192.0.2.7:80") }));
    }
}
