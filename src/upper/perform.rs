//! An operation that has one response: C-ECHO, C-STORE, and the N-services (PS3.7 §9.1, §10.1).

use super::association::Association;
use super::error::{Doing, Error};
use super::transport::Transport;
use crate::dimse::{Command, CommandField, Operation, Status};
use crate::wire::Malformed;

/// Bytes that a response may have besides its command set.
const LONGEST: usize = 1 << 20;

impl<T: Transport> Association<T> {
    /// Sends a request and waits for its response, with the data set of that to its end, which is passed over.
    ///
    /// # Errors
    /// Those of sending and receiving; a peer that says something else, releases the association, or has a data set in its
    /// response that does not end soon.
    pub async fn perform(
        &mut self,
        context: u8,
        request: &[u8],
        data_set: Option<&[u8]>,
    ) -> Result<Status, Error> {
        let (operation, message_id) = asked(request)?;
        match data_set {
            Some(data_set) => self.send_with(context, request, data_set).await?,
            None => self.send(context, request).await?,
        }
        let Some(message) = self.receive().await? else {
            return Err(Error::Released { doing: Doing::Waiting });
        };
        match message.command.field {
            CommandField::Response { operation: answered, responding_to, status }
                if answered == operation && responding_to == message_id =>
            {
                if let Some(data_set) = message.data_set {
                    data_set.whole(LONGEST).await?;
                }
                Ok(status)
            }
            other => {
                let what = format!("expected the {operation}-RSP to message {message_id}, got {other:?}");
                Err(self.fail(Error::malformed(Doing::Receiving, Malformed::invalid(what))).await)
            }
        }
    }
}

fn asked(request: &[u8]) -> Result<(Operation, u16), Error> {
    let command = Command::parse(request.to_vec()).map_err(|error| Error::Unsendable(error.to_string()))?;
    match command.field {
        CommandField::Request { operation, message_id } => Ok((operation, message_id)),
        other => Err(Error::Unsendable(format!("{other:?} is no request"))),
    }
}
