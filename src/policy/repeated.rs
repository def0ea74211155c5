//! Who is refused again and again: counted, until it is enough to shut them out for a while.
//!
//! # Why
//!
//! - **Why never an AE title.** Anybody can spell one. What is counted cannot be spelled: an address that answered over TCP, a key
//!   that signed a handshake, a user who was proven. So nobody has another shut out who does not share one of these.
//! - **Why the narrowest.** A network behind one address (NAT) has devices that did nothing. Whoever has proven who they are is
//!   counted as that, and not as the address that they share.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::block::Blocked;
use super::limits::of_one_site;
use crate::identity::{Certificate, CertificateBinding};
use crate::vocabulary::Reason;

/// Refusals that are remembered at once, of all together. When there are more, whoever was refused least lately is forgotten.
pub(super) const MOST: usize = 32_768;
/// What a signature of a scanner counts as.
const SCANNER: u32 = 5;

/// `[automatic-blocks]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AutomaticBlocks {
    /// So many refusals are enough,
    pub refusals: u32,
    /// within this time.
    pub within: Duration,
    /// How long they are shut out.
    pub lasting: Duration,
    /// Whoever comes from here is never counted.
    pub exempt: Vec<IpNet>,
}

/// Refusals of the last while, by whom they are counted against.
#[derive(Debug, Default)]
pub struct Repeated {
    of: HashMap<Blocked, Counted>,
    /// Whoever was refused least lately first.
    order: BTreeMap<u64, Blocked>,
    turn: u64,
    moments: usize,
}

#[derive(Debug, Default)]
struct Counted {
    /// When, and as how many each counts.
    moments: VecDeque<(Instant, u32)>,
    turn: u64,
}

/// Whom a refusal is counted against: the user who was proven at that address, else the certificate that proved itself in the
/// handshake, else the address, of IPv6 with its /64.
pub fn counted_against(address: IpAddr, certificate: Option<&Certificate>, user: Option<&str>) -> Blocked {
    let site = of_one_site(address);
    if let Some(user) = user {
        return Blocked::UserAt(user.into(), site);
    }
    let length = if site.is_ipv6() { 64 } else { 32 };
    let network = || Blocked::Network(IpNet::new(site, length).unwrap_or_else(|_| site.into()));
    certificate.and_then(CertificateBinding::to).map_or_else(network, Blocked::Certificate)
}

/// As how many a refusal counts. Nobody is shut out for what is not theirs: for a limit that others fill, an hour of the day, an
/// agreement that has ended, an upstream, a disk; nor for coming again while they are blocked.
pub fn weight(reason: Reason) -> u32 {
    use Reason as R;
    match reason {
        // What speaks these is no device.
        R::HttpOnDicomPort | R::UnknownProtocol | R::TlsOnPlainPort | R::MalformedPdu => SCANNER,
        R::AddressNotAllowed
        | R::ConnectionRate
        | R::PlainDicomOnTlsPort
        | R::TlsHandshakeFailed
        | R::CertificateMissing
        | R::CertificateExpired
        | R::CertificateRevoked
        | R::CertificateUnknownCa
        | R::CertificateInvalid
        | R::AssociateTimeout
        | R::AssociateTooLong
        | R::ProtocolVersion
        | R::ApplicationContext
        | R::CallingAeTitleIllegal
        | R::CalledAeTitleIllegal
        | R::CallingAeTitleUnknown
        | R::CertificateMismatch
        | R::CalledAeTitleUnknown
        | R::TlsTooOld
        | R::UserIdentityMissing
        | R::UserIdentityWrong
        | R::TokenWrong
        | R::TokenEnded
        | R::TokenUsed
        | R::TokenNotBound
        | R::UserIdentityUnsupported
        | R::UserLockedOut
        | R::UserNotAllowed
        | R::FactorMissing
        | R::TooManyAssociationsOfAddress
        | R::AssociationRateOfAddress
        | R::MaximumLengthTooShort => 1,
        _ => 0,
    }
}

/// As how many a refusal counts whose request names itself so: as [`weight`], and as a scanner's where it is known by that. A name
/// makes nobody refused, and blocks nobody who is let in.
pub fn weight_of_request(reason: Reason, calling: &str, called: &str, version: Option<&str>) -> u32 {
    // What the scripts of nmap for DICOM say where nobody tells them otherwise.
    let is_known = (calling, called) == ("ECHOSCU", "ANY-SCP")
        || [calling, called, version.unwrap_or_default()].iter().any(|name| name.starts_with("NMAP"));
    match weight(reason) {
        1 if is_known => SCANNER,
        weight => weight,
    }
}

impl Repeated {
    /// Counts a refusal as so many. Gives how many there were within the time, where they are enough; from then on they begin
    /// anew.
    pub fn count(&mut self, of: &Blocked, weight: u32, now: Instant, rules: &AutomaticBlocks) -> Option<u32> {
        self.turn += 1;
        let counted = self.of.entry(of.clone()).or_default();
        self.order.remove(&counted.turn);
        let is_over = |at: Instant| now.saturating_duration_since(at) > rules.within;
        while counted.moments.front().is_some_and(|(at, _)| is_over(*at)) {
            counted.moments.pop_front();
            self.moments -= 1;
        }
        counted.moments.push_back((now, weight));
        counted.turn = self.turn;
        self.moments += 1;
        self.order.insert(self.turn, of.clone());
        let sum = counted.moments.iter().fold(0_u32, |sum, (_, weight)| sum.saturating_add(*weight));
        if sum >= rules.refusals {
            self.forget(self.turn);
            return Some(sum);
        }
        while self.moments > MOST
            && let Some((oldest, _)) = self.order.first_key_value()
        {
            self.forget(*oldest);
        }
        None
    }

    fn forget(&mut self, turn: u64) {
        let counted = self.order.remove(&turn).and_then(|of| self.of.remove(&of));
        self.moments -= counted.map_or(0, |counted| counted.moments.len());
    }

    /// How many refusals are remembered.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize, usize) {
        (self.moments, self.of.len(), self.order.len())
    }
}

#[cfg(test)]
mod tests;
