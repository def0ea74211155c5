//! What the relay asks before it accepts a connection or an association.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::Quota;
use governor::clock::DefaultClock;

use super::Time;
use super::count::{Counts, Permit};
use super::of_one_site;
use super::over::Over;
use super::pace::{Pace, Speeds};
use super::rate::{Rate, RatePerAddress};
use super::retrievals::Retrievals;
use crate::policy::{Peer, Policy};
use crate::vocabulary::Reason;

/// Requests for associations are read in pieces of this many bytes, and the room for them is counted in those.
pub const REQUEST_PIECE: usize = 32 * 1024;

/// The limits that are no peer's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Associations at once, of all peers together.
    pub max_associations: u32,
    /// Associations at once of one address.
    pub max_associations_per_address: u32,
    /// TCP connections in a minute of one address, before anything is read from them.
    pub connections_per_minute_per_address: NonZeroU32,
    /// Requests for associations in a minute, of everybody together; `None` is any number.
    pub associations_per_minute: Option<NonZeroU32>,
    /// Requests for associations in a minute of one address; `None` is any number.
    pub associations_per_minute_per_address: Option<NonZeroU32>,
    /// Pieces of requests for associations that are held for those not yet let in, the first of each aside.
    pub request_pieces: u32,
}

impl Limits {
    /// A connection counts from its first byte, an association from its acceptance. There may be twice as many
    /// connections, so that those still shaking hands leave room to answer an association over the limit.
    pub fn max_connections(&self) -> u32 {
        self.max_associations.saturating_mul(2)
    }

    /// Nobody can take what is there for all.
    fn request_pieces_per_address(&self) -> u32 {
        self.request_pieces.div_ceil(4)
    }

    fn max_connections_per_address(&self) -> u32 {
        self.max_associations_per_address.saturating_mul(2)
    }
}

/// Counts and rates of the whole proxy.
pub struct Limiter<C: Time = DefaultClock> {
    clock: C,
    state: Mutex<State<C>>,
    connections: Arc<Counts<()>>,
    connections_of_address: Arc<Counts<IpAddr>>,
    associations: Arc<Counts<()>>,
    associations_of_address: Arc<Counts<IpAddr>>,
    associations_of_peer: Arc<Counts<Arc<str>>>,
    request_pieces: Arc<Counts<()>>,
    request_pieces_of_address: Arc<Counts<IpAddr>>,
    retrievals: Retrievals<C>,
}

/// What a reload can change.
struct State<C: Time> {
    limits: Limits,
    connection_rate: Arc<RatePerAddress<C>>,
    association_rate: Option<Arc<Rate<C>>>,
    association_rate_of_address: Option<Arc<RatePerAddress<C>>>,
    peers: HashMap<Arc<str>, PeerState<C>>,
}

struct PeerState<C: Time> {
    associations: Option<Arc<Rate<C>>>,
    speeds: Arc<Speeds<C>>,
}

/// One open connection, given back on drop.
#[derive(Debug)]
pub struct ConnectionPermit {
    _connection: Permit<()>,
    _of_address: Permit<IpAddr>,
}

/// Room for a request, given back on drop.
#[derive(Debug)]
pub struct RequestPermit {
    _pieces: Vec<(Permit<()>, Permit<IpAddr>)>,
}

/// One open association, given back on drop.
#[derive(Debug)]
pub struct AssociationPermit {
    _association: Permit<()>,
    _of_address: Permit<IpAddr>,
    _of_peer: Permit<Arc<str>>,
}

impl Limiter {
    /// Limits that are measured by the clock of the machine.
    pub fn new(limits: Limits) -> Self {
        Self::with_clock(limits, DefaultClock::default())
    }
}

