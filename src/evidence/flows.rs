//! Who sends what where, by the configuration alone.

use serde::Serialize;

use crate::config::Settings;

/// One way that data may take: a peer, through listeners, to upstreams.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Flow {
    /// Name of the peer.
    pub peer: String,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
    /// Names of the listeners that it may use, with `TLS` or `plain`.
    pub listeners: Vec<String>,
    /// Names of the upstreams that it may lead to, with `TLS` or `plain`.
    pub upstreams: Vec<String>,
    /// Operations of its role.
    pub operations: Vec<String>,
    /// Name of its rewrite; `None`: data sets pass as they come.
    pub rewrite: Option<String>,
}

/// Every peer's, in the order of the file.
pub fn flows(settings: &Settings) -> Vec<Flow> {
    let leg = |name: &str, is_tls: bool| format!("{name} ({})", if is_tls { "TLS" } else { "plain" });
    let upstream =
        |name: &str| leg(name, settings.upstreams.get(name).is_some_and(|upstream| upstream.tls.is_some()));
    let flow = |peer: &std::sync::Arc<crate::policy::Peer>| {
        let listeners: Vec<_> =
            settings.listeners.iter().filter(|one| peer.uses_listener(&one.name)).collect();
        let routes = settings.policy.routes.iter().map(|route| &route.upstream);
        let defaults = listeners.iter().filter_map(|one| one.upstream.as_ref());
        let mut upstreams: Vec<String> = match &peer.upstream {
            Some(own) => vec![upstream(own)],
            None => defaults.chain(routes).map(|name| upstream(name)).collect(),
        };
        upstreams.sort();
        upstreams.dedup();
        Flow {
            peer: peer.name.to_string(),
            line: peer.line,
            listeners: listeners.iter().map(|one| leg(&one.name, one.tls.is_some())).collect(),
            upstreams,
            operations: peer.role.operations.iter().map(ToString::to_string).collect(),
            rewrite: peer.rewrite.as_ref().map(ToString::to_string),
        }
    };
    settings.policy.peers.iter().map(flow).collect()
}
