//! Who reads a revocation list that was just written.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::config::Settings;
use crate::identity::Certificate;
use crate::tls::ClientTrust;

/// Which listeners read the list, and whether one trusts the CA without reading it.
pub(super) fn readers(settings: &Settings, list: &Path, ca: &Path) -> (String, bool) {
    let (mut text, mut unread, mut concerned) = (String::new(), false, false);
    let from_when = match settings.limits.reload_files {
        Some(_) => "a running dimsegate takes it by itself",
        None => "a running dimsegate takes it on SIGHUP",
    };
    for listener in &settings.listeners {
        let Some(tls) = &listener.tls else { continue };
        let reads = tls.settings.revocation_lists.iter().any(|file| same(file, list));
        let trusts = tls.built.trust.as_ref().is_some_and(|trust| trusts(trust, ca));
        let place = format!("listener \"{}\" ({}:{})", listener.name, settings.path.display(), listener.line);
        let told = match (trusts, reads) {
            (true, true) => format!("{place} reads it; {from_when}"),
            (true, false) => {
                unread = true;
                format!(
                    "{place} trusts this CA and does not read this list: it lets the certificate in; add \"{}\" to its \
                     revocation-lists, or copy the list to where they point",
                    list.display()
                )
            }
            (false, _) => continue,
        };
        concerned = true;
        text.push_str(&told);
        text.push('\n');
    }
    if !concerned {
        text = format!("no listener of {} trusts this CA\n", settings.path.display());
    }
    (text, unread)
}

/// Whether two paths lead to one file.
fn same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize();
    real(one).is_ok_and(|one| real(other).is_ok_and(|other| one == other))
}

fn trusts(trust: &ClientTrust, ca: &Path) -> bool {
    let der = CertificateDer::from_pem_file(ca).ok();
    let own = der.and_then(|der| Certificate::from_der(&der).ok());
    own.is_some_and(|own| trust.signing().any(|one| one.fingerprint == own.fingerprint))
}
