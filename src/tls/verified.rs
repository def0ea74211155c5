//! Chains that were verified a moment ago, so that a peer that opens one association after the other has its chain
//! verified once.
//!
//! Of a handshake this leaves out the building of the path from the peer's certificate to a root and the checks along it:
//! signatures, dates, usages, constraints, the upstream's name, revocation lists. What proves that the peer holds the
//! private key, its signature over this very handshake, is verified every time, and so is everything that the policy
//! decides by certificate.
//!
//! What is left out would have come to the same answer. That answer depends on nothing but the bytes of the chain (with
//! the name asked for and a stapled OCSP response), the roots and lists, and the time. A memo belongs to one verifier,
//! whose roots and lists never change: a reload makes another, which remembers nothing, so that a new list refuses at
//! once. And it answers only while the clock is between the verification and the first of the ends of all certificates in
//! the chain, of the roots that vouched for it and of all lists, within which time changes nothing. A clock that was set back before the verification, or
//! ahead past an end, has the chain verified again.
//!
//! [`LIFE`], by two clocks, and [`CHAINS`] bound it all the same. A chain that was refused is never remembered, nor is one
//! with a certificate whose end cannot be read. How long a handshake takes may tell who has a peer's certificate, without
//! the key, that the peer was here within that time, and no more.

use aws_lc_rs::digest::{Context, SHA256};
use rustls::Error;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

/// How long a chain is remembered.
const LIFE: Duration = Duration::from_secs(10);
/// Most chains that are remembered; the oldest one goes first.
const CHAINS: usize = 64;

/// What one verifier remembers: of each chain, what the verification gave.
#[derive(Debug)]
pub(super) struct VerifiedChains<T> {
    /// From here on a revocation list is out of date.
    lists_end: u64,
    chains: Mutex<VecDeque<Chain<T>>>,
}

#[derive(Debug)]
struct Chain<T> {
    presented: Presented,
    given: T,
    at: Moment,
    /// The last second in which it counts.
    until: u64,
}

/// By both clocks: one may be set, and the other knows no date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// Seconds since 1970.
    clock: u64,
    steady: Instant,
}

impl Moment {
    pub(super) fn now(clock: UnixTime) -> Self {
        Self { clock: clock.as_secs(), steady: Instant::now() }
    }
}

/// SHA-256 of what a verification is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Presented([u8; 32]);

impl Presented {
    /// Of the parts in their order, each with its length before it: no two lists of parts look alike.
    fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }
}

impl<T: Clone> VerifiedChains<T> {
    /// For a verifier with these lists.
    pub(super) fn new(lists: &[CertificateRevocationListDer<'_>]) -> Self {
        let end = |list: &CertificateRevocationListDer<'_>| {
            let parsed = CertificateRevocationList::from_der(list).ok();
            parsed.and_then(|(_, list)| list.next_update()).and_then(|end| seconds(end.to_datetime()))
        };
        // Of a list that does not say when it ends nothing is known that could last.
        let ends = lists.iter().map(|list| end(list).unwrap_or(0));
        Self { lists_end: ends.min().unwrap_or(u64::MAX), chains: Mutex::new(VecDeque::new()) }
    }