impl<C: Time> Limiter<C> {
    /// A limiter whose rates run by `clock`: the machine's own, or one that a test moves on by hand.
    pub fn with_clock(limits: Limits, clock: C) -> Self {
        let state = State {
            limits,
            connection_rate: Arc::new(RatePerAddress::new(limits.connections_per_minute_per_address, &clock)),
            association_rate: limits.associations_per_minute.map(|n| Arc::new(per_minute(n, &clock))),
            association_rate_of_address: limits
                .associations_per_minute_per_address
                .map(|n| Arc::new(RatePerAddress::new(n, &clock))),
            peers: HashMap::new(),
        };
        Self {
            retrievals: Retrievals::new(clock.clone()),
            clock,
            state: Mutex::new(state),
            connections: Arc::default(),
            connections_of_address: Arc::default(),
            associations: Arc::default(),
            associations_of_address: Arc::default(),
            associations_of_peer: Arc::default(),
            request_pieces: Arc::default(),
            request_pieces_of_address: Arc::default(),
        }
    }

    /// Puts a configuration into force. What is open stays counted; a rate starts afresh only where it changed.
    pub fn apply(&self, limits: Limits, policy: &Policy) {
        let fresh = Self::with_clock(limits, self.clock.clone());
        let mut fresh = fresh.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        if state.limits.connections_per_minute_per_address == limits.connections_per_minute_per_address {
            fresh.connection_rate = state.connection_rate.clone();
        }
        if state.limits.associations_per_minute == limits.associations_per_minute {
            fresh.association_rate = state.association_rate.clone();
        }
        if state.limits.associations_per_minute_per_address == limits.associations_per_minute_per_address {
            fresh.association_rate_of_address = state.association_rate_of_address.clone();
        }
        fresh.peers = std::mem::take(&mut state.peers);
        fresh.peers.retain(|name, _| policy.peers.iter().any(|peer| peer.name == *name));
        *state = fresh;
    }

    /// Asked for each connection, before TLS.
    ///
    /// # Errors
    /// [`Reason::ConnectionRate`] or [`Reason::TooManyConnections`], and the key of `[limits]` that says so.
    pub fn connection(&self, address: IpAddr) -> Result<ConnectionPermit, Over> {
        let (limits, rate) = {
            let state = self.state();
            (state.limits, state.connection_rate.clone())
        };
        if !rate.admits(address) {
            return Err(Over::all(Reason::ConnectionRate, "connections-per-minute-per-address"));
        }
        let too_many = |key| Over::all(Reason::TooManyConnections, key);
        let site = of_one_site(address);
        let of_address = self.connections_of_address.take(&site, limits.max_connections_per_address());
        let of_address = of_address.ok_or(too_many("max-associations-per-address"))?;
        let connection = self.connections.take(&(), limits.max_connections());
        let connection = connection.ok_or(too_many("max-associations"))?;
        Ok(ConnectionPermit { _connection: connection, _of_address: of_address })
    }

    /// Asked for a request of so many pieces before it is read: whoever has begun can end. `None`: not now.
    pub fn request(&self, address: IpAddr, pieces: usize) -> Option<RequestPermit> {
        let limits = self.state().limits;
        let (site, most) = (of_one_site(address), limits.request_pieces_per_address());
        let piece = |_| {
            let of_address = self.request_pieces_of_address.take(&site, most)?;
            Some((self.request_pieces.take(&(), limits.request_pieces)?, of_address))
        };
        Some(RequestPermit { _pieces: (0..pieces).map(piece).collect::<Option<_>>()? })
    }

    /// Asked once the policy has allowed the association, before the upstream is dialled. Places are looked at
    /// before rates, so that a refused association costs no rate.
    ///
    /// # Errors
    /// One of the six reasons that are answered with 2/3/2, and the key that says so.
    pub fn association(&self, peer: &Peer, address: IpAddr) -> Result<AssociationPermit, Over> {
        let limits = self.state().limits;
        let site = of_one_site(address);
        let most_of_peer = peer.max_associations.unwrap_or(u32::MAX);
        let of_peer = self.associations_of_peer.take(&peer.name, most_of_peer);
        let of_peer = of_peer.ok_or(Over::peer(Reason::TooManyAssociationsOfPeer, "max-associations"))?;
        let of_address = self.associations_of_address.take(&site, limits.max_associations_per_address);
        let over = Over::all(Reason::TooManyAssociationsOfAddress, "max-associations-per-address");
        let of_address = of_address.ok_or(over)?;
        let association = self.associations.take(&(), limits.max_associations);
        let association = association.ok_or(Over::all(Reason::TooManyAssociations, "max-associations"))?;
        self.association_rates(peer, address)?;
        Ok(AssociationPermit { _association: association, _of_address: of_address, _of_peer: of_peer })
    }

