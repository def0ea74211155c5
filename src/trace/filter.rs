//! Which associations somebody wants to see.

use std::net::IpAddr;

use ipnet::IpNet;

/// Traces that may be open at once.
pub const MOST_OPEN: usize = 4;

/// All that is given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Name of a `[[peer]]`.
    pub peer: Option<String>,
    /// Where the requestor is.
    pub address: Option<IpNet>,
    /// The calling AE title, without padding.
    pub calling: Option<String>,
}

/// Whose an association is, as far as that is known when it is asked whether somebody traces it.
pub(crate) enum Whose<'a> {
    /// This peer's.
    Peer(&'a str),
    /// It was refused before that was known: whether it could be this one's.
    Perhaps(&'a dyn Fn(&str) -> bool),
}

impl Filter {
    /// Whether something from this address can be wanted.
    pub(crate) fn may_hold(&self, address: IpAddr) -> bool {
        self.address.is_none_or(|network| network.contains(&address.to_canonical()))
    }

    /// Whether an open association is wanted.
    pub(crate) fn holds_open(&self, peer: &str, address: IpAddr, calling: &str) -> bool {
        self.may_hold(address) && self.holds(&Whose::Peer(peer), Some(calling))
    }

    /// Whether it is wanted. `calling` is known once the A-ASSOCIATE-RQ is there; without one, nobody who asks for a title gets it.
    pub(super) fn holds(&self, whose: &Whose<'_>, calling: Option<&str>) -> bool {
        let is_peer = self.peer.as_deref().is_none_or(|wanted| match whose {
            Whose::Peer(peer) => *peer == wanted,
            Whose::Perhaps(could_be) => could_be(wanted),
        });
        is_peer && self.calling.as_deref().is_none_or(|wanted| calling == Some(wanted))
    }
}

impl std::fmt::Display for Filter {
    /// As in `peer lyon, address 192.0.2.0/24`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let address = self.address.map(|network| network.to_string());
        let all = [("peer", &self.peer), ("address", &address), ("calling AE title", &self.calling)];
        let given: Vec<String> =
            all.iter().filter_map(|(name, value)| Some(format!("{name} {}", value.as_ref()?))).collect();
        f.write_str(if given.is_empty() { "everybody" } else { "" })?;
        f.write_str(&given.join(", "))
    }
}
