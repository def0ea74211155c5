//! PS3.2 A.7: profiles of PS3.15 that are supported, and no others.

use super::block::{below, heading, listed, paragraph, table};
use crate::audit::forward::{Kind, Transport};
use crate::cli::audit::report::html::Html;
use crate::config::{Settings, UserIdentity};
use crate::tls::{ClientAuthentication, Offered, Profile};

const BCP_195: &str = "BCP 195 RFC 8996, 9325 TLS Secure Transport Connection Profile (PS3.15 B.12)";

pub(super) fn section(html: &mut Html, settings: &Settings) {
    heading(html, "7.1 Security profiles");
    profiles(html, settings);
    heading(html, "7.2 Association level security");
    transport(html, settings);
    identity(html, settings);
    heading(html, "7.3 Application level security");
    audit(html, settings);
    de_identification(html, settings);
}

fn profiles(html: &mut Html, settings: &Settings) {
    // The profile asks for TLS 1.2, too.
    let is_both = |profile: Profile| profile == Profile::Bcp195;
    let has_server = settings
        .listeners
        .iter()
        .any(|one| one.tls.as_ref().is_some_and(|tls| is_both(tls.settings.profile)));
    let has_client = settings
        .upstreams
        .values()
        .any(|one| one.tls.as_ref().is_some_and(|tls| is_both(tls.settings.profile)));
    let side = match (has_server, has_client) {
        (true, true) => Some("server and client"),
        (true, false) => Some("server"),
        (false, true) => Some("client"),
        (false, false) => None,
    };
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut row = |name: &str, how: String| rows.push([name.to_owned(), how]);
    if let Some(side) = side {
        row(BCP_195, side.to_owned());
    }
    if has_passcodes(settings) {
        row(
            "User Identity plus Passcode Association Profile (PS3.15 B.5)",
            "acceptor; user name and passcode are checked".into(),
        );
    }
    let syslog: Vec<_> = settings
        .forwarding
        .iter()
        .filter_map(|one| match &one.kind {
            Kind::Syslog(syslog) => Some(syslog),
            Kind::Fhir(_) => None,
        })
        .collect();
    if !syslog.is_empty() {
        row("Audit Trail Message Format Profile (PS3.15 A.5)", "sender".into());
    }
    if syslog.iter().any(|one| matches!(one.transport, Transport::Tls(_))) {
        row("Audit Trail Message Transmission Profile - SYSLOG-TLS (PS3.15 A.6)", "sender".into());
    }
    if syslog.iter().any(|one| matches!(one.transport, Transport::Udp)) {
        row("Audit Trail Message Transmission Profile - SYSLOG-UDP (PS3.15 A.7)", "sender".into());
    }
    let profiled = applied(settings);
    if !profiled.is_empty() {
        row(
            "Basic Application Level Confidentiality Profile (PS3.15 E)",
            format!("de-identifier, for: {}", listed(profiled, "")),
        );
    }
    table(html, "Profiles of PS3.15", ["profile", "as"], rows, "No security profile of PS3.15 is claimed.");
}

/// Whether a listener checks user names and passcodes.
fn has_passcodes(settings: &Settings) -> bool {
    settings.users.is_some() && settings.listeners.iter().any(|one| one.user_identity != UserIdentity::Ignore)
}

/// Peers whose rewrite has the profile.
fn applied(settings: &Settings) -> Vec<&str> {
    let has = |name: &std::sync::Arc<str>| {
        settings.rewrites.get(name).is_some_and(|rules| rules.profile().is_some())
    };
    settings
        .policy
        .peers
        .iter()
        .filter(|peer| peer.rewrite.as_ref().is_some_and(has))
        .map(|peer| &*peer.name)
        .collect()
}

