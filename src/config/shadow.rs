//! Which peer leaves nothing for a later one.

use ipnet::IpNet;

use crate::identity::CertificateBinding;
use crate::policy::{AePattern, Peer};

/// Whether every association that `narrow` matches is one that `wide` matches. Never true by mistake.
pub(super) fn covers(wide: &Peer, narrow: &Peer) -> bool {
    covers_listeners(wide, narrow)
        && narrow.networks.iter().all(|network| covered_network(&wide.networks, network))
        && covers_patterns(&wide.calling, &narrow.calling)
        && covers_bindings(wide.certificates.as_deref(), narrow.certificates.as_deref())
        && covers_bindings(wide.issuers.as_deref(), narrow.issuers.as_deref())
        && match (&wide.called, &narrow.called) {
            (None, _) => true,
            (Some(wide), Some(narrow)) => covers_patterns(wide, narrow),
            (Some(_), None) => false,
        }
}

fn covers_listeners(wide: &Peer, narrow: &Peer) -> bool {
    let Some(wide) = &wide.listeners else { return true };
    narrow.listeners.as_ref().is_some_and(|narrow| narrow.iter().all(|name| wide.contains(name)))
}

fn covered_network(wide: &[IpNet], narrow: &IpNet) -> bool {
    wide.iter().any(|network| network.contains(narrow))
}

fn covers_patterns(wide: &[AePattern], narrow: &[AePattern]) -> bool {
    narrow.iter().all(|pattern| wide.iter().any(|wide| wide.covers(pattern)))
}

fn covers_bindings(wide: Option<&[CertificateBinding]>, narrow: Option<&[CertificateBinding]>) -> bool {
    let Some(wide) = wide else { return true };
    narrow.is_some_and(|narrow| narrow.iter().all(|binding| wide.contains(binding)))
}
