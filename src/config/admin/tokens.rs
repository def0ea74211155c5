//! `[[issuer]]`s of whom tokens say who asks at the interface.

use std::sync::Arc;

use super::super::issuer::{Issuers, words};
use super::super::report::{Wrong, values};
use super::super::section::Section;
use super::super::settings::{AdminAccess, AdminSettings, ServerTls};
use crate::tls::ClientAuthentication;

const EXAMPLE: &str =
    "write the name of an [[issuer]], a slash, and what its tokens say, as in \"login/monitoring\"";

/// What tokens for the interface have in `aud`.
pub(super) fn audience(section: &Section<'_>) -> Vec<String> {
    let audience = section.string_or_strings("audience");
    values(section.parse_all(audience, words))
}

/// `ISSUER/NAME`.
pub(super) fn of_issuer(text: &str) -> Result<String, Wrong> {
    match text.split_once('/') {
        Some((issuer, name)) if !issuer.is_empty() && !name.is_empty() => Ok(text.to_owned()),
        _ => Err(Wrong::new(format!("{text:?} does not say of which issuer"), EXAMPLE)),
    }
}

/// Whether what `[admin]` says of tokens goes with the issuers that there are.
pub(in super::super) fn used(root: &Section<'_>, admin: Option<&AdminSettings>, issuers: &Issuers) {
    let (Some(section), Some(admin)) = (root.table("admin"), admin) else { return };
    let place = section.place_of("audience");
    for access in section.tables("access") {
        for key in ["token-users", "token-roles"] {
            let named = access.strings(key).unwrap_or_default().into_iter();
            named.for_each(|one| issuers.names.refer_before(access.report, one, '/'));
        }
    }
    match (admin.audience.is_empty(), admin.access.iter().any(AdminAccess::is_of_tokens)) {
        (true, true) => section.missing("audience", "write what tokens for the interface have in aud"),
        (false, false) => {
            let problem = "has no effect: no [[admin.access]] names token-users or token-roles";
            section.report.risk(&place, problem, "add one for each role, or remove it");
        }
        _ => {}
    }
    bound(&section, admin, issuers);
    let is_shared = |audience: &String| {
        let of = |issuer: &&Arc<crate::tokens::Issuer>| issuer.audience.contains(audience);
        issuers.compiled.iter().find(of).map(|issuer| (audience.clone(), issuer.name.clone()))
    };
    if let Some((audience, issuer)) = admin.audience.iter().find_map(is_shared) {
        let problem = format!(
            "{audience:?} is an audience of issuer \"{issuer}\", too: a token for associations would do for the interface"
        );
        section.report.error(&place, problem, "have the issuer write another aud for the interface");
    }
}

/// Tells of issuers whose tokens need a certificate, where nobody can show one.
fn bound(section: &Section<'_>, admin: &AdminSettings, issuers: &Issuers) {
    let asks = |tls: &ServerTls| tls.settings.client_authentication != ClientAuthentication::Off;
    if admin.tls.as_ref().is_some_and(asks) {
        return;
    }
    let named = issuers.compiled.iter().filter(|issuer| admin.names_issuer(&issuer.name));
    for issuer in named.filter(|issuer| issuer.bound_to_certificate) {
        let problem = format!(
            "lets nobody in by a token of issuer \"{}\": they are bound to certificates, and nobody shows one here",
            issuer.name
        );
        let remedy = "add an [admin.tls] with client-ca, or have another [[issuer]] for programs";
        section.report.risk(&section.place_of("access"), problem, remedy);
    }
}