    /// Verifies the chain, unless it was verified a moment ago. `asked` is what else the verification depends on; one
    /// verifier names the same things each time. `verify` gives its answer, and the last second in which that holds, as far
    /// as it knows more than what is presented says.
    ///
    /// # Errors
    /// What `verify` finds.
    pub(super) fn verify(
        &self,
        asked: &[&[u8]],
        certificates: &[&CertificateDer<'_>],
        now: Moment,
        verify: impl FnOnce() -> Result<(T, u64), Error>,
    ) -> Result<T, Error> {
        let parts = certificates.iter().map(|certificate| certificate.as_ref());
        let presented = Presented::of(asked.iter().copied().chain(parts));
        if let Some(given) = self.remembered(presented, now) {
            return Ok(given);
        }
        let (given, holds) = verify()?;
        if let Some(until) = self.end(certificates, now) {
            let until = until.min(holds);
            self.remember(Chain { presented, given: given.clone(), at: now, until });
        }
        Ok(given)
    }

    fn remembered(&self, presented: Presented, now: Moment) -> Option<T> {
        let chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counting = chains.iter().filter(|chain| chain.presented == presented && chain.counts(now));
        counting.next().map(|chain| chain.given.clone())
    }

    fn remember(&self, chain: Chain<T>) {
        let mut chains = self.chains.lock().unwrap_or_else(PoisonError::into_inner);
        chains.retain(|other| other.presented != chain.presented);
        if chains.len() >= CHAINS {
            chains.pop_front();
        }
        chains.push_back(chain);
    }

    /// The last second in which a chain that is good now certainly still is.
    fn end(&self, certificates: &[&CertificateDer<'_>], now: Moment) -> Option<u64> {
        let mut until = now.clock.saturating_add(LIFE.as_secs()).min(self.lists_end.saturating_sub(1));
        for certificate in certificates {
            until = until.min(seconds(super::recent::facts(certificate).ok()?.not_after)?);
        }
        Some(until)
    }
}

impl<T> Chain<T> {
    fn counts(&self, now: Moment) -> bool {
        (self.at.clock..=self.until).contains(&now.clock)
            && now.steady.saturating_duration_since(self.at.steady) < LIFE
    }
}

fn seconds(time: OffsetDateTime) -> Option<u64> {
    u64::try_from(time.unix_timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::{CHAINS, LIFE, Moment, Presented, VerifiedChains, seconds};
    use crate::tls::authority::{Authority, Request};
    use proptest::prelude::*;
    use rustls::Error;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
    use std::time::{Duration, Instant};
    use time::OffsetDateTime;
    use time::macros::datetime;

    const BEGINNING: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);

    fn authority() -> Authority {
        Authority::new("CA").unwrap()
    }

    fn certificate(not_after: OffsetDateTime) -> CertificateDer<'static> {
        let request = Request { not_after, ..Request::new("a", vec![]) };
        let issued = authority().issue(&request).unwrap();
        CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap()
    }

    fn lasting() -> CertificateDer<'static> {
        certificate(datetime!(2099-01-01 00:00 UTC))
    }

    /// A memo and its clocks.
    struct Memo {
        chains: VerifiedChains<()>,
        steady: Instant,
    }

    impl Memo {
        fn new() -> Self {
            Self { chains: VerifiedChains::new(&[]), steady: Instant::now() }
        }

