//! An established association.

use std::time::Duration;

use super::channel::Channel;
use super::contexts::Contexts;
use super::error::{Doing, Error};
use super::incoming::{Incoming, Part};
use super::pace::Pace;
use super::terms::{Deadlines, Terms};
use super::transport::Transport;
use crate::wire::Packer;
use crate::wire::associate::UserInformation;

/// Which side asked for the association: it goes first where both ask for the release at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Requestor,
    Acceptor,
}

/// An association, from its agreement to its end.
///
/// An error from [`receive`](Self::receive) or while something is sent is its end, and the peer knows. What dimsegate itself asks in
/// vain ([`Error::ContextRefused`], [`Error::Unsendable`], [`Error::TooLong`]) leaves it as it was. Dropped, it ends without a word: an
/// orderly end is [`release`](Self::release) or [`abort`](Self::abort).
pub struct Association<T> {
    pub(super) channel: Channel<T>,
    pub(super) incoming: Incoming,
    pub(super) packer: Packer,
    pub(super) contexts: Contexts,
    pub(super) role: Role,
    pub(super) state: State,
    pub(super) deadlines: Deadlines,
    peer: UserInformation,
    reading: Pace,
    pub(super) writing: Pace,
}

/// What may be sent next, so that a message never begins inside of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Open,
    /// More of a data set.
    InsideDataSet,
    Over,
}

impl<T> std::fmt::Debug for Association<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Association")
            .field("role", &self.role)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<T: Transport> Association<T> {
    /// `peer`: what it said of itself.
    pub(super) fn new(
        channel: Channel<T>,
        role: Role,
        contexts: Contexts,
        peer: UserInformation,
        terms: &Terms,
    ) -> Self {
        let deadlines = terms.deadlines;
        let pace = Pace::new(deadlines.progress, terms.min_bytes_per_second);
        Self {
            incoming: Incoming::new(&contexts, terms),
            packer: Packer::new(peer.maximum_length.unwrap_or(0)),
            channel,
            contexts,
            role,
            state: State::Open,
            deadlines,
            peer,
            reading: pace,
            writing: pace,
        }
    }

    /// The presentation contexts that were proposed, with what was agreed on in each.
    pub fn contexts(&self) -> &Contexts {
        &self.contexts
    }

    /// What the peer said of itself: maximum length, implementation, roles and whatever else it negotiated.
    pub fn peer(&self) -> &UserInformation {
        &self.peer
    }

    /// What comes next, under the deadlines of a message.
    pub(super) async fn part(&mut self) -> Result<Part, Error> {
        self.part_within(Doing::Waiting, self.deadlines.answer).await
    }

    /// As [`part`](Self::part), with another deadline for its first byte.
    pub(super) async fn part_within(&mut self, doing: Doing, patience: Duration) -> Result<Part, Error> {
        loop {
            let part = self.incoming.next(&mut self.channel.inbox);
            if let Some(part) = part.map_err(|malformed| Error::malformed(Doing::Receiving, malformed))? {
                return Ok(part);
            }
            if self.incoming.is_inside_message() || !self.channel.inbox.is_empty() {
                self.channel.fill_on(Doing::Receiving, &mut self.reading).await?;
            } else {
                self.first_bytes(doing, patience).await?;
            }
        }
    }

    async fn first_bytes(&mut self, doing: Doing, patience: Duration) -> Result<(), Error> {
        self.reading.begin();
        let filled = tokio::time::timeout(patience, self.channel.fill(false)).await;
        match filled
            .map_err(|_| Error::Silent { doing, patience })?
            .map_err(|error| Error::io(doing, error))?
        {
            0 => Err(Error::Closed { doing }),
            _ => Ok(()),
        }
    }

    /// Ends the association with an error that the peer is told of, where it can be.
    pub(super) async fn fail(&mut self, error: Error) -> Error {
        self.state = State::Over;
        self.channel.fail(error).await
    }
}
