//! From an address that several tenants have to the gate of one of them.
//!
//! Until the handshake has said whose a connection is, it is the machine's: counted by it, refused by it, and recorded in its
//! trail. From then on it is that tenant's alone, as if it had come to an address of its own: another id, another place, other rules.

use std::sync::Arc;

use rustls::pki_types::UnixTime;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::arrival::{Arrival, Refused};
use super::leg::Leg;
use super::threshold::{counted, handshake_failed, spoken, unexpected};
use crate::config::{Lead, ListenerSettings, Shared};
use crate::policy::Block;
use crate::policy::limits::ConnectionPermit;
use crate::tls::{Hello, Protocol, ServerStream, Session};
use crate::trace::Node;
use crate::vocabulary::Reason;

/// Lets a connection in that came to such an address.
///
/// # Errors
/// As [`enter`](super::entrance::enter); whose records tell of it depends on how far it came.
pub(super) async fn enter(
    arrival: &mut Arrival,
    mut socket: TcpStream,
) -> Result<(Leg, ConnectionPermit), Refused> {
    let Some(shared) = arrival.listener.shared.clone() else { return Err(gone()) };
    let address = arrival.from.ip().to_canonical();
    blocked(arrival).map_or(Ok(()), Err)?;
    // Of the machine: until it is known whose it is.
    let unknown = arrival.gate.limiter.connection(address);
    let unknown = unknown.map_err(|over| Refused::limited(over, &arrival.settings.limit_keys))?;
    match spoken(&socket).await? {
        Protocol::Tls => {}
        protocol => return Err(unexpected(true, protocol)),
    }
    let began = Instant::now();
    let hello = Hello::read(&mut socket).await.map_err(|error| handshake_failed(&error))?;
    let named = hello.server_name.as_ref().and_then(|name| shared.by_name.get(name));
    let named = named.and_then(|index| shared.leads.get(*index)).cloned();
    let (stream, lead) = match named {
        Some(lead) => {
            let listener = listener_of(arrival, &lead).ok_or_else(gone)?;
            let config = listener.tls.as_ref().map(|tls| tls.built.config.clone()).ok_or_else(gone)?;
            let answered = ServerStream::answer(config, socket, hello).await;
            // Whoever asks for a tenant by its name is refused by that one.
            match answered {
                Ok(stream) => (stream, lead),
                Err(error) => {
                    belong(arrival, &lead)?;
                    return Err(handshake_failed(&error));
                }
            }
        }
        None => {
            let config = shared.common.config.clone();
            let stream = ServerStream::answer(config, socket, hello).await;
            let stream = stream.map_err(|error| handshake_failed(&error))?;
            let lead = told_by_authority(&shared, &stream).ok_or_else(gone)?;
            (stream, lead)
        }
    };
    belong(arrival, &lead)?;
    drop(unknown);
    let permit = counted(arrival)?;
    arrival.gate.metrics.shook_hands(&arrival.listener.name, began.elapsed());
    let trust = arrival.listener.tls.as_ref().and_then(|tls| tls.built.trust.as_deref());
    let session = Session::of_server(stream.state(), stream.server_name(), trust);
    // A reload may have taken the CA away since the handshake began.
    if session.certificate.is_some()
        && session.authorities.is_empty()
        && !is_pinned(&arrival.listener, &session)
    {
        return Err(gone());
    }
    arrival.tls = Some(session);
    arrival.tell_tls();
    Ok((Leg::new(Box::new(stream)).traced(arrival.trace(Node::Requestor)), permit))
}

/// Whom the machine shuts out has no tenant.
fn blocked(arrival: &Arrival) -> Option<Refused> {
    let blocks = arrival.gate.blocks.load();
    let block = blocks.of_address(arrival.from.ip().to_canonical(), time::OffsetDateTime::now_utc());
    block.map(Block::refusal).map(Refused::from)
}

fn told_by_authority(shared: &Shared, stream: &ServerStream) -> Option<Lead> {
    let chain = stream.state().peer_certificates()?;
    let index = shared.common.owner(chain, UnixTime::now())?;
    shared.leads.get(index).cloned()
}

/// A key that is pinned stands for itself, whoever signed it.
fn is_pinned(listener: &ListenerSettings, session: &Session) -> bool {
    let trust = listener.tls.as_ref().and_then(|tls| tls.built.trust.as_deref());
    let certificate = session.certificate.as_ref();
    trust
        .zip(certificate)
        .is_some_and(|(trust, certificate)| trust.pinned().iter().any(|binding| binding.matches(certificate)))
}

fn listener_of(arrival: &Arrival, lead: &Lead) -> Option<Arc<ListenerSettings>> {
    let gate = arrival.gate.tenants.load().get(&lead.tenant).cloned()?;
    let in_force = gate.in_force.load();
    let address = arrival.listener.address;
    let mut there = in_force.settings.listeners.iter();
    there.find(|one| one.name == lead.listener && one.address == address).cloned()
}

/// From here on it is this tenant's, as if it had come to an address of its own.
fn belong(arrival: &mut Arrival, lead: &Lead) -> Result<(), Refused> {
    let listener = listener_of(arrival, lead).ok_or_else(gone)?;
    let gate = arrival.gate.tenants.load().get(&lead.tenant).cloned().ok_or_else(gone)?;
    let slot = gate.slots.take_now();
    arrival.rounds = gate.rounds();
    arrival.in_force = gate.in_force.load_full();
    arrival.settings = arrival.in_force.settings.clone();
    arrival.listener = listener;
    let id = gate.next_id();
    tracing::info!(tenant = %lead.tenant, association = %id, "the connection is a tenant's");
    arrival.id = id;
    arrival.gate = gate;
    match slot {
        Some(slot) => arrival.slot = slot,
        // It keeps the place that it has, for as long as it takes to refuse it.
        None => return Err(Refused::from(Reason::TooManyConnections)),
    }
    arrival.be_seen();
    Ok(())
}

/// What it came to is there no more.
fn gone() -> Refused {
    Refused::new(Reason::ConnectionLost, "a reload took away what the connection came to")
}
