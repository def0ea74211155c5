//! DIMSE-C of the archive: presentation data values in, responses out.

use std::path::PathBuf;

use dicom_ul::pdu::{
    PDataValue, PDataValueType, Pdu, PresentationContextNegotiated, PresentationContextResultReason,
};

use super::super::command::{C_CANCEL_RQ, C_ECHO_RQ, C_STORE_RQ, Command, RESPONSE, status};
use super::deposit::Deposit;

const MAX_COMMAND_LENGTH: usize = 65_536;

/// One association's state between two presentation data values.
#[derive(Debug)]
pub struct Service {
    folder: PathBuf,
    contexts: Vec<PresentationContextNegotiated>,
    calling: String,
    awaiting: Awaiting,
}

#[derive(Debug)]
enum Awaiting {
    Command { received: Vec<u8> },
    DataSet { context: u8, request: Command, deposit: Result<Deposit, u16> },
}

impl Awaiting {
    fn command() -> Self {
        Self::Command { received: Vec::new() }
    }
}

impl Service {
    /// A service that keeps objects in `folder` and notes who sent them.
    pub fn new(folder: PathBuf, contexts: Vec<PresentationContextNegotiated>, calling: &str) -> Self {
        Self { folder, contexts, calling: calling.to_owned(), awaiting: Awaiting::command() }
    }

    /// Takes one fragment; the response when it was the last that the request needed.
    ///
    /// # Errors
    /// Why the association has to be aborted (PS3.8 §9.2.3: a fragment out of order, an unaccepted context).
    pub async fn receive(&mut self, value: PDataValue) -> Result<Option<Pdu>, String> {
        let context = value.presentation_context_id;
        let transfer_syntax = self.transfer_syntax(context)?;
        match (std::mem::replace(&mut self.awaiting, Awaiting::command()), value.value_type) {
            (Awaiting::Command { mut received }, PDataValueType::Command) => {
                received.extend_from_slice(&value.data);
                if received.len() > MAX_COMMAND_LENGTH {
                    return Err(format!("a command set longer than {MAX_COMMAND_LENGTH} bytes"));
                }
                if value.is_last {
                    return self.perform(context, &transfer_syntax, Command::decode(&received)?).await;
                }
                self.awaiting = Awaiting::Command { received };
                Ok(None)
            }
            (Awaiting::DataSet { context: of, request, deposit }, PDataValueType::Data) if of == context => {
                let deposit = deposit.and_then(|deposit| deposit.append(&value.data));
                if value.is_last {
                    let status = match deposit {
                        Ok(deposit) => deposit.keep().await,
                        Err(status) => status,
                    };
                    return respond(context, &request, status).map(Some);
                }
                self.awaiting = Awaiting::DataSet { context, request, deposit };
                Ok(None)
            }
            (_, got) => Err(format!("a {got:?} fragment out of order on context {context}")),
        }
    }

    async fn perform(&mut self, context: u8, syntax: &str, request: Command) -> Result<Option<Pdu>, String> {
        if request.field & RESPONSE != 0 {
            return Err(format!("a response ({:#06x}) that nothing asked for", request.field));
        }
        let status = match request.field {
            C_ECHO_RQ => status::SUCCESS,
            C_CANCEL_RQ => return Ok(None),
            C_STORE_RQ if request.has_data_set => {
                let deposit = Deposit::begin(&self.folder, &request, syntax, &self.calling);
                self.awaiting = Awaiting::DataSet { context, request, deposit };
                return Ok(None);
            }
            _ => status::UNRECOGNIZED_OPERATION,
        };
        if request.has_data_set {
            self.awaiting = Awaiting::DataSet { context, request, deposit: Err(status) };
            return Ok(None);
        }
        respond(context, &request, status).map(Some)
    }

    fn transfer_syntax(&self, context: u8) -> Result<String, String> {
        let accepted = |negotiated: &&PresentationContextNegotiated| {
            negotiated.id == context && negotiated.reason == PresentationContextResultReason::Acceptance
        };
        let found = self.contexts.iter().find(accepted);
        found
            .map(|negotiated| negotiated.transfer_syntax.clone())
            .ok_or_else(|| format!("presentation context {context} was not accepted"))
    }
}

fn respond(context: u8, request: &Command, status: u16) -> Result<Pdu, String> {
    let data = request.respond(status).encode()?;
    let value = PDataValue {
        presentation_context_id: context,
        value_type: PDataValueType::Command,
        is_last: true,
        data,
    };
    Ok(Pdu::PData { data: vec![value] })
}
