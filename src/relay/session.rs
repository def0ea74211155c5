//! One connection, from its first byte to its closing record: the natural path.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;
use tracing::Instrument;

use super::arrival::{Arrival, Refused};
use super::associate;
use super::association::{Association, Tally};
use super::early::Early;
use super::ended::Ended;
use super::entrance;
use super::exchange::Ledger;
use super::gate::{Gate, Stage};
use super::handshake::{self, Opening, ReadError};
use super::leg::Leg;
use super::progress::{Deadlines, Progress};
use super::pump::Half;
use super::release::Release;
use super::upstream::{self, Dialled};
use crate::config::ListenerSettings;
use crate::policy::limits::AssociationPermit;
use crate::policy::{Direction, Grant, Reason, Verdict, decide};
use crate::wire::associate::{APPLICATION_CONTEXT, AssociateAc, AssociateRq};
use crate::wire::pdu::{Abort, Rejection};
use crate::wire::{AbortReason, Malformed, Packer};

/// How long a peer that has had its last PDU may take to close.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// Serves one connection. Whatever goes wrong ends here, in its one record.
pub(crate) async fn serve(
    gate: Arc<Gate>,
    listener: Arc<ListenerSettings>,
    socket: TcpStream,
    from: SocketAddr,
) {
    let settings = gate.settings.load_full();
    let id = gate.next_id();
    let span = tracing::info_span!("connection", peer = %from, id = %id);
    let arrival = Arrival { gate, settings, listener, id, from, began: Instant::now(), tls: None };
    connection(arrival, socket).instrument(span).await;
}

async fn connection(mut arrival: Arrival, socket: TcpStream) {
    let artim = arrival.began + arrival.settings.limits.associate_timeout;
    let (requestor, _permit) = match entrance::under_artim(artim, entrance::enter(&mut arrival, socket)).await
    {
        Ok(entered) => entered,
        Err(refused) => return arrival.refuse_connection(refused).await,
    };
    let requested = entrance::under_artim(artim, read_request(&arrival, &requestor)).await;
    let requested = match requested {
        Ok(requested) => requested,
        Err(refused) => {
            let abort = refused.abort;
            arrival.refuse_connection(refused).await;
            return match abort {
                Some(abort) => requestor.end_with(&abort.to_pdu(), LINGER).await,
                None => requestor.close(Duration::ZERO).await,
            };
        }
    };
    let span = tracing::info_span!("association", calling = %requested.calling, called = %requested.called);
    associate(&arrival, requestor, requested).instrument(span).await;
}

async fn read_request(arrival: &Arrival, requestor: &Leg) -> Result<AssociateRq, Refused> {
    let limit = usize::try_from(arrival.settings.limits.max_associate_length).unwrap_or(usize::MAX);
    let opening = handshake::read(requestor, limit).await;
    let malformed = match opening {
        Ok(Opening::Request(body)) => match AssociateRq::decode(&body) {
            Ok(requested) => return Ok(requested),
            Err(malformed) => malformed,
        },
        Ok(Opening::Abort(_)) => {
            return Err(Refused::new(Reason::ConnectionLost, "the requestor aborted unasked"));
        }
        Ok(_) => Malformed::new(AbortReason::UnexpectedPdu, "an answer where an A-ASSOCIATE-RQ is expected"),
        Err(ReadError::Malformed(malformed)) => malformed,
        Err(ReadError::Io(error)) => return Err(tls_or_lost(&error)),
    };
    let mut refused = Refused::new(Reason::MalformedPdu, malformed.to_string());
    refused.abort = Some(Abort::provider(malformed.reason));
    Err(refused)
}

/// In TLS 1.3 a client learns only after its first bytes that its certificate is refused, and so do we of its refusal.
fn tls_or_lost(error: &std::io::Error) -> Refused {
    let failure = crate::tls::handshake_failure(error);
    match failure.alert {
        Some(alert) => {
            let mut refused = Refused::new(Reason::TlsHandshakeFailed, failure.detail);
            refused.alert = Some(alert.into());
            refused
        }
        None => Refused::new(Reason::ConnectionLost, error.to_string()),
    }
}

