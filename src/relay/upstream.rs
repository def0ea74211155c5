//! The way to an upstream: the next address on failure, TLS with a verified name, one A-ASSOCIATE exchange.

use std::sync::Arc;
use std::time::Duration;

use rustls::AlertDescription;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::handshake::{self, ReadError};
use super::leg::Leg;
use super::silent::Silent;
use crate::config::{Limits, UpstreamSettings};
use crate::tls::{ClientStream, Session};
use crate::upper::{self, Opening};
use crate::vocabulary::Reason;
use crate::wire::Malformed;
use crate::wire::associate::{AssociateAc, AssociateRq};
use crate::wire::pdu::Abort;

/// A connection to an upstream, before anything was asked of it.
pub(crate) struct Dialled {
    pub leg: Leg,
    /// The address that answered, with its port.
    pub address: String,
    pub tls: Option<Session>,
    /// Those before it in the list, and why each was not reached.
    pub passed_over: Vec<String>,
    /// From the first address to this connection, TLS included.
    pub took: Duration,
}

impl Dialled {
    fn new(stream: Box<dyn upper::Transport>, address: String, tls: Option<Session>) -> Self {
        let leg = Leg::new(stream);
        Self { leg, address, tls, passed_over: Vec::new(), took: Duration::ZERO }
    }
}

/// Why an upstream cannot be had, in the words of a record.
#[derive(Debug)]
pub(crate) struct NotReached {
    pub reason: Reason,
    pub detail: String,
    /// The upstream aborted: the requestor is told with the same source and reason.
    pub abort: Option<Abort>,
}

impl NotReached {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), abort: None }
    }

    /// Whether it is there and has no room for now (A-ASSOCIATE-RJ, rejected-transient by the presentation provider: temporary
    /// congestion or local limit exceeded).
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.reason, Reason::UpstreamRejected { result: 2, source: 3, reason: 1 | 2 })
    }

    pub(super) fn malformed(malformed: &Malformed) -> Self {
        Self::new(Reason::UpstreamMalformed, malformed.to_string())
    }
}

/// How long one that refuses for now is left alone before it is asked again: doubled each time, up to the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Dials the upstream and reads its answer. One that is busy is waited for: in its own queue where it does not answer yet, and
/// by asking again where it refuses for now.
///
/// # Errors
/// What went wrong with each address; inside, what one that was reached answered instead of yes.
pub(crate) async fn ask(
    limits: &Limits,
    upstream: &UpstreamSettings,
    silent: &Silent,
    offered: &AssociateRq,
) -> Result<(Dialled, Result<AssociateAc, NotReached>), NotReached> {
    let (deadline, mut pause) = (Instant::now() + upstream.wait, PAUSE);
    let limit = usize::try_from(limits.max_associate_length).unwrap_or(usize::MAX);
    let patience = limits.associate_timeout.saturating_add(upstream.wait);
    loop {
        let mut dialled = dial(upstream, silent).await?;
        let answered = associate(&mut dialled.leg, offered, limit, patience).await;
        match &answered {
            Err(busy) if busy.is_busy() && Instant::now() + pause < deadline => {
                tracing::debug!(upstream = %upstream.name, detail = %busy.detail, "busy, asking again in {pause:?}");
                dialled.leg.close(Duration::ZERO).await;
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            _ => return Ok((dialled, answered)),
        }
    }
}

/// Connects to the first address that answers.
///
/// # Errors
/// What went wrong with each address.
async fn dial(upstream: &UpstreamSettings, silent: &Silent) -> Result<Dialled, NotReached> {
    let mut reason = Reason::UpstreamUnreachable;
    let (began, mut details) = (Instant::now(), Vec::new());
    for (index, address) in upstream.addresses.iter().enumerate() {
        // There is nobody else left to ask: one that is busy with another association is waited for.
        let last = index + 1 == upstream.addresses.len();
        let extra = if last { upstream.wait } else { Duration::ZERO };
        match dial_one(upstream, address, extra).await {
            Ok(dialled) => {
                silent.answered(&upstream.name, address);
                return Ok(Dialled { passed_over: details, took: began.elapsed(), ..dialled });
            }
            Err(failed) => {
                silent.failed(&upstream.name, address, &failed.detail);
                reason = failed.reason;
                details.push(format!("{address}: {}", failed.detail));
            }
        }
    }
    Err(NotReached::new(reason, format!("upstream \"{}\": {}", upstream.name, details.join("; "))))
}

/// `extra`: how much longer than `connect-timeout` its TLS handshake may take. Its system connects in its place, so an
/// upstream that serves one connection at a time is slow there first.
async fn dial_one(
    upstream: &UpstreamSettings,
    address: &str,
    extra: Duration,
) -> Result<Dialled, NotReached> {
    let patience = upstream.connect_timeout;
    let late = |what: &str, patience: Duration| {
        NotReached::new(Reason::UpstreamUnreachable, format!("{what} took longer than {patience:?}"))
    };
    let unreachable = |error: std::io::Error| NotReached::new(Reason::UpstreamUnreachable, error.to_string());
    let socket = timeout(patience, TcpStream::connect(address)).await;
    let socket = socket.map_err(|_| late("connecting", patience))?.map_err(unreachable)?;
    upper::prepare(&socket).map_err(unreachable)?;
    let reached = socket.peer_addr().map_or_else(|_| address.to_owned(), |reached| reached.to_string());
    let Some(tls) = &upstream.tls else {
        return Ok(Dialled::new(Box::new(socket), reached, None));
    };
    let name = server_name(&tls.settings.server_name)?;
    let connecting = ClientStream::connect(Arc::clone(&tls.built.config), name, socket);
    let patience = patience.saturating_add(extra);
    let stream = timeout(patience, connecting).await.map_err(|_| late("the TLS handshake", patience))?;
    let stream = stream.map_err(|error| {
        let failure = crate::tls::handshake_failure(&error);
        NotReached::new(Reason::UpstreamTls, format!("TLS: {} ({})", failure.detail, failure.label))
    })?;
    let session = Session::of_client(stream.state());
    Ok(Dialled::new(Box::new(stream), reached, Some(session)))
}

fn server_name(name: &str) -> Result<ServerName<'static>, NotReached> {
    ServerName::try_from(name.to_owned()).map_err(|_| {
        NotReached::new(Reason::UpstreamTls, format!("\"{name}\" is neither a DNS name nor an address"))
    })
}

