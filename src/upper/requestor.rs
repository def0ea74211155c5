//! An association from the side that asks for it (PS3.8 §7.1).

use std::time::Duration;

use super::association::{Association, Role};
use super::channel::Channel;
use super::contexts::Contexts;
use super::error::{Doing, Error};
use super::opening::{Opening, Reading};
use super::pace::Pace;
use super::request::Request;
use super::terms::Terms;
use super::transport::Transport;
use crate::wire::associate::{AssociateAc, AssociateRq};
use crate::wire::{AbortReason, Malformed};

/// Asks for an association over a stream that is there already.
#[derive(Clone, Copy, Debug)]
pub struct Requestor;

impl Requestor {
    /// Asks for an association on a stream.
    ///
    /// # Errors
    /// The peer's A-ASSOCIATE-RJ or A-ABORT, an answer that is none or contradicts the request, or none in time.
    pub async fn open<T: Transport>(
        stream: T,
        request: &Request,
        terms: &Terms,
    ) -> Result<Association<T>, Error> {
        let mut channel = Channel::new(stream);
        let requested =
            request.to_rq(terms.max_pdu_length).map_err(|error| Error::Unsendable(error.to_string()))?;
        let patience = terms.deadlines.associate;
        let exchange = tokio::time::timeout(patience, ask(&mut channel, &requested, terms));
        let silent = |_| Err(Error::Silent { doing: Doing::Asking, patience });
        let answered = exchange.await.unwrap_or_else(silent);
        match answered.and_then(|answered| agreed(&requested, answered)) {
            Ok((contexts, answered)) => {
                Ok(Association::new(channel, Role::Requestor, contexts, answered.user, terms))
            }
            Err(error) => Err(channel.fail(error).await),
        }
    }

    /// The association of a request that was sent, and of its answer, by somebody else.
    ///
    /// # Errors
    /// As [`open`](Self::open), for an answer that contradicts the request.
    pub async fn established<T: Transport>(
        stream: T,
        requested: &AssociateRq,
        answered: AssociateAc,
        terms: &Terms,
    ) -> Result<Association<T>, Error> {
        let mut channel = Channel::new(stream);
        match agreed(requested, answered) {
            Ok((contexts, answered)) => {
                Ok(Association::new(channel, Role::Requestor, contexts, answered.user, terms))
            }
            Err(error) => Err(channel.fail(error).await),
        }
    }
}

fn agreed(requested: &AssociateRq, answered: AssociateAc) -> Result<(Contexts, AssociateAc), Error> {
    let contexts = Contexts::agreed(requested, &answered);
    contexts.map(|contexts| (contexts, answered)).map_err(malformed)
}

async fn ask<T: Transport>(
    channel: &mut Channel<T>,
    requested: &AssociateRq,
    terms: &Terms,
) -> Result<AssociateAc, Error> {
    let pdu = requested.encode().map_err(|error| Error::Unsendable(error.to_string()))?;
    // The deadline of the exchange is the one that counts.
    let mut pace = Pace::new(Duration::MAX, 0);
    channel.write_pdu(&pdu, &mut pace).await?;
    match read(channel, Doing::Asking, terms.max_associate_length).await? {
        Opening::Accept(body) => AssociateAc::decode(&body).map_err(malformed),
        Opening::Reject(rejection) => Err(Error::Rejected(rejection)),
        Opening::Abort(abort) => Err(Error::Aborted { doing: Doing::Asking, abort }),
        Opening::Request(_) => {
            let what = "an A-ASSOCIATE-RQ where its answer is expected";
            Err(malformed(Malformed::new(AbortReason::UnexpectedPdu, what)))
        }
    }
}

/// The first PDU that comes. The caller has a deadline.
pub(super) async fn read<T: Transport>(
    channel: &mut Channel<T>,
    doing: Doing,
    limit: usize,
) -> Result<Opening, Error> {
    let mut reading = Reading::new(limit);
    loop {
        let opening = reading.take(&mut channel.inbox);
        if let Some(opening) = opening.map_err(|malformed| Error::malformed(doing, malformed))? {
            return Ok(opening);
        }
        match channel.fill(true).await.map_err(|error| Error::io(doing, error))? {
            0 => return Err(Error::Closed { doing }),
            _ => continue,
        }
    }
}

fn malformed(malformed: Malformed) -> Error {
    Error::malformed(Doing::Asking, malformed)
}