/// Decides, asks the upstream, and only then answers.
async fn associate(arrival: &Arrival, requestor: Leg, requested: AssociateRq) {
    let (grant, permit) = match judge(arrival, &requested) {
        Ok(judged) => judged,
        Err(refused) => return reject(arrival, requestor, &requested, None, refused).await,
    };
    let offered_length = arrival.settings.limits.max_pdu_length;
    let Some(upstream) = arrival.settings.upstreams.get(&grant.upstream) else {
        let refused =
            Refused::new(Reason::UpstreamUnreachable, format!("no upstream \"{}\"", grant.upstream));
        return reject(arrival, requestor, &requested, Some(&grant), refused).await;
    };
    let Some(offered) = associate::upstream_request(&requested, &grant, upstream, offered_length) else {
        return super::nothing_allowed::serve(arrival, requestor, &requested, &grant, permit).await;
    };
    let mut early = Early::default();
    let asked = async {
        let dialled = upstream::dial(upstream).await?;
        let limits = &arrival.settings.limits;
        let limit = usize::try_from(limits.max_associate_length).unwrap_or(usize::MAX);
        let answered = upstream::associate(&dialled.leg, &offered, limit, limits.associate_timeout).await;
        Ok((dialled, answered))
    };
    let (dialled, answered) = tokio::select! {
        asked = asked => match asked {
            Ok(asked) => asked,
            Err(not_reached) => return not_had(arrival, requestor, &requested, &grant, not_reached).await,
        },
        left = early.watch(&requestor) => {
            return arrival.refuse_connection(left).await;
        }
    };
    let answered = match answered {
        Ok(answered) => answered,
        Err(not_reached) => {
            dialled.leg.close(Duration::ZERO).await;
            return not_had(arrival, requestor, &requested, &grant, not_reached).await;
        }
    };
    let answer = associate::answer(&requested, Some(&offered), Some(&answered), offered_length);
    let answer = answer.and_then(|answer| answer.encode().map(|bytes| (answer, bytes)));
    match answer {
        Err(malformed) => {
            let abort = Abort::provider(malformed.reason).to_pdu();
            dialled.leg.end_with(&abort, LINGER).await;
            let refused = Refused::new(Reason::UpstreamMalformed, malformed.to_string());
            reject(arrival, requestor, &requested, Some(&grant), refused).await;
        }
        Ok((answer, bytes)) => {
            let established = Established { requested, offered, answered, answer, grant, early };
            established.serve(arrival, requestor, dialled, &bytes, permit).await;
        }
    }
}

/// Everything that is decided without the upstream.
fn judge(arrival: &Arrival, requested: &AssociateRq) -> Result<(Grant, AssociationPermit), Refused> {
    if requested.protocol_version & 1 == 0 {
        return Err(Reason::ProtocolVersion.into());
    }
    if requested.application_context.as_str() != APPLICATION_CONTEXT {
        return Err(Reason::ApplicationContext.into());
    }
    let grant = match decide(&arrival.settings.policy, &arrival.facts(requested)) {
        Verdict::Allow(grant) => grant,
        Verdict::Refuse(refusal) => {
            let explanation = format!("{}. To let it in: {}", refusal.detail, refusal.remedy);
            return Err(Refused::new(refusal.reason, explanation));
        }
    };
    if (1..Packer::SHORTEST_MAXIMUM_LENGTH).contains(&requested.user.maximum_length.unwrap_or(0)) {
        return Err(Reason::MaximumLengthTooShort.into());
    }
    if *arrival.gate.stage.borrow() != Stage::Running {
        return Err(Reason::ShuttingDown.into());
    }
    if !arrival.gate.audit.admits() {
        return Err(Reason::RecordsUnavailable.into());
    }
    let address = arrival.from.ip().to_canonical();
    let permit = arrival.gate.limiter.association(&grant.peer, address).map_err(Refused::from)?;
    Ok((grant, permit))
}

