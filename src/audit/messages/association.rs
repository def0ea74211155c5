//! The two ends of an association, as its messages name them.

use super::codes::{self, Code};
use super::message::{Network, Participant};
use crate::audit::record::{Record, Tls};
use serde::{Deserialize, Serialize};

/// Requestor and acceptor, and the titles under which the proxy stood between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ends {
    requestor: End,
    acceptor: End,
    proxy_titles: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    user: String,
    ae_title: String,
    host: Option<String>,
}

impl Ends {
    /// Of a record that says who asked; `None` for one that does not.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let address = record.address()?.to_string();
        let called = record.called_ae_title().unwrap_or_default().to_owned();
        let user = record.proven_user().map(str::to_owned).or_else(|| identity(record.tls()));
        let requestor = End {
            user: user.unwrap_or_else(|| address.clone()),
            ae_title: record.calling_ae_title().unwrap_or_default().to_owned(),
            host: Some(address),
        };
        let Some(upstream) = record.upstream() else {
            let acceptor = End { user: unknown(), ae_title: called.clone(), host: None };
            return Some(Self { requestor, acceptor, proxy_titles: vec![called] });
        };
        let host = host(&upstream.address);
        let acceptor = End {
            user: if upstream.name.is_empty() { host.clone() } else { upstream.name.clone() },
            ae_title: upstream.called_ae_title.clone(),
            host: Some(host),
        };
        let mut proxy_titles = vec![called];
        if upstream.calling_ae_title != requestor.ae_title {
            proxy_titles.push(upstream.calling_ae_title.clone());
        }
        Some(Self { requestor, acceptor, proxy_titles })
    }

    /// For operations of an association whose beginning nobody told.
    pub(super) fn unknown() -> Self {
        let end = End { user: unknown(), ..End::default() };
        Self { requestor: end.clone(), acceptor: end, proxy_titles: Vec::new() }
    }

    /// Source, destination and the proxy as a third, for what goes towards the peer or away from it.
    pub(super) fn transfer(&self, to_peer: bool, proxy: Participant) -> Vec<Participant> {
        let (requestor, acceptor) =
            if to_peer { (codes::DESTINATION, codes::SOURCE) } else { (codes::SOURCE, codes::DESTINATION) };
        let mut both = [self.requestor(Some(requestor)), self.acceptor.participant(false, Some(acceptor))];
        if to_peer {
            both.reverse();
        }
        both.into_iter().chain([self.proxy(proxy)]).collect()
    }

    pub(super) fn requestor(&self, role: Option<Code>) -> Participant {
        self.requestor.participant(true, role)
    }

    /// The proxy under the titles that it had here.
    pub(super) fn proxy(&self, proxy: Participant) -> Participant {
        Participant { ae_titles: self.proxy_titles.clone(), ..proxy }
    }
}

impl End {
    fn participant(&self, requestor: bool, role: Option<Code>) -> Participant {
        Participant {
            user: self.user.clone(),
            ae_titles: vec![self.ae_title.clone()],
            name: None,
            requestor,
            role,
            network: self.host.as_deref().map(Network::of),
        }
    }
}

/// What the certificate proved: its first alternative name, else its subject.
pub(super) fn identity(tls: Option<&Tls>) -> Option<String> {
    let tls = tls?;
    let first = tls.san.first().map(|name| name.split_once(':').map_or(name.as_str(), |(_, name)| name));
    first.or(tls.subject.as_deref()).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// `host:port` without the port, and an IPv6 address without its brackets.
fn host(address: &str) -> String {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn unknown() -> String {
    "unknown".into()
}
