//! The way to an upstream: which of its addresses, a connection, one A-ASSOCIATE exchange.
//!
//! | file | holds |
//! | --- | --- |
//! | `dial`, `answer` | a connection to one address; the answer to a request |
//! | `breaker` | whether an address is asked at all |
//! | `standing`, `book`, `entry` | how one upstream stands: its addresses, what came of each |
//! | `place`, `checks`, `names` | what it learns from associations, from C-ECHOs and from name servers |
//! | `lookup` | what names stand for |
//! | `keeping` | the tasks that check, look up and tell, of all upstreams |
//! | `shown`, `not_reached` | the same for people and programs; why one cannot be had |
//!
//! # Why
//!
//! - **Why another address is asked only before the request was sent**: a node that has it may have acted on it, and two that
//!   have it may both act.
//! - **Why whoever finds an upstream down is refused at once**: a requestor that waits for a connection which will not come
//!   holds its place, and would be refused all the same.
//! - **Why silence after a request takes no address down**: the requestor chose what the request says, and an upstream that
//!   closes on one requestor, or never answers it, may serve all others. It is no more than a reason for a check.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::leg::Leg;
use crate::config::{Limits, UpstreamSettings};
use crate::tls::Session;
use crate::trace::{self, Node, What, Witness};
use crate::upper;
use crate::vocabulary::Reason;
use crate::wire::associate::{AssociateAc, AssociateRq};

mod answer;
mod book;
mod breaker;
mod checks;
mod dial;
mod entry;
mod keeping;
mod lookup;
mod names;
mod not_reached;
mod place;
mod shown;
mod standing;
#[cfg(test)]
mod tests;

pub(super) use answer::associate;
pub(super) use dial::dial;
pub(crate) use keeping::{Check, Checking, Upstreams};
pub(crate) use not_reached::NotReached;
use place::NotAsked;
pub(super) use place::Place;
pub use shown::{AddressState, Availability, UpstreamState};
pub(crate) use standing::Candidate;
pub(super) use standing::Standing;

/// A connection to an upstream, before anything was asked of it.
pub(crate) struct Dialled {
    pub leg: Leg,
    /// The address that answered, with its port.
    pub address: String,
    pub tls: Option<Session>,
    /// Those before it, and why each was not reached.
    pub passed_over: Vec<String>,
    /// From the first address to this connection, TLS included.
    pub took: Duration,
}

impl Dialled {
    fn new(stream: Box<dyn upper::Transport>, address: SocketAddr, tls: Option<Session>) -> Self {
        let (leg, address) = (Leg::new(stream), address.to_string());
        Self { leg, address, tls, passed_over: Vec::new(), took: Duration::ZERO }
    }
}

/// How long one that refuses for now is left alone before it is asked again: doubled each time, up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What is needed to reach one upstream: limits, settings, how it stands, and what it is told first.
pub(super) struct Asking<'a> {
    pub limits: &'a Limits,
    pub upstream: &'a UpstreamSettings,
    pub standing: &'a Arc<Standing>,
    /// What it is told first: a PROXY protocol header, or nothing.
    pub header: Vec<u8>,
    /// Who traces the association.
    pub witness: Option<&'a Arc<Witness>>,
}

/// An upstream that was reached: the connection, and a place there for as long as it is kept.
pub(super) type Reached = (Dialled, Place);

