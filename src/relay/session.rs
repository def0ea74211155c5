//! One connection, from its first byte to its closing record: the natural path.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::Instrument;
use tracing::field::{Empty, display};
use zeroize::Zeroizing;

use super::arrival::{Arrival, Refused};
use super::associate;
use super::early::Early;
use super::entrance::{self, Artim};
use super::established::Established;
use super::gate::{Gate, Stage};
use super::handshake::{self, ReadError};
use super::leg::Leg;
use super::opened::Opened;
use super::proxy_header;
use super::records::{self, Particulars};
use super::slots::Slot;
use super::upstream::{self, NotReached};
use super::user_identity;
use crate::audit;
use crate::config::UpstreamSettings;
use crate::policy::limits::{AssociationPermit, ConnectionPermit, Of, Over, RequestPermit};
use crate::policy::{Grant, Peer, Verdict, granted, recognised};
use crate::upper::{LINGER, Opening};
use crate::vocabulary::Reason;
use crate::wire::associate::{APPLICATION_CONTEXT, AssociateRq};
use crate::wire::pdu::{Abort, Rejection};
use crate::wire::{AbortReason, Malformed, Packer};

/// Serves one connection. Whatever goes wrong ends here, in its one record.
pub(crate) async fn serve(
    (gate, slot): (Arc<Gate>, Slot),
    (listener, address): (&str, SocketAddr),
    socket: TcpStream,
    from: SocketAddr,
) {
    // Before the rules are taken: who asks again afterwards, asks about this one too.
    let rounds = gate.rounds();
    let in_force = gate.in_force.load_full();
    let settings = in_force.settings.clone();
    let Some(listener) = settings
        .listeners
        .iter()
        .find(|settings| *settings.name == *listener && settings.address == address)
        .cloned()
    else {
        // A reload took the listener away between the accept and now; so it would have been a moment later.
        return tracing::info!(address = %from, listener, "the listener is gone");
    };
    let id = gate.next_id();
    let reached = socket.local_addr().unwrap_or(address);
    let span = tracing::info_span!("connection", address = Empty, tenant = Empty, association = Empty);
    if let Some(tenant) = &settings.tenant {
        span.record("tenant", display(tenant));
    }
    // Where tenants share an address it is known later by which id, and told once.
    if listener.shared.is_none() {
        span.record("association", display(&id));
    }
    let mut arrival = Arrival {
        gate,
        in_force,
        settings,
        listener,
        id,
        from,
        reached,
        began: Instant::now(),
        rounds,
        tls: None,
        user: None,
        once: None,
        may_check: false,
        slot,
        witness: None,
    };
    // Boxed, so that an association that waits holds no room for what is behind it.
    let Some((opened, _permit)) = Box::pin(approach(&mut arrival, socket).instrument(span)).await else {
        return;
    };
    opened.serve(&arrival).await;
}

/// Everything up to the answer. `None` where there will be no association; the requestor knows.
async fn approach(arrival: &mut Arrival, socket: TcpStream) -> Option<(Opened, ConnectionPermit)> {
    let (requestor, (requested, _room), permit) = arrive(arrival, socket).await?;
    let (calling, called) = (&requested.calling, &requested.called);
    let span = tracing::info_span!("association", "calling-ae-title" = %calling, "called-ae-title" = %called);
    let opened = associate(arrival, requestor, requested).instrument(span).await?;
    Some((opened, permit))
}

/// Lets the requestor in and reads its request. `None` for one that was turned away.
async fn arrive(arrival: &mut Arrival, socket: TcpStream) -> Option<(Leg, Requested, ConnectionPermit)> {
    let artim = Artim::of(arrival);
    let (mut requestor, permit) = match entrance::enter(arrival, socket, &artim).await {
        Ok(entered) => entered,
        Err(refused) => {
            if arrival.listener.shared.is_some() {
                tracing::Span::current().record("association", display(&arrival.id));
            }
            arrival.refuse_connection(&refused);
            return None;
        }
    };
    // By now it is known whose it is.
    match Artim::of(arrival).over(read_request(arrival, &mut requestor)).await {
        Ok(requested) => Some((requestor, requested, permit)),
        Err(refused) => {
            turn_away(arrival, requestor, refused).await;
            None
        }
    }
}

