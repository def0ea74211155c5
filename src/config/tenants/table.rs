//! `[[tenant]]` itself.

use std::sync::Arc;

use rustls::pki_types::DnsName;

use super::super::names::{NAME, Names};
use super::super::report::{Place, Wrong};
use super::super::section::Section;
use super::super::shape::TENANT;
use super::super::share::Share;

/// One `[[tenant]]`, without its tables.
pub(super) struct Tenant {
    pub name: Arc<str>,
    /// Of its header.
    pub place: Place,
    pub share: Share,
    pub server_names: Vec<Named>,
}

/// A server name, and where it stands in which text.
#[derive(Clone)]
pub(in crate::config) struct Named {
    pub name: String,
    pub place: Place,
    pub text: Arc<str>,
}

/// Tables that it may have, under headers of their own.
pub(super) const TABLES: [&str; 3] = ["audit", "users", "admin"];

/// All of them, in the order of the file, and their names.
pub(super) fn tenants(root: &Section<'_>) -> (Vec<Option<Tenant>>, Names) {
    let mut names = Names::of("tenant", root);
    let mut shares = 0.0;
    let sections = root.tables("tenant");
    let text: Arc<str> = root.report.text().into();
    let tenants = sections.iter().map(|section| {
        section.refuse_others(&TENANT.keys().chain(TABLES).collect::<Vec<_>>());
        let name = names.define(section);
        section.require(&[NAME, ("share", "write its part of what [limits] allows, as in 0.25")]);
        let share = section.part("share").map(Share::new);
        shares += share.map_or(0.0, Share::part);
        // Of numbers with two digits the sum may be a little more than they are.
        if shares > 1.0 + 1e-9 {
            let problem = format!("is too much: with those before it, {shares:.2} of [limits]");
            section.report.error(&section.place_of("share"), problem, "let all shares be 1 together at most");
            shares = 0.0;
        }
        if !section.has("audit") {
            section.missing(
                "audit",
                "write [tenant.audit] below it, with directory = \"…\": its trail is its own",
            );
        }
        let listed = section.list("server-names", server_name).unwrap_or_default();
        let server_names = listed
            .into_iter()
            .map(|one| Named { name: one.value, place: one.place, text: text.clone() })
            .collect();
        Some(Tenant { name: name?, place: section.place.clone(), share: share?, server_names })
    });
    let tenants = tenants.collect();
    (tenants, names)
}

/// As a client asks for it: in lower case, and without the dot that a name may end with elsewhere (RFC 6066 §3).
fn server_name(text: &str) -> Result<String, Wrong> {
    let name = text.strip_suffix('.').unwrap_or(text);
    match DnsName::try_from(name).is_ok() {
        true => Ok(name.to_ascii_lowercase()),
        false => Err(Wrong::new(
            format!("{text:?} is no DNS name"),
            "write a name that clients ask for in the TLS handshake, as in \"lyon.dicom.example.org\"",
        )),
    }
}
