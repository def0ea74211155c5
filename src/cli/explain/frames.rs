//! What memory a peer has for frames that are decoded.

use crate::config::Settings;
use crate::policy::Peer;

/// `None` where nothing of the peer's is decoded.
pub(super) fn frames(settings: &Settings, peer: &Peer) -> Option<String> {
    let largest = largest_frame(settings, peer)?;
    let decodes = |peer: &&_| largest_frame(settings, peer).is_some();
    let peers = settings.policy.peers.iter().map(AsRef::as_ref).filter(decodes).count();
    Some(told(largest, settings.limits.decoding_memory.lying, peers as u64))
}

fn largest_frame(settings: &Settings, peer: &Peer) -> Option<u64> {
    let profile = settings.rewrites.get(peer.rewrite.as_ref()?)?.profile()?;
    Some(profile.burned_in.largest_frame()).filter(|largest| *largest > 0)
}

fn told(largest: u64, lying: u64, peers: u64) -> String {
    let share = lying / peers.max(1);
    let (largest_size, all, sure) = (size(largest), size(lying), size(share));
    let enough = match share < largest {
        true => "; the largest may be refused while they hold theirs: raise decoding-memory",
        false => "",
    };
    format!(
        "decoded up to {largest_size}; {all} for those under way, {sure} whatever the other peers that decode do{enough}"
    )
}

fn size(bytes: u64) -> String {
    if bytes < 10 << 20 { format!("{} KiB", bytes >> 10) } else { format!("{} MiB", bytes >> 20) }
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_peer_is_told_what_it_has_for_certain() {
        assert_eq!(
            told(64 << 20, 219 << 20, 3),
            "decoded up to 64 MiB; 219 MiB for those under way, 73 MiB whatever the other peers that decode do"
        );
        assert!(told(1 << 20, 2 << 20, 1).starts_with("decoded up to 1024 KiB; 2048 KiB for those"));
        assert!(
            told(64 << 20, 219 << 20, 4)
                .ends_with("may be refused while they hold theirs: raise decoding-memory")
        );
    }
}
