//! DIMSE-C of the archive: messages in, responses out.

use std::path::PathBuf;

use super::deposit::Deposit;
use crate::dimse::{self, Command, CommandField, Operation, Status};
use crate::upper::{Association, DataSet, Error, Message, Transport};
use crate::wire::Uid;
use crate::wire::pdu::Abort;

/// What an association's objects are kept with.
#[derive(Debug)]
pub(super) struct Service {
    folder: PathBuf,
    calling: String,
}

impl Service {
    /// A service that keeps objects in `folder` and notes who sent them.
    pub(super) fn new(folder: PathBuf, calling: String) -> Self {
        Self { folder, calling }
    }

    /// Serves an association to its end.
    ///
    /// # Errors
    /// What ended it before its time.
    pub(super) async fn serve<T: Transport>(&self, mut association: Association<T>) -> Result<(), Error> {
        let contexts = association.contexts().clone();
        while let Some(message) = association.receive().await? {
            let Message { context, command, data_set } = message;
            // Contexts of messages are accepted ones.
            let Some(transfer_syntax) = contexts.transfer_syntax(context) else { continue };
            match self.perform(&command, transfer_syntax, data_set).await? {
                Reply::Status(status) => {
                    association.send(context, &dimse::response(&command, status)).await?;
                }
                Reply::Nothing => {}
                Reply::Abort => {
                    association.abort(Abort::USER).await;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn perform<T: Transport>(
        &self,
        command: &Command,
        transfer_syntax: &Uid,
        data_set: Option<DataSet<'_, T>>,
    ) -> Result<Reply, Error> {
        Ok(match (command.field, data_set) {
            (CommandField::Cancel { .. }, _) => Reply::Nothing,
            // Nothing was asked.
            (CommandField::Response { .. }, _) => Reply::Abort,
            (CommandField::Request { operation: Operation::CEcho, .. }, None) => {
                Reply::Status(Status::SUCCESS)
            }
            (CommandField::Request { operation: Operation::CStore, .. }, Some(data_set)) => {
                Reply::Status(self.keep(command, transfer_syntax, data_set).await?)
            }
            (_, data_set) => {
                pass_over(data_set).await?;
                Reply::Status(Status::UNRECOGNIZED_OPERATION)
            }
        })
    }

    async fn keep<T: Transport>(
        &self,
        command: &Command,
        transfer_syntax: &Uid,
        mut data_set: DataSet<'_, T>,
    ) -> Result<Status, Error> {
        let mut deposit = Deposit::begin(&self.folder, command, transfer_syntax.as_str(), &self.calling);
        while let Some(piece) = data_set.piece().await? {
            deposit = deposit.and_then(|deposit| deposit.append(piece));
        }
        match deposit {
            Ok(deposit) => Ok(deposit.keep().await),
            Err(status) => Ok(status),
        }
    }
}

/// What a message is answered with.
enum Reply {
    Status(Status),
    Nothing,
    Abort,
}

/// The response comes after the whole request.
async fn pass_over<T: Transport>(data_set: Option<DataSet<'_, T>>) -> Result<(), Error> {
    let Some(mut data_set) = data_set else { return Ok(()) };
    while data_set.piece().await?.is_some() {}
    Ok(())
}