/// Asks for an association.
///
/// # Errors
/// The upstream's refusal or abort, an answer that is none, or no answer in time.
async fn associate(
    leg: &mut Leg,
    request: &AssociateRq,
    limit: usize,
    patience: Duration,
) -> Result<AssociateAc, NotReached> {
    let request = request.encode().map_err(|error| NotReached::malformed(&error))?;
    let exchange = async {
        leg.write_pdu(&request).await?;
        handshake::read(leg, limit, &|_| None).await.map(|(opening, _)| opening)
    };
    let late = || {
        NotReached::new(Reason::UpstreamTimeout, format!("no answer to the A-ASSOCIATE-RQ in {patience:?}"))
    };
    match timeout(patience, exchange).await.map_err(|_| late())? {
        Ok(Opening::Accept(body)) => {
            AssociateAc::decode(&body).map_err(|error| NotReached::malformed(&error))
        }
        Ok(Opening::Reject(r)) => {
            let reason = Reason::UpstreamRejected { result: r.result, source: r.source, reason: r.reason };
            Err(NotReached::new(reason, reason.to_string()))
        }
        Ok(Opening::Abort(abort)) => {
            let detail =
                format!("the upstream aborted with source {} and reason {}", abort.source, abort.reason);
            Err(NotReached { reason: Reason::UpstreamAborted, detail, abort: Some(abort) })
        }
        Ok(Opening::Request(_)) => {
            Err(NotReached::new(Reason::UpstreamMalformed, "the upstream answered with an A-ASSOCIATE-RQ"))
        }
        Err(ReadError::Malformed(error) | ReadError::TooLong(error)) => Err(NotReached::malformed(&error)),
        Err(ReadError::Io(error)) => Err(unanswered(&error)),
    }
}

/// In TLS 1.3 an upstream says after the handshake that it wants a client certificate, or another one (RFC 8446 §4.4.2.4).
fn unanswered(error: &std::io::Error) -> NotReached {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => NotReached::new(
            Reason::UpstreamTls,
            "the upstream ended TLS: it wants a client certificate (certificate-chain and private-key of [upstream.tls])",
        ),
        Some(tls) => NotReached::new(Reason::UpstreamTls, format!("the upstream ended TLS: {tls}")),
        None => {
            NotReached::new(Reason::UpstreamUnreachable, format!("the upstream closed unanswered: {error}"))
        }
    }
}