/// A request, and the room that it takes among those of all who are not yet let in.
type Requested = (AssociateRq, Option<RequestPermit>);

async fn read_request(arrival: &Arrival, requestor: &mut Leg) -> Result<Requested, Refused> {
    let limit = usize::try_from(arrival.settings.limits.max_associate_length).unwrap_or(usize::MAX);
    let room = |pieces| arrival.gate.limiter.request(arrival.from.ip(), pieces);
    let opening = handshake::read(requestor, limit, &room).await;
    let (reason, malformed) = match opening {
        Ok((Opening::Request(body), room)) => match decoded(body) {
            Ok(requested) => return Ok((requested, room)),
            Err(malformed) => (Reason::MalformedPdu, malformed),
        },
        Ok((Opening::Abort(_), _)) => {
            return Err(Refused::new(Reason::ConnectionLost, "the requestor aborted unasked"));
        }
        Ok(_) => {
            let what = "an answer where an A-ASSOCIATE-RQ is expected";
            (Reason::MalformedPdu, Malformed::new(AbortReason::UnexpectedPdu, what))
        }
        Err(ReadError::Malformed(malformed)) => (Reason::MalformedPdu, malformed),
        Err(ReadError::TooLong(malformed)) => (Reason::AssociateTooLong, malformed),
        Err(ReadError::Io(error)) => return Err(tls_or_lost(&error)),
    };
    let mut refused = if reason == Reason::AssociateTooLong {
        let over = Over::all(reason, "max-associate-length");
        Refused::beyond(over, &arrival.settings.limit_keys, &malformed.to_string())
    } else {
        Refused::new(reason, malformed.to_string())
    };
    refused.abort = Some(Abort::provider(malformed.reason));
    Err(refused)
}

