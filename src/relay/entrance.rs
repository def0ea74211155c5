//! From a socket to a leg: who is behind a load balancer, whether the address may come in at all, TLS
//! (PS3.15 Annex B.12, PS3.8 §9.1.5).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use super::arrival::{Arrival, Refused};
use super::gate::Gate;
use super::handed_on;
use super::leg::Leg;
use super::proxy_protocol::{self, HeaderError};
use super::threshold::{counted, handshake_failed, spoken, unexpected};
use crate::config::Settings;
use crate::policy::limits::{ConnectionPermit, Over};
use crate::tls::{Protocol, ServerStream, Session};
use crate::trace::Node;
use crate::vocabulary::Reason;

/// Lets a connection in, and tells the span of the log whose it is.
///
/// # Errors
/// Why not. The socket is closed by then, without a byte to an address that may not connect.
pub(crate) async fn enter(
    arrival: &mut Arrival,
    mut socket: TcpStream,
    artim: &Artim,
) -> Result<(Leg, ConnectionPermit), Refused> {
    let known = artim.over(look_behind_balancer(arrival, &mut socket)).await;
    // Once only: a log of text would have both.
    tracing::Span::current().record("address", tracing::field::display(arrival.from));
    arrival.be_seen();
    known?;
    artim.over(enter_from(arrival, socket)).await
}

/// Where a load balancer says so, whose connection it is.
async fn look_behind_balancer(arrival: &mut Arrival, socket: &mut TcpStream) -> Result<(), Refused> {
    if arrival.is_in(&arrival.listener.proxy_protocol_from) {
        if says_nothing(socket).await {
            return Err(Refused::from(Reason::HealthCheck));
        }
        let from = behind_balancer(socket, arrival.from).await?;
        arrival.may_check = from.is_none();
        arrival.from = from.unwrap_or(arrival.from);
    }
    Ok(())
}

async fn enter_from(arrival: &mut Arrival, socket: TcpStream) -> Result<(Leg, ConnectionPermit), Refused> {
    arrival.may_check |= arrival.is_in(&arrival.listener.health_checks_from);
    // Before anything is said of its address: it need not be one of a peer.
    if arrival.may_check && says_nothing(&socket).await {
        return Err(Refused::from(Reason::HealthCheck));
    }
    if arrival.listener.shared.is_some() {
        return handed_on::enter(arrival, socket).await;
    }
    let permit = counted(arrival)?;
    let leg = begin(arrival, socket).await?;
    Ok((leg, permit))
}

/// Whom the balancer at `own` speaks for, if not for itself: the checks of HAProxy name its own end of the connection where
/// it writes version 1.
async fn behind_balancer(socket: &mut TcpStream, own: SocketAddr) -> Result<Option<SocketAddr>, Refused> {
    match proxy_protocol::read(socket).await {
        Ok(from) => Ok(from.filter(|from| *from != SocketAddr::new(own.ip().to_canonical(), own.port()))),
        // They are reset as soon as they are sent, and what was said may be lost by that.
        Err(HeaderError::Io(error)) if error.kind() == io::ErrorKind::ConnectionReset => {
            Err(Refused::from(Reason::HealthCheck))
        }
        Err(error) => Err(Refused::new(Reason::ProxyHeaderMalformed, error.to_string())),
    }
}

/// Whether a connection ends without a byte. It waits for either, under the caller's deadline.
async fn says_nothing(socket: &TcpStream) -> bool {
    matches!(socket.peek(&mut [0]).await, Ok(0) | Err(_))
}

async fn begin(arrival: &mut Arrival, socket: TcpStream) -> Result<Leg, Refused> {
    let protocol = spoken(&socket).await?;
    match (&arrival.listener.tls, protocol) {
        (None, Protocol::Dicom) => Ok(Leg::new(Box::new(socket)).traced(arrival.trace(Node::Requestor))),
        (Some(tls), Protocol::Tls) => {
            let accepting = ServerStream::accept(tls.built.config.clone(), socket);
            let began = Instant::now();
            let stream = accepting.await.map_err(|error| handshake_failed(&error))?;
            arrival.gate.metrics.shook_hands(&arrival.listener.name, began.elapsed());
            arrival.tls =
                Some(Session::of_server(stream.state(), stream.server_name(), tls.built.trust.as_deref()));
            arrival.tell_tls();
            Ok(Leg::new(Box::new(stream)).traced(arrival.trace(Node::Requestor)))
        }
        (tls, protocol) => Err(unexpected(tls.is_some(), protocol)),
    }
}

/// The time that a requestor has until it is let in (PS3.8 §9.1.5).
pub(crate) struct Artim {
    gate: Arc<Gate>,
    settings: Arc<Settings>,
    deadline: Instant,
}

impl Artim {
    /// From the first moment of the connection, as long as `associate-timeout` says.
    pub(crate) fn of(arrival: &Arrival) -> Self {
        let (gate, settings) = (arrival.gate.clone(), arrival.settings.clone());
        let deadline = arrival.began + settings.limits.associate_timeout;
        Self { gate, settings, deadline }
    }

    /// Runs a step of the entrance, and not on while the proxy drains.
    ///
    /// # Errors
    /// The step's own, or that the time is over.
    pub(crate) async fn over<T>(&self, step: impl Future<Output = Result<T, Refused>>) -> Result<T, Refused> {
        tokio::select! {
            // Whoever has asked gets an answer.
            biased;
            done = timeout_at(self.deadline, step) => done.unwrap_or_else(|_| {
                // The key is called as the reason is.
                let over = Over::all(Reason::AssociateTimeout, Reason::AssociateTimeout.label());
                Err(Refused::limited(over, &self.settings.limit_keys))
            }),
            () = self.gate.draining() => Err(Refused::from(Reason::ShuttingDown)),
        }
    }
}