/// The upstream cannot be had: its own refusal or abort goes to the requestor as it is.
async fn not_had(
    arrival: &Arrival,
    requestor: Leg,
    requested: &AssociateRq,
    grant: &Grant,
    not_reached: upstream::NotReached,
) {
    let mut refused = Refused::new(not_reached.reason, not_reached.detail);
    refused.abort = not_reached.abort;
    match refused.abort {
        Some(abort) => {
            arrival.refuse_connection(refused).await;
            requestor.end_with(&abort.to_pdu(), LINGER).await;
        }
        None => reject(arrival, requestor, requested, Some(grant), refused).await,
    }
}

async fn reject(
    arrival: &Arrival,
    requestor: Leg,
    requested: &AssociateRq,
    grant: Option<&Grant>,
    refused: Refused,
) {
    // Every reason that is found after the request was read has a rejection; without one, "no reason given".
    let (result, source, reason) = refused.reason.rejection().unwrap_or((1, 1, 1));
    let rejection = Rejection { result, source, reason };
    let peer = grant.map(|grant| grant.peer.name.to_string());
    arrival.reject(requested, peer.as_deref(), refused, rejection).await;
    requestor.end_with(&rejection.to_pdu(), LINGER).await;
}

/// What both sides have agreed to.
pub(super) struct Established {
    pub requested: AssociateRq,
    pub offered: AssociateRq,
    pub answered: AssociateAc,
    pub answer: AssociateAc,
    pub grant: Grant,
    early: Early,
}

impl Established {
    async fn serve(
        self,
        arrival: &Arrival,
        requestor: Leg,
        dialled: Dialled,
        answer: &[u8],
        permit: AssociationPermit,
    ) {
        let told = super::records::opened(arrival, &self, &dialled).await;
        let association = self.association(arrival, requestor, dialled.leg);
        tracing::info!(peer = %association.grant.peer.name, upstream = %association.grant.upstream, "association opened");
        let ended = if self.early.is_silent() {
            match association.requestor.write_pdu(answer).await {
                Ok(()) => relay(&association, arrival).await,
                Err(error) => Ended::lost(super::ended::Side::Requestor, &error),
            }
        } else {
            let what = "bytes before the A-ASSOCIATE-AC was sent";
            let malformed = Malformed::new(AbortReason::UnexpectedPdu, what);
            Ended::Protocol { side: super::ended::Side::Requestor, malformed }
        };
        super::farewell::conclude(arrival, association, ended, told, permit).await;
    }

    fn association(&self, arrival: &Arrival, requestor: Leg, upstream: Leg) -> Association {
        let limits = &arrival.settings.limits;
        let grant = self.grant.clone();
        let ruleset = grant.peer.rewrite.as_ref().and_then(|name| arrival.settings.rewrites.get(name));
        Association {
            gate: arrival.gate.clone(),
            id: arrival.id.clone(),
            ruleset: ruleset.cloned(),
            contexts: associate::accepted(&self.offered, &self.answered),
            pace: arrival.gate.limiter.pace(&grant.peer),
            max_command_length: usize::try_from(limits.max_command_length).unwrap_or(usize::MAX),
            offered: limits.max_pdu_length,
            requestor,
            upstream,
            to_upstream: AsyncMutex::new(Packer::new(self.answered.user.maximum_length.unwrap_or(0))),
            to_requestor: AsyncMutex::new(Packer::new(self.requested.user.maximum_length.unwrap_or(0))),
            ledger: Ledger::default(),
            progress: Progress::new(),
            release: Release::default(),
            tally: Tally::default(),
            condemned: AtomicBool::new(false),
            grant,
        }
    }
}

/// Both directions, until one of them or a deadline ends it.
async fn relay(association: &Association, arrival: &Arrival) -> Ended {
    let limits = &arrival.settings.limits;
    let (dimse, idle, release) = (limits.dimse_timeout, limits.idle_timeout, limits.release_timeout);
    tokio::select! {
        ended = Half::new(association, Direction::FromPeer).run() => ended,
        ended = Half::new(association, Direction::ToPeer).run() => ended,
        expired = association.progress.expired(Deadlines { dimse, idle, release }) => Ended::TimedOut { expired },
        () = arrival.gate.stopping() => Ended::Shutdown,
    }
}