/// The request; what came may have had a passcode in it.
fn decoded(body: Vec<u8>) -> Result<AssociateRq, Malformed> {
    let body = Zeroizing::new(body);
    AssociateRq::decode(&body)
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

/// Decides, and asks the upstream.
#[allow(clippy::too_many_lines, reason = "one step after the other")]
async fn associate(arrival: &mut Arrival, mut requestor: Leg, requested: AssociateRq) -> Option<Opened> {
    let began = Instant::now();
    let (grant, permit) = match admitted(arrival, &requested).await {
        Ok(admitted) => admitted,
        Err(not_admitted) => {
            let NotAdmitted { peer, refused } = *not_admitted;
            let rejection = rejected(arrival, &requested, peer.as_ref(), &refused);
            // What it asked for can be large, and its connection lasts as long as it likes to, for a while.
            drop((requested, peer));
            requestor.end_with(&rejection.to_pdu()).await;
            return None;
        }
    };
    arrival.admitted(&grant);
    let arrival = &*arrival;
    let offered_length = arrival.settings.limits.max_pdu_length;
    let Some(upstream) = arrival.settings.upstreams.get(&grant.upstream) else {
        let refused =
            Refused::new(Reason::UpstreamUnreachable, format!("no upstream \"{}\"", grant.upstream));
        reject(arrival, requestor, &requested, Some(&grant.peer), refused).await;
        return None;
    };
    let proven = arrival.proven_user().map(|user| &**user);
    let Some(offered) = associate::upstream_request(&requested, &grant, upstream, offered_length, proven)
    else {
        super::nothing_allowed::serve(arrival, requestor, &requested, &grant, permit).await;
        return None;
    };
    let standing = arrival.gate.upstreams.standing(upstream);
    let asking = upstream::Asking {
        limits: &arrival.settings.limits,
        upstream,
        standing: &standing,
        header: header(arrival, upstream),
        witness: arrival.witness.as_ref(),
    };
    let mut early = Early::default();
    // Where it comes to nothing, the place is free for the next attempt before these connections have closed.
    let ((dialled, place), answered) = tokio::select! {
        // What the requestor has said by now comes before what the upstream says.
        biased;
        left = early.watch(&mut requestor) => {
            turn_away(arrival, requestor, left).await;
            return None;
        }
        asked = asking.ask(&offered) => match asked {
            Ok(asked) => {
                arrival.gate.metrics.dialled(&upstream.name, asked.0.0.took);
                asked
            }
            Err(not_reached) => {
                drop(permit);
                not_had(arrival, requestor, &requested, &grant, not_reached).await;
                return None;
            }
        },
        () = arrival.gate.draining() => {
            reject(arrival, requestor, &requested, Some(&grant.peer), Reason::ShuttingDown.into()).await;
            return None;
        }
    };
    let agreed = answered.and_then(|answered| {
        let answer = associate::answer(&requested, Some(&offered), Some(&answered), offered_length);
        let bytes = answer.and_then(|mut answer| {
            let upstream = arrival.settings.upstreams.get(&grant.upstream).map(|upstream| &**upstream);
            associate::answer_identity(&mut answer, &requested, &arrival.listener, upstream);
            answer.encode().map(|bytes| (answer, bytes))
        });
        let (answer, bytes) = bytes.map_err(|malformed| NotReached::malformed(&malformed))?;
        Ok((answered, answer, bytes))
    });
    match agreed {
        Err(not_reached) => {
            drop((permit, place));
            let parting = part_from(dialled.leg, not_reached.reason);
            tokio::join!(parting, not_had(arrival, requestor, &requested, &grant, not_reached));
            None
        }
        Ok((answered, answer, bytes)) => {
            let established = Established { requested, offered, answered, answer, grant, early };
            match records::opened(arrival, &established, (&dialled.address, dialled.tls.as_ref())).await {
                Ok(told) => {
                    arrival.gate.metrics.negotiated(&upstream.name, began.elapsed());
                    let kept = (permit, place, told);
                    Some(Opened::new(established, arrival, requestor, dialled, &bytes, kept))
                }
                Err(told) => {
                    drop(permit);
                    let parting = part_from(dialled.leg, Reason::RecordsUnavailable);
                    tokio::join!(parting, not_recorded(arrival, requestor, &established, told));
                    None
                }
            }
        }
    }
}

/// By what the upstream is told whose connection it is.
fn header(arrival: &Arrival, upstream: &UpstreamSettings) -> Vec<u8> {
    if !upstream.send_proxy_protocol {
        return Vec::new();
    }
    proxy_header::of_requestor(arrival.from, arrival.reached, arrival.tls.as_ref(), &arrival.id)
}

/// Why a requestor gets no place, and what is known of its peer.
struct NotAdmitted {
    peer: Option<Arc<Peer>>,
    refused: Refused,
}

/// Who it is, whether they may, and a place for them.
///
/// Nobody is asked for a passcode, and no code is used up, for a requestor who would not be let in anyhow; a token is taken
/// behind everything that may reject the request here.
async fn admitted(
    arrival: &mut Arrival,
    requested: &AssociateRq,
) -> Result<(Grant, AssociationPermit), Box<NotAdmitted>> {
    let peer = recognise(arrival, requested).map_err(|refused| not_admitted(None, refused))?;
    has_room(arrival, requested).map_err(|refused| not_admitted(Some(&peer), refused))?;
    let address = arrival.from.ip().to_canonical();
    let permit = arrival.gate.limiter.association(&peer, address);
    let permit = permit.map_err(|over| {
        let keys = if over.of == Of::Peer { &peer.keys } else { &arrival.settings.limit_keys };
        not_admitted(Some(&peer), Refused::limited(over, keys))
    })?;
    user_identity::identify(arrival, requested, &peer.name)
        .await
        .map_err(|refused| not_admitted(Some(&peer), refused))?;
    let grant = judge(arrival, requested, &peer).map_err(|refused| not_admitted(Some(&peer), refused))?;
    user_identity::take(arrival).await.map_err(|refused| not_admitted(Some(&peer), refused))?;
    Ok((grant, permit))
}

/// Leaves an upstream with which there is no association (PS3.8 Table 9-10, Sta5): one that did not refuse gets an
/// A-ABORT.
pub(super) async fn part_from(upstream: Leg, reason: Reason) {
    let abort = match reason {
        Reason::UpstreamMalformed => AbortReason::InvalidParameterValue,
        Reason::UpstreamTimeout | Reason::RecordsUnavailable => AbortReason::NotSpecified,
        _ => return upstream.close(Duration::ZERO).await,
    };
    upstream.end_with(&Abort::provider(abort).to_pdu()).await;
}

fn not_admitted(peer: Option<&Arc<Peer>>, refused: Refused) -> Box<NotAdmitted> {
    Box::new(NotAdmitted { peer: peer.cloned(), refused })
}

/// Who it is, before it is known which user.
fn recognise(arrival: &Arrival, requested: &AssociateRq) -> Result<Arc<Peer>, Refused> {
    if requested.protocol_version & 1 == 0 {
        return Err(Reason::ProtocolVersion.into());
    }
    if requested.application_context.as_str() != APPLICATION_CONTEXT {
        return Err(Reason::ApplicationContext.into());
    }
    let blocks = arrival.gate.blocks.load();
    recognised(&arrival.settings.policy, &arrival.facts(requested, &blocks)).map_err(Refused::from)
}

/// Whether they may.
fn judge(arrival: &Arrival, requested: &AssociateRq, peer: &Arc<Peer>) -> Result<Grant, Refused> {
    let blocks = arrival.gate.blocks.load();
    match granted(&arrival.settings.policy, &arrival.facts(requested, &blocks), peer) {
        Verdict::Allow(grant) => Ok(grant),
        Verdict::Refuse(refusal) => Err(refusal.into()),
    }
}

/// Whether anybody is let in now, and this requestor could be served.
fn has_room(arrival: &Arrival, requested: &AssociateRq) -> Result<(), Refused> {
    if !Packer::can_serve(requested.user.maximum_length) {
        return Err(Reason::MaximumLengthTooShort.into());
    }
    if *arrival.gate.stage.borrow() != Stage::Running {
        return Err(Reason::ShuttingDown.into());
    }
    if !arrival.gate.audit.admits() {
        return Err(Reason::RecordsUnavailable.into());
    }
    Ok(())
}

/// The upstream cannot be had: its own refusal or abort goes to the requestor as it is.
async fn not_had(
    arrival: &Arrival,
    requestor: Leg,
    requested: &AssociateRq,
    grant: &Grant,
    not_reached: NotReached,
) {
    let mut refused = Refused::new(not_reached.reason, not_reached.detail);
    refused.abort = not_reached.abort;
    match refused.abort {
        Some(_) => turn_away(arrival, requestor, refused).await,
        None => reject(arrival, requestor, requested, Some(&grant.peer), refused).await,
    }
}

/// The disk fills just now: the requestor is rejected as those are who come after it.
async fn not_recorded(
    arrival: &Arrival,
    mut requestor: Leg,
    established: &Established,
    told: Option<Box<Particulars>>,
) {
    let Established { requested, grant, .. } = established;
    let refused = Refused::from(Reason::RecordsUnavailable);
    let Some(told) = told else {
        return reject(arrival, requestor, requested, Some(&grant.peer), refused).await;
    };
    arrival.seen_refused(&refused, Some(requested), Some(&grant.peer.name));
    requestor.last_word(&rejection_of(&refused).to_pdu(), LINGER).await;
    let bytes = audit::Bytes { r#in: requestor.received(), out: requestor.sent() };
    tokio::join!(records::unanswered(arrival, *told, bytes), requestor.close(LINGER));
}

/// Ends a connection without an A-ASSOCIATE answer: with an A-ABORT, or where there is nobody to tell, without.
async fn turn_away(arrival: &Arrival, requestor: Leg, refused: Refused) {
    let abort = refused.abort;
    arrival.refuse_connection(&refused);
    match abort {
        Some(abort) => requestor.end_with(&abort.to_pdu()).await,
        None => requestor.close(Duration::ZERO).await,
    }
}

async fn reject(
    arrival: &Arrival,
    requestor: Leg,
    requested: &AssociateRq,
    peer: Option<&Arc<Peer>>,
    refused: Refused,
) {
    let rejection = rejected(arrival, requested, peer, &refused);
    requestor.end_with(&rejection.to_pdu()).await;
}

/// Records a rejection. Gives what the requestor is told.
fn rejected(
    arrival: &Arrival,
    requested: &AssociateRq,
    peer: Option<&Arc<Peer>>,
    refused: &Refused,
) -> Rejection {
    let rejection = rejection_of(refused);
    arrival.reject(requested, peer.map(|peer| &*peer.name), refused, rejection);
    rejection
}

fn rejection_of(refused: &Refused) -> Rejection {
    // Every reason that is found after the request was read has a rejection; without one, "no reason given".
    let (result, source, reason) = refused.reason.rejection().unwrap_or((1, 1, 1));
    Rejection { result, source, reason }
}
