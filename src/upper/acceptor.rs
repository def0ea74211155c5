//! An association from the side that is asked for it (PS3.8 §7.1).

use std::time::Duration;

use super::answer::Answer;
use super::association::{Association, Role};
use super::channel::Channel;
use super::contexts::{Contexts, takes_messages};
use super::error::{Doing, Error};
use super::opening::Opening;
use super::pace::Pace;
use super::requestor::read;
use super::terms::Terms;
use super::transport::Transport;
use crate::wire::associate::{APPLICATION_CONTEXT, AssociateAc, AssociateRq};
use crate::wire::pdu::Rejection;
use crate::wire::{AbortReason, Malformed};

/// Takes a stream on which a peer asks for an association, and answers.
#[derive(Clone, Copy, Debug)]
pub struct Acceptor;

/// Bit 0 of the protocol version is not set (PS3.8 Table 9-21).
const PROTOCOL_VERSION: Rejection = Rejection { result: 1, source: 2, reason: 2 };
const APPLICATION_CONTEXT_NAME: Rejection = Rejection { result: 1, source: 1, reason: 2 };
const NO_REASON: Rejection = Rejection { result: 1, source: 1, reason: 1 };

impl Acceptor {
    /// Reads the request that comes first on a stream, and answers as `judge` says; it is asked about requests that the
    /// standard allows. `None`: the peer has had its A-ASSOCIATE-RJ, and time to read it.
    ///
    /// # Errors
    /// Anything but a request, none in time, or a peer that has gone before its answer.
    pub async fn accept<T: Transport>(
        stream: T,
        terms: &Terms,
        judge: impl FnOnce(&AssociateRq) -> Answer,
    ) -> Result<Option<Association<T>>, Error> {
        let mut channel = Channel::new(stream);
        let patience = terms.deadlines.associate;
        let exchange = tokio::time::timeout(patience, answer(&mut channel, terms, judge));
        let silent = |_| Err(Error::Silent { doing: Doing::Answering, patience });
        match exchange.await.unwrap_or_else(silent) {
            Ok(Some((contexts, requested))) => {
                Ok(Some(Association::new(channel, Role::Acceptor, contexts, requested.user, terms)))
            }
            Ok(None) => {
                channel.await_close(terms.deadlines.release).await;
                Ok(None)
            }
            Err(error) => Err(channel.fail(error).await),
        }
    }
}

async fn answer<T: Transport>(
    channel: &mut Channel<T>,
    terms: &Terms,
    judge: impl FnOnce(&AssociateRq) -> Answer,
) -> Result<Option<(Contexts, AssociateRq)>, Error> {
    let requested = match read(channel, Doing::Answering, terms.max_associate_length).await? {
        Opening::Request(body) => AssociateRq::decode(&body).map_err(malformed)?,
        Opening::Abort(abort) => return Err(Error::Aborted { doing: Doing::Answering, abort }),
        Opening::Accept(_) | Opening::Reject(_) => {
            let what = "an answer where an A-ASSOCIATE-RQ is expected";
            return Err(malformed(Malformed::new(AbortReason::UnexpectedPdu, what)));
        }
    };
    // The deadline of the exchange is the one that counts.
    let mut pace = Pace::new(Duration::MAX, 0);
    match judged(&requested, judge) {
        Answer::Reject(rejection) => {
            channel.write_pdu(&rejection.to_pdu(), &mut pace).await?;
            Ok(None)
        }
        Answer::Accept(acceptance) => {
            let answered = acceptance.to_ac(&requested, terms.max_pdu_length);
            let (contexts, pdu) = answered
                .and_then(|answered| encoded(&requested, &answered))
                .map_err(|error| Error::Unsendable(error.to_string()))?;
            channel.write_pdu(&pdu, &mut pace).await?;
            Ok(Some((contexts, requested)))
        }
    }
}

fn encoded(requested: &AssociateRq, answered: &AssociateAc) -> Result<(Contexts, Vec<u8>), Malformed> {
    Ok((Contexts::agreed(requested, answered)?, answered.encode()?))
}

/// What no acceptor may take is refused before it is judged.
fn judged(requested: &AssociateRq, judge: impl FnOnce(&AssociateRq) -> Answer) -> Answer {
    if requested.protocol_version & 1 == 0 {
        return Answer::Reject(PROTOCOL_VERSION);
    }
    if requested.application_context.as_str() != APPLICATION_CONTEXT {
        return Answer::Reject(APPLICATION_CONTEXT_NAME);
    }
    if takes_messages(requested.user.maximum_length).is_err() {
        return Answer::Reject(NO_REASON);
    }
    judge(requested)
}

fn malformed(malformed: Malformed) -> Error {
    Error::malformed(Doing::Answering, malformed)
}
