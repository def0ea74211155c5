//! From an address that several tenants have to the gate of one of them.
//!
//! Until the handshake has said whose a connection is, it is the machine's: counted by it, refused by it, and recorded in its
//! trail. From then on it is that tenant's alone, as if it had come to an address of its own: another id, another place, other rules.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, UnixTime};
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::field::display;

use super::arrival::{Arrival, Refused};
use super::gate::Gate;
use super::leg::Leg;
use super::threshold::{admitted, counted, handshake_failed, spoken, unexpected};
use crate::config::{Lead, ListenerSettings, Shared};
use crate::identity::Certificate;
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
    welcome(arrival, &shared, address)?;
    // Of the machine: until it is known whose it is.
    let unknown = arrival.gate.limiter.connection(address);
    let unknown = unknown.map_err(|over| Refused::limited(over, &arrival.settings.limit_keys))?;
    match spoken(&socket).await? {
        Protocol::Tls => {}
        protocol => return Err(unexpected(true, protocol)),
    }
    let began = Instant::now();
    let hello = Hello::read(&mut socket).await.map_err(|error| handshake_failed(&error))?;
    let named = hello.server_name.as_ref().and_then(|name| shared.by_name.get(name)).copied();
    let (stream, lead) = match named {
        Some(index) => answer_by_name(arrival, &shared, index, (socket, hello)).await?,
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

/// Before a byte is answered: whether any tenant that listens there lets the address in, as far as that alone decides.
fn welcome(arrival: &Arrival, shared: &Shared, address: IpAddr) -> Result<(), Refused> {
    let mut reasons = BTreeSet::new();
    for lead in &shared.leads {
        let Some((gate, listener)) = there(arrival, lead) else { continue };
        match admitted(&gate, &gate.in_force.load().settings, &listener.name, address) {
            Ok(()) => return Ok(()),
            Err(refusal) => reasons.insert(refusal.reason.label()),
        };
    }
    let reason = match reasons.len() {
        0 => return Err(gone()),
        1 if reasons.contains(Reason::Blocked.label()) => Reason::Blocked,
        _ => Reason::AddressNotAllowed,
    };
    Err(Refused::new(reason, format!("none of the tenants that listen there lets {address} in")))
}

/// Whoever asks for a tenant by its name is answered and refused by that one.
async fn answer_by_name(
    arrival: &mut Arrival,
    shared: &Shared,
    index: usize,
    (socket, hello): (TcpStream, Hello),
) -> Result<(ServerStream, Lead), Refused> {
    let lead = shared.leads.get(index).cloned().ok_or_else(gone)?;
    let (gate, listener) = there(arrival, &lead).ok_or_else(gone)?;
    let config = listener.tls.as_ref().map(|tls| tls.built.config.clone()).ok_or_else(gone)?;
    let address = arrival.from.ip().to_canonical();
    let let_in = admitted(&gate, &gate.in_force.load().settings, &listener.name, address);
    if let Err(refusal) = let_in {
        belong(arrival, &lead)?;
        return Err(refusal.into());
    }
    let answered = ServerStream::answer(config, socket, hello).await;
    let refused = match answered {
        Ok(stream) => match stream.state().peer_certificates() {
            Some(chain) if shared.common.is_of_another(index, chain, UnixTime::now()) => of_several(chain),
            _ => return Ok((stream, lead)),
        },
        Err(error) => handshake_failed(&error),
    };
    belong(arrival, &lead)?;
    Err(refused)
}

/// Of CAs that vouch for each other nobody can say whose certificate it is.
fn of_several(chain: &[CertificateDer<'_>]) -> Refused {
    let explanation = "its chain does not tell whose it is: several who listen at this address trust it";
    let mut refused = Refused::new(Reason::CertificateUnknownCa, explanation);
    refused.certificate = chain.first().map(|own| Box::new(Certificate::from_der_or_fingerprint(own)));
    refused
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

/// The tenant and its listener, as they are now.
fn there(arrival: &Arrival, lead: &Lead) -> Option<(Arc<Gate>, Arc<ListenerSettings>)> {
    let gate = arrival.gate.tenants.load().get(&lead.tenant).cloned()?;
    let address = arrival.listener.address;
    let settings = gate.in_force.load().settings.clone();
    let mut there = settings.listeners.iter();
    let listener = there.find(|one| one.name == lead.listener && one.address == address).cloned()?;
    Some((gate, listener))
}

/// From here on it is this tenant's, as if it had come to an address of its own.
fn belong(arrival: &mut Arrival, lead: &Lead) -> Result<(), Refused> {
    let (gate, listener) = there(arrival, lead).ok_or_else(gone)?;
    let slot = gate.slots.take_now();
    arrival.rounds = gate.rounds();
    arrival.in_force = gate.in_force.load_full();
    arrival.settings = arrival.in_force.settings.clone();
    arrival.listener = listener;
    let id = gate.next_id();
    let span = tracing::Span::current();
    span.record("tenant", display(&lead.tenant)).record("association", display(&id));
    tracing::info!("the connection is a tenant's");
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
