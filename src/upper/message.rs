//! Messages that come.

use super::association::{Association, State};
use super::error::{Doing, Error};
use super::incoming::Part;
use super::transport::Transport;
use crate::dimse::Command;
use crate::wire::{AbortReason, Malformed};

/// A message: its command set, and its data set where it has one.
#[derive(Debug)]
pub struct Message<'a, T> {
    /// ID of the presentation context, an accepted one.
    pub context: u8,
    /// The command set: of what came, the elements that PS3.7 lists for its message.
    pub command: Command,
    /// The data set, to be read before the next message; `None` where (0000,0800) says that there is none.
    pub data_set: Option<DataSet<'a, T>>,
}

/// A data set that comes. Dropped before its end, the rest of it is passed over.
#[derive(Debug)]
pub struct DataSet<'a, T> {
    association: &'a mut Association<T>,
    ended: bool,
}

impl<T: Transport> Association<T> {
    /// The next message. `None`: the peer asked for the release, has had its answer, and is gone. Cancelled, nothing is lost.
    ///
    /// # Errors
    /// What ended the association.
    pub async fn receive(&mut self) -> Result<Option<Message<'_, T>>, Error> {
        if self.state == State::Over {
            return Err(Error::Over);
        }
        let (context, command) = match self.command().await {
            Ok(Some(command)) => command,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.fail(error).await),
        };
        let has_data_set = command.has_data_set;
        let data_set = has_data_set.then_some(DataSet { association: self, ended: false });
        Ok(Some(Message { context, command, data_set }))
    }

    async fn command(&mut self) -> Result<Option<(u8, Command)>, Error> {
        loop {
            match self.part().await? {
                Part::Command { context, command } => return Ok(Some((context, command))),
                // Somebody left it.
                Part::Data { .. } => {}
                Part::ReleaseRq => return self.answer_release().await.map(|()| None),
                Part::Abort(abort) => return Err(Error::Aborted { doing: Doing::Waiting, abort }),
                Part::ReleaseRp => return Err(unexpected("an A-RELEASE-RP that nothing asked for")),
            }
        }
    }
}

impl<T: Transport> DataSet<'_, T> {
    /// More of it, as it comes: at least one byte. `None` is its end.
    ///
    /// # Errors
    /// What ended the association before the data set was whole.
    pub async fn piece(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.ended {
            return Ok(None);
        }
        let association = &mut *self.association;
        let (range, last) = match association.part().await {
            Ok(Part::Data { range, last }) => (range, last),
            Ok(Part::Abort(abort)) => {
                return Err(association.fail(Error::Aborted { doing: Doing::Receiving, abort }).await);
            }
            Ok(_) => return Err(association.fail(unexpected("another PDU inside a data set")).await),
            Err(error) => return Err(association.fail(error).await),
        };
        self.ended = last;
        if range.is_empty() {
            return Ok(None);
        }
        Ok(association.channel.inbox.all().get(range))
    }

    /// All that is left of it, at most `limit` bytes.
    ///
    /// # Errors
    /// As [`piece`](Self::piece); [`Error::TooLong`] for a longer one, which is passed over.
    pub async fn whole(mut self, limit: usize) -> Result<Vec<u8>, Error> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > limit {
                return Err(Error::TooLong { limit });
            }
            whole.extend_from_slice(piece);
        }
        Ok(whole)
    }
}

fn unexpected(what: &str) -> Error {
    Error::malformed(Doing::Receiving, Malformed::new(AbortReason::UnexpectedPdu, what))
}