fn transport(html: &mut Html, settings: &Settings) {
    below(html, "7.2.1 Transport");
    let servers = settings.listeners.iter().map(|one| {
        let tls = one.tls.as_ref().map(|tls| {
            let asks = match tls.settings.client_authentication {
                ClientAuthentication::Required => "required",
                ClientAuthentication::Optional => "asked for, not required",
                ClientAuthentication::Off => "not asked for",
            };
            (tls.built.offered(tls.settings.profile), asks, !tls.settings.revocation_lists.is_empty())
        });
        leg(format!("listener {}", one.name), tls)
    });
    let clients = settings.upstreams.values().map(|one| {
        let tls = one.tls.as_ref().map(|tls| {
            let shows =
                if tls.settings.certificate_chain.is_some() { "shown by the proxy" } else { "not shown" };
            (tls.built.offered(tls.settings.profile), shows, !tls.settings.revocation_lists.is_empty())
        });
        leg(format!("upstream {}", one.name), tls)
    });
    table(
        html,
        "TLS of each leg",
        ["leg", "versions", "client certificate", "revocation lists", "cipher suites", "key exchange groups"],
        servers.chain(clients),
        "",
    );
    paragraph(
        html,
        "TLS is spoken from the first byte, never after an upgrade in place. Sessions are not resumed, and no early data are taken. A failure of integrity drops the connection; the other leg gets an A-P-ABORT with reason 0 (not specified). Certificates and keys are files in PEM, which the operator renews.",
    );
}

fn leg(name: String, tls: Option<(Offered, &str, bool)>) -> [String; 6] {
    let none = || String::new();
    match tls {
        None => [name, "no TLS".to_owned(), none(), none(), none(), none()],
        Some((offered, certificate, lists)) => [
            name,
            listed(offered.versions, ""),
            certificate.to_owned(),
            if lists { "checked" } else { "none" }.to_owned(),
            listed(offered.suites, ""),
            listed(offered.groups, ""),
        ],
    }
}

fn identity(html: &mut Html, settings: &Settings) {
    below(html, "7.2.2 User identity (PS3.7 D.3.3.7)");
    let types = || {
        let passcode = settings.users.is_some().then_some("2 (user name and passcode)");
        let token = (!settings.issuers.is_empty()).then_some("5 (JSON Web Token)");
        listed(passcode.into_iter().chain(token), "none")
    };
    table(
        html,
        "What becomes of a user identity, by listener",
        ["listener", "user identity", "types that prove a user"],
        settings.listeners.iter().map(|one| {
            let (what, types) = match one.user_identity {
                UserIdentity::Ignore => ("not looked at", "none".to_owned()),
                UserIdentity::Accept => ("one that is there has to be right", types()),
                UserIdentity::Require => ("required", types()),
            };
            [one.name.to_string(), what.to_owned(), types]
        }),
        "",
    );
}

fn audit(html: &mut Html, settings: &Settings) {
    below(html, "7.3.1 Audit trail (PS3.15 A.5)");
    let signed = if settings.audit.checkpoints.is_some() { "and signed" } else { "and not signed" };
    paragraph(
        html,
        format!(
            "Each association, operation, refusal and change is a record in a file of the proxy; records are chained {signed}."
        ),
    );
    let rows = settings.forwarding.iter().map(|one| {
        let (form, over) = match &one.kind {
            Kind::Syslog(syslog) => (
                "audit messages of PS3.15 A.5",
                match syslog.transport {
                    Transport::Tls(_) => "syslog over TLS (RFC 5425)",
                    Transport::Udp => "syslog over UDP (RFC 5426)",
                },
            ),
            Kind::Fhir(endpoint) => {
                ("FHIR R4 AuditEvent", if endpoint.tls.is_some() { "HTTPS" } else { "HTTP" })
            }
        };
        [one.name.to_string(), form.to_owned(), over.to_owned()]
    });
    table(html, "Where records are sent", ["repository", "form", "over"], rows, "Records are sent nowhere.");
}

fn de_identification(html: &mut Html, settings: &Settings) {
    below(html, "7.3.2 De-identification (PS3.15 E)");
    match applied(settings).as_slice() {
        [] => paragraph(html, "No profile of PS3.15 Annex E is applied."),
        _ => paragraph(html, "See 8.1. The IOD is not analysed."),
    }
}