        /// Whether it verifies, so many seconds after the beginning by each clock, a chain that is good.
        fn verifies(&self, chain: &[&CertificateDer<'_>], clock: i64, steady: u64) -> bool {
            let mut verified = false;
            let verify = || {
                verified = true;
                Ok(())
            };
            self.ask(chain, clock, steady, verify).unwrap();
            verified
        }

        fn ask(
            &self,
            chain: &[&CertificateDer<'_>],
            clock: i64,
            steady: u64,
            verify: impl FnOnce() -> Result<(), Error>,
        ) -> Result<(), Error> {
            let clock = BEGINNING + time::Duration::seconds(clock);
            let steady = self.steady + Duration::from_secs(steady);
            let now = Moment { clock: seconds(clock).unwrap(), steady };
            self.chains.verify(&[], chain, now, || verify().map(|()| ((), u64::MAX)))
        }
    }

    #[test]
    fn a_chain_is_verified_again_when_its_time_is_over_by_either_clock() {
        let (memo, own, life) = (Memo::new(), lasting(), LIFE.as_secs());
        assert!(memo.verifies(&[&own], 0, 0));
        assert!(!memo.verifies(&[&own], 0, 0));
        assert!(!memo.verifies(&[&own], life as i64, life - 1));
        assert!(memo.verifies(&[&own], 0, life), "by the steady clock");
        assert!(!memo.verifies(&[&own], 1, life), "the time begins anew");
        assert!(memo.verifies(&[&own], 12, life + 1), "by the clock of the day");
        assert!(!memo.verifies(&[&own], 12, life + 1));
        assert!(memo.verifies(&[&own], 11, life + 2), "the clock was set back");
    }

    #[test]
    fn another_chain_with_the_same_certificate_is_verified() {
        let (memo, own, other, third) = (Memo::new(), lasting(), lasting(), lasting());
        assert!(memo.verifies(&[&own, &other], 0, 0));
        for chain in [&[&own][..], &[&own, &third], &[&own, &other, &third], &[&other, &own]] {
            assert!(memo.verifies(chain, 0, 0));
        }
        assert!(!memo.verifies(&[&own, &other], 0, 0));
    }

    #[test]
    fn a_chain_that_was_refused_is_never_remembered() {
        let (memo, own) = (Memo::new(), lasting());
        let refused = || Err(Error::General("no".into()));
        memo.ask(&[&own], 0, 0, refused).unwrap_err();
        memo.ask(&[&own], 0, 0, refused).unwrap_err();
        assert!(memo.verifies(&[&own], 0, 0));
        memo.ask(&[&own], 60, 60, refused).unwrap_err();
        memo.ask(&[&own], 60, 60, refused).unwrap_err();
    }

    #[test]
    fn no_certificate_of_a_chain_is_remembered_past_its_end() {
        let (ending, own) = (certificate(BEGINNING + time::Duration::seconds(3)), lasting());
        for chain in [&[&ending, &own][..], &[&own, &ending]] {
            let memo = Memo::new();
            assert!(memo.verifies(chain, 0, 0));
            assert!(!memo.verifies(chain, 3, 3), "its last second");
            assert!(memo.verifies(chain, 4, 4));
            assert!(memo.verifies(chain, 4, 4), "an end that is past");
        }
        let memo = Memo::new();
        let unreadable = CertificateDer::from(b"no certificate".to_vec());
        assert!(memo.verifies(&[&own, &unreadable], 0, 0));
        assert!(memo.verifies(&[&own, &unreadable], 0, 0), "nobody knows when it ends");
    }

    #[test]
    fn no_chain_is_remembered_past_the_end_of_a_list() {
        let list = |seconds| {
            let end = BEGINNING + time::Duration::seconds(seconds);
            let pem = authority().revocation_list(&[], 1, datetime!(2026-01-01 00:00 UTC), end).unwrap();
            CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap()
        };
        let chains = VerifiedChains::new(&[list(3600), list(5), list(3600)]);
        let (memo, own) = (Memo { chains, ..Memo::new() }, lasting());
        assert!(memo.verifies(&[&own], 0, 0));
        assert!(!memo.verifies(&[&own], 4, 4));
        assert!(memo.verifies(&[&own], 5, 5));
        assert!(memo.verifies(&[&own], 5, 5));
    }

    #[test]
    fn the_oldest_of_too_many_is_forgotten() {
        let memo = Memo::new();
        let certificates: Vec<_> = (0..=CHAINS).map(|_| lasting()).collect();
        for own in &certificates {
            assert!(memo.verifies(&[own], 0, 0));
        }
        assert!(!memo.verifies(&[&certificates[1]], 0, 0));
        assert!(!memo.verifies(&[&certificates[CHAINS]], 0, 0));
        assert!(memo.verifies(&[&certificates[0]], 0, 0));
    }

    proptest! {
        #[test]
        fn no_two_lists_of_parts_look_alike(
            one in prop::collection::vec(prop::collection::vec(0_u8..2, 0..3), 0..4),
            other in prop::collection::vec(prop::collection::vec(0_u8..2, 0..3), 0..4),
        ) {
            let of = |parts: &[Vec<u8>]| Presented::of(parts.iter().map(Vec::as_slice));
            prop_assert_eq!(of(&one) == of(&other), one == other);
        }
    }
}
