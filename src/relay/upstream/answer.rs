//! One A-ASSOCIATE exchange with an upstream that was reached.

use rustls::AlertDescription;
use tokio::time::timeout;

use super::NotReached;
use crate::config::{Limits, UpstreamSettings};
use crate::relay::handshake::{self, ReadError};
use crate::relay::leg::Leg;
use crate::upper::Opening;
use crate::vocabulary::Reason;
use crate::wire::associate::{AssociateAc, AssociateRq};

/// Asks for an association.
///
/// # Errors
/// The upstream's refusal or abort, an answer that is none, or no answer in time.
pub(in crate::relay) async fn associate(
    limits: &Limits,
    upstream: &UpstreamSettings,
    leg: &mut Leg,
    request: &AssociateRq,
) -> Result<AssociateAc, NotReached> {
    let limit = usize::try_from(limits.max_associate_length).unwrap_or(usize::MAX);
    let patience = limits.associate_timeout.saturating_add(upstream.wait);
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
            Err(NotReached { abort: Some(abort), ..NotReached::new(Reason::UpstreamAborted, detail) })
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