impl Asking<'_> {
    /// Dials the upstream and reads its answer. One that is busy is waited for: in its own queue where it does not answer yet,
    /// and by asking again where it refuses for now.
    ///
    /// # Errors
    /// What went wrong with each address; inside, what one that was reached answered instead of yes.
    pub(super) async fn ask(
        &self,
        offered: &AssociateRq,
    ) -> Result<(Reached, Result<AssociateAc, NotReached>), NotReached> {
        let (deadline, mut pause) = (Instant::now() + self.upstream.wait, PAUSE);
        let ((mut dialled, mut place), candidate) = self.dial().await?;
        loop {
            let answered = self.associate(&mut dialled, &mut place, offered).await;
            match &answered {
                Err(busy) if busy.is_busy() && Instant::now() + pause < deadline => {
                    let (upstream, detail) = (&self.upstream.name, &busy.detail);
                    tracing::debug!(%upstream, %detail, "busy, asking again in {pause:?}");
                    dialled.leg.close(Duration::ZERO).await;
                    drop(place);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    // The same one: it has had the request.
                    let (mut tried, again) = (Tried::new(), vec![candidate.clone()]);
                    let reached = self.dial_first_of(again, &mut tried).await;
                    ((dialled, place), _) = reached.ok_or_else(|| tried.not_reached(self.upstream))?;
                }
                _ => return Ok(((dialled, place), answered)),
            }
        }
    }

    async fn associate(
        &self,
        dialled: &mut Dialled,
        place: &mut Place,
        offered: &AssociateRq,
    ) -> Result<AssociateAc, NotReached> {
        let answered = associate(self.limits, self.upstream, &mut dialled.leg, offered).await;
        match &answered {
            Err(silence) if silence.is_silence() => place.unanswered(silence),
            Err(_) => place.answered(),
            Ok(_) => place.opened(),
        }
        answered
    }

    async fn dial(&self) -> Result<(Reached, Candidate), NotReached> {
        let (known, names) = self.standing.candidates(self.upstream);
        let mut tried = Tried::new();
        if let Some(mut reached) = self.dial_first_of(known, &mut tried).await {
            let ((dialled, _), _) = &mut reached;
            dialled.passed_over.extend(self.standing.problems(&names));
            return Ok(reached);
        }
        if !names.is_empty() {
            // Nobody waits for a name server while there is somebody to ask.
            let (found, unknown) = self.standing.found(self.upstream, &names).await;
            tried.all_down &= unknown.is_empty();
            tried.details.extend(unknown);
            if let Some(reached) = self.dial_first_of(found, &mut tried).await {
                return Ok(reached);
            }
        }
        Err(tried.not_reached(self.upstream))
    }

    /// Connects to the first that is up and can be had.
    async fn dial_first_of(
        &self,
        candidates: Vec<Candidate>,
        tried: &mut Tried,
    ) -> Option<(Reached, Candidate)> {
        let mut candidates = candidates.into_iter();
        while let Some(candidate) = candidates.next() {
            let mut place = match self.standing.admit(&candidate) {
                Ok(place) => place,
                Err(NotAsked { reason: last, detail }) => {
                    tried.reason = last;
                    tried.details.push(format!("{}: {detail}", candidate.called));
                    continue;
                }
            };
            tried.all_down = false;
            // There is nobody else left to ask: one that is busy with another association is waited for.
            let is_last = !self.standing.is_any_up(candidates.as_slice());
            let extra = if is_last { self.upstream.wait } else { Duration::ZERO };
            match dial(self.upstream, candidate.address, &self.header, extra).await {
                Ok(dialled) => {
                    place.connected();
                    let passed_over = std::mem::take(&mut tried.details);
                    let dialled = Dialled { passed_over, took: tried.began.elapsed(), ..dialled };
                    return Some(((self.seen(dialled), place), candidate));
                }
                Err(failed) => {
                    place.failed(&failed);
                    tried.reason = failed.reason;
                    tried.details.push(format!("{}: {}", candidate.called, failed.detail));
                }
            }
        }
        None
    }
}

impl Asking<'_> {
    /// The same, for whoever traces the association.
    fn seen(&self, dialled: Dialled) -> Dialled {
        let Some(witness) = self.witness else { return dialled };
        let (upstream, address) = (self.upstream.name.to_string(), dialled.address.clone());
        witness.reached(dialled.took);
        let (passed_over, took_us) = (dialled.passed_over.clone(), dialled.took.into());
        witness.tell(What::Dialled { upstream, address, passed_over, took_us });
        if let Some(tls) = &dialled.tls {
            let tls = Box::new(super::proof::proven(tls));
            witness.tell(What::Tls { leg: Node::Upstream, tls });
        }
        let trace = trace::Leg::new(witness.clone(), Node::Upstream);
        Dialled { leg: dialled.leg.traced(Some(trace)), ..dialled }
    }
}

/// Addresses that were asked in vain, and why.
struct Tried {
    began: Instant,
    reason: Reason,
    details: Vec<String>,
    /// Whether none of them was so much as dialled.
    all_down: bool,
}

impl Tried {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            reason: Reason::UpstreamUnreachable,
            details: Vec::new(),
            all_down: true,
        }
    }

    fn not_reached(self, upstream: &UpstreamSettings) -> NotReached {
        let is = if self.all_down { " is down" } else { "" };
        let detail = format!("upstream \"{}\"{is}: {}", upstream.name, self.details.join("; "));
        NotReached::new(self.reason, detail)
    }
}