    /// How fast the peer may go, for one association. Take it when the association opens.
    pub fn pace(&self, peer: &Peer) -> Pace<C> {
        let speeds = self.state().peer(&peer.name).speeds.clone();
        speeds.pace(peer, &self.clock)
    }

    /// Asked for each retrieval that may pass. Whether it is within what is allowed in an hour: of the peer, whoever asks, and of the
    /// user, from wherever; it then counts, of each that is limited. Of who was not limited before, nothing is known.
    pub fn retrieval(
        &self,
        peer: &Arc<str>,
        user: Option<&Arc<str>>,
        allowed: [Option<NonZeroU32>; 2],
    ) -> bool {
        allowed == [None; 2] || self.retrievals.take(peer, user, allowed)
    }

    /// How many associations are open now, of all peers together.
    pub fn open_associations(&self) -> u32 {
        self.associations.taken(&())
    }

    /// How many connections are open now, those included that have not asked for an association yet.
    pub fn open_connections(&self) -> u32 {
        self.connections.taken(&())
    }

    /// Associations of one peer open now.
    pub fn open_associations_of(&self, peer: &Peer) -> u32 {
        self.associations_of_peer.taken(&peer.name)
    }

    /// Bytes of requests that are being read, and how many there may be.
    pub fn request_memory(&self) -> [u64; 2] {
        let allowed = self.state().limits.request_pieces;
        [self.request_pieces.taken(&()), allowed]
            .map(|pieces| u64::from(pieces).saturating_mul(REQUEST_PIECE as u64))
    }

    fn association_rates(&self, peer: &Peer, address: IpAddr) -> Result<(), Over> {
        let (of_peer, of_address, of_proxy) = {
            let mut state = self.state();
            let of_peer = state.peer(&peer.name).association_rate(peer, &self.clock);
            (of_peer, state.association_rate_of_address.clone(), state.association_rate.clone())
        };
        if of_peer.is_some_and(|rate| !rate.admits()) {
            return Err(Over::peer(Reason::AssociationRateOfPeer, "associations-per-minute"));
        }
        if of_address.is_some_and(|rate| !rate.admits(address)) {
            let key = "associations-per-minute-per-address";
            return Err(Over::all(Reason::AssociationRateOfAddress, key));
        }
        if of_proxy.is_some_and(|rate| !rate.admits()) {
            return Err(Over::all(Reason::AssociationRate, "associations-per-minute"));
        }
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn remembered(&self) -> (usize, usize, usize) {
        let addresses = self.associations_of_address.keys() + self.connections_of_address.keys();
        (addresses, self.associations_of_peer.keys(), self.state().connection_rate.remembered())
    }
}

impl<C: Time> State<C> {
    fn peer(&mut self, name: &Arc<str>) -> &mut PeerState<C> {
        let fresh = || PeerState { associations: None, speeds: Arc::default() };
        self.peers.entry(name.clone()).or_insert_with(fresh)
    }
}

impl<C: Time> PeerState<C> {
    fn association_rate(&mut self, peer: &Peer, clock: &C) -> Option<Arc<Rate<C>>> {
        let wanted = peer.associations_per_minute.and_then(NonZeroU32::new);
        if self.associations.as_ref().map(|rate| rate.quota()) != wanted.map(Quota::per_minute) {
            self.associations = wanted.map(|n| Arc::new(per_minute(n, clock)));
        }
        self.associations.clone()
    }
}

fn per_minute<C: Time>(count: NonZeroU32, clock: &C) -> Rate<C> {
    Rate::new(Quota::per_minute(count), clock)
}
