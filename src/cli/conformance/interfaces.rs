//! PS3.2 A.4.3 and A.4.4: network interfaces, AE titles, ports and times.

use super::block::{below, listed, paragraph, table, time};
use crate::cli::audit::report::html::Html;
use crate::config::{Limits, ListenerSettings, Settings};
use crate::vocabulary::Reason;
use crate::wire::AeTitle;

pub(super) fn network(html: &mut Html, settings: &Settings) {
    below(html, "4.3.1 Physical network interface");
    paragraph(html, "TCP/IP of the operating system, over whatever interface it has.");
    below(html, "4.3.2 Additional protocols");
    let proxied = settings.listeners.iter().filter(|one| !one.proxy_protocol_from.is_empty());
    let sent = settings.upstreams.values().filter(|one| one.send_proxy_protocol);
    paragraph(
        html,
        format!(
            "PROXY protocol, versions 1 and 2, before TLS: required of load balancers at {}; version 2 sent to {}.",
            listed(proxied.map(|one| &one.name), "no listener"),
            listed(sent.map(|one| &one.name), "no upstream")
        ),
    );
    paragraph(html, "Names of upstreams are looked up as the operating system does (DNS).");
    below(html, "4.3.3 IPv4 and IPv6 support");
    let of = |is_v6: bool| settings.listeners.iter().filter(move |one| one.address.is_ipv6() == is_v6);
    paragraph(
        html,
        format!(
            "Both. Addresses of IPv4: {}; of IPv6: {}. Whether a listener at [::] takes IPv4 too, the operating system says; Linux does so unless it is told otherwise.",
            listed(of(false).map(|one| &one.name), "no listener"),
            listed(of(true).map(|one| &one.name), "no listener")
        ),
    );
}

pub(super) fn configuration(html: &mut Html, settings: &Settings) {
    below(html, "4.4.1 AE title and presentation address mapping");
    table(
        html,
        "Local: where requestors connect",
        ["listener", "address", "port", "TLS"],
        settings.listeners.iter().map(|one| local(one)),
        "There is no listener.",
    );
    table(
        html,
        "Remote: requestors",
        ["peer", "calling AE titles", "called AE titles", "networks"],
        settings.policy.peers.iter().map(|peer| {
            let called = peer.called.as_ref().map_or("any".to_owned(), |called| listed(called, "none"));
            [peer.name.to_string(), listed(&peer.calling, "none"), called, listed(&peer.networks, "none")]
        }),
        "There is no peer.",
    );
    let title = |title: &Option<AeTitle>| {
        title.as_ref().map_or("as the requestor wrote it".to_owned(), |title| title.as_str().to_owned())
    };
    table(
        html,
        "Remote: upstreams",
        ["upstream", "addresses", "called AE title", "calling AE title", "TLS"],
        settings.upstreams.values().map(|one| {
            [
                one.name.to_string(),
                listed(&one.addresses, "none"),
                title(&one.called_ae_title),
                title(&one.calling_ae_title),
                yes(one.tls.is_some()),
            ]
        }),
        "There is no upstream.",
    );
    table(
        html,
        "Routes: called AE titles that lead elsewhere than the listener's upstream",
        ["called AE title", "upstream"],
        settings.policy.routes.iter().map(|route| [route.called.to_string(), route.upstream.to_string()]),
        "There is no route.",
    );
    below(html, "4.4.2 Parameters");
    table(
        html,
        "Times, lengths and what they bound",
        ["parameter", "value", "what it bounds"],
        parameters(&settings.limits),
        "",
    );
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn local(listener: &ListenerSettings) -> [String; 4] {
    let port = match listener.address.port() {
        0 => "chosen by the system".to_owned(),
        port => port.to_string(),
    };
    [listener.name.to_string(), listener.address.ip().to_string(), port, yes(listener.tls.is_some())]
}

fn parameters(limits: &Limits) -> [[String; 3]; 9] {
    // A reason is called as the key that it follows from.
    let row = |key: &str, value: String, what: &str| [key.to_owned(), value, what.to_owned()];
    let bytes = |count: u32| format!("{count} bytes");
    [
        row(
            Reason::AssociateTimeout.label(),
            time(limits.associate_timeout),
            "ARTIM (PS3.8 9.1.5): TLS handshake done and A-ASSOCIATE-RQ read",
        ),
        row("dimse-timeout", time(limits.dimse_timeout), "no byte moved while a message is under way"),
        row(
            "response-timeout",
            time(limits.response_timeout),
            "nothing from whoever owes an answer; a peer or an upstream may have its own",
        ),
        row(
            "idle-timeout",
            time(limits.idle_timeout),
            "no message under way, and nobody waits for an answer",
        ),
        row("release-timeout", time(limits.release_timeout), "no answer to an A-RELEASE-RQ"),
        row("max-pdu-length", bytes(limits.max_pdu_length), "a P-DATA-TF that each side is told"),
        row("max-associate-length", bytes(limits.max_associate_length), "an A-ASSOCIATE-RQ or -AC"),
        row("max-command-length", bytes(limits.max_command_length), "a command set"),
        row("grace", time(limits.grace), "how long a stop waits for messages under way"),
    ]
}
