//! Messages that go.

use super::association::{Association, State};
use super::error::{Doing, Error};
use super::incoming::Part;
use super::transport::Transport;
use crate::dimse::Command;
use crate::wire::{Source, Span};

/// Bytes of a data set that are cut into fragments and written at once.
const AT_ONCE: usize = 1 << 20;

/// How long it is listened for why a peer takes nothing any more.
const LAST_WORDS: std::time::Duration = std::time::Duration::from_millis(200);

/// A data set that goes. Dropped before [`end`](Self::end), it never gets a last fragment, and nothing more can be sent: the
/// association is to be aborted.
#[derive(Debug)]
#[must_use = "a data set that has begun has to end"]
pub struct Sending<'a, T> {
    association: &'a mut Association<T>,
    context: u8,
}

impl<T: Transport> Association<T> {
    /// Sends a message without a data set.
    ///
    /// # Errors
    /// A context that was not accepted, a command that announces a data set; what ended the association.
    pub async fn send(&mut self, context: u8, command: &[u8]) -> Result<(), Error> {
        self.sendable(context, command, false)?;
        self.packer.command(context, command);
        self.writing.begin();
        self.write(&[]).await
    }

    /// Sends a message whose data set is there.
    ///
    /// # Errors
    /// As [`begin`](Self::begin) and [`Sending::piece`].
    pub async fn send_with(&mut self, context: u8, command: &[u8], data_set: &[u8]) -> Result<(), Error> {
        let mut sending = self.begin(context, command)?;
        sending.piece(data_set).await?;
        sending.end().await
    }

    /// Begins a message with a data set, whose pieces follow. The command set goes with the first of them.
    ///
    /// # Errors
    /// A context that was not accepted, a command that announces no data set, an association that is over.
    pub fn begin(&mut self, context: u8, command: &[u8]) -> Result<Sending<'_, T>, Error> {
        self.sendable(context, command, true)?;
        self.packer.command(context, command);
        self.writing.begin();
        self.state = State::InsideDataSet;
        Ok(Sending { association: self, context })
    }

    fn sendable(&self, context: u8, command: &[u8], with_data_set: bool) -> Result<(), Error> {
        match self.state {
            State::Open => {}
            State::InsideDataSet => {
                return Err(Error::Unsendable("a data set has begun and not ended".into()));
            }
            State::Over => return Err(Error::Over),
        }
        if self.contexts.transfer_syntax(context).is_none() {
            return Err(Error::Unsendable(format!("presentation context {context} was not accepted")));
        }
        let read = Command::parse(command.to_vec()).map_err(|error| Error::Unsendable(error.to_string()))?;
        match read.has_data_set == with_data_set {
            true => Ok(()),
            false => Err(Error::Unsendable(format!(
                "(0000,0800) of the command set says {} data set",
                if with_data_set { "no" } else { "a" }
            ))),
        }
    }

    async fn write_data_set(
        &mut self,
        context: u8,
        spans: &[Span],
        input: &[u8],
        last: bool,
    ) -> Result<(), Error> {
        match self.packer.data_set(context, spans, input, &[], last) {
            Some(()) => self.write(input).await,
            None => Err(self.fail(Error::Defect).await),
        }
    }

    async fn write(&mut self, input: &[u8]) -> Result<(), Error> {
        let written = self.channel.write_plan(&self.packer, input, &mut self.writing).await;
        self.packer.clear();
        match written {
            Ok(()) => Ok(()),
            Err(error @ Error::Io { .. }) => {
                let why = self.last_words().await.unwrap_or(error);
                Err(self.fail(why).await)
            }
            Err(error) => Err(self.fail(error).await),
        }
    }

    /// The A-ABORT of a peer that takes nothing any more, where it sent one.
    async fn last_words(&mut self) -> Option<Error> {
        let listening = async {
            loop {
                match self.part().await {
                    Ok(Part::Abort(abort)) => return Some(Error::Aborted { doing: Doing::Sending, abort }),
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        };
        tokio::time::timeout(LAST_WORDS, listening).await.ok().flatten()
    }
}

impl<T: Transport> Sending<'_, T> {
    /// Sends more of the data set, in fragments that the peer takes.
    ///
    /// # Errors
    /// What ended the association.
    pub async fn piece(&mut self, bytes: &[u8]) -> Result<(), Error> {
        for bytes in bytes.chunks(AT_ONCE) {
            let span = Span { source: Source::Input, range: 0..bytes.len() };
            self.association.write_data_set(self.context, &[span], bytes, false).await?;
        }
        Ok(())
    }

    /// Ends the data set.
    ///
    /// # Errors
    /// What ended the association; the data set is not whole then.
    pub async fn end(self) -> Result<(), Error> {
        let Self { association, context } = self;
        association.write_data_set(context, &[], &[], true).await?;
        association.state = State::Open;
        Ok(())
    }
}
