//! An association as its requestor, over any stream: dicom-ul's own client takes only its own sockets.

use dicom_ul::pdu::{
    AbortRQSource, AssociationAC, AssociationRJResult, AssociationRQ, MAXIMUM_PDU_SIZE, PDataValue,
    PDataValueType, Pdu, PresentationContextProposed, PresentationContextResultReason, UserVariableItem,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{PATIENCE, RequestorError};
use crate::cli::demo::command::Command;

const OUR_MAX_LENGTH: u32 = 16_384;
const LARGEST_PDU: u32 = 1 << 20;
const LARGEST_COMMAND: usize = 65_536;
/// Where the peer names no maximum.
const UNHURRIED_FRAGMENT: usize = 131_072;
const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// An accepted association.
#[derive(Debug)]
pub struct Association<S> {
    stream: S,
    contexts: Vec<Context>,
    /// Bytes of a message that fit one PDV of the peer's maximum length.
    fragment: usize,
}

#[derive(Debug)]
struct Context {
    proposed: PresentationContextProposed,
    answer: PresentationContextResultReason,
    transfer_syntax: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Association<S> {
    /// A-ASSOCIATE (PS3.8 §7.1).
    pub async fn request(
        mut stream: S,
        calling: &str,
        called: &str,
        proposals: Vec<PresentationContextProposed>,
    ) -> Result<Self, RequestorError> {
        let doing = "opening the association";
        let request = AssociationRQ {
            protocol_version: 1,
            calling_ae_title: calling.to_owned(),
            called_ae_title: called.to_owned(),
            application_context_name: APPLICATION_CONTEXT.to_owned(),
            presentation_contexts: proposals.clone(),
            user_variables: vec![
                UserVariableItem::MaxLength(OUR_MAX_LENGTH),
                UserVariableItem::ImplementationClassUID(dicom_ul::IMPLEMENTATION_CLASS_UID.to_owned()),
                UserVariableItem::ImplementationVersionName("DIMSEGATE_DEMO".to_owned()),
            ],
        };
        write(&mut stream, doing, &request.into()).await?;
        match read(&mut stream, doing).await? {
            Pdu::AssociationAC(answer) => Ok(Self::accepted_as(stream, proposals, &answer)),
            Pdu::AssociationRJ(rejection) => Err(RequestorError::Rejected {
                permanence: match rejection.result {
                    AssociationRJResult::Permanent => "permanent",
                    AssociationRJResult::Transient => "transient",
                },
                reason: rejection.source.to_string(),
            }),
            other => Err(unexpected(doing, "A-ASSOCIATE-AC", &other)),
        }
    }

    fn accepted_as(stream: S, proposals: Vec<PresentationContextProposed>, answer: &AssociationAC) -> Self {
        let context = |proposed: PresentationContextProposed| {
            let answered = answer.presentation_contexts.iter().find(|context| context.id == proposed.id);
            Context {
                answer: answered
                    .map_or(PresentationContextResultReason::NoReason, |context| context.reason.clone()),
                transfer_syntax: answered
                    .map(|context| context.transfer_syntax.trim_end_matches(['\0', ' ']).to_owned())
                    .unwrap_or_default(),
                proposed,
            }
        };
        Self {
            stream,
            contexts: proposals.into_iter().map(context).collect(),
            fragment: fragment_length(&answer.user_variables),
        }
    }

    /// The context that was proposed for an abstract syntax with this transfer syntax first, and what was accepted.
    pub fn accepted(
        &self,
        abstract_syntax: &str,
        transfer_syntax: &str,
    ) -> Result<(u8, String), RequestorError> {
        let refused = |reason: String| RequestorError::ContextRefused {
            abstract_syntax: abstract_syntax.to_owned(),
            reason,
        };
        let ours = |context: &&Context| {
            let first = context.proposed.transfer_syntaxes.first();
            context.proposed.abstract_syntax == abstract_syntax
                && first.is_some_and(|first| first == transfer_syntax)
        };
        let context = self.contexts.iter().find(ours).ok_or_else(|| refused("not proposed".to_owned()))?;
        if context.answer != PresentationContextResultReason::Acceptance {
            return Err(refused(context.answer.to_string()));
        }
        if !context.proposed.transfer_syntaxes.contains(&context.transfer_syntax) {
            return Err(refused(format!("it chose {:?}, which was not offered", context.transfer_syntax)));
        }
        Ok((context.proposed.id, context.transfer_syntax.clone()))
    }

    /// One message, in fragments that the peer can take.
    pub async fn send(
        &mut self,
        doing: &'static str,
        context: u8,
        command: &Command,
        data_set: Option<&[u8]>,
    ) -> Result<(), RequestorError> {
        let command = command.encode().map_err(RequestorError::Encode)?;
        self.send_fragments(doing, context, PDataValueType::Command, &command).await?;
        match data_set {
            Some(data_set) => self.send_fragments(doing, context, PDataValueType::Data, data_set).await,
            None => Ok(()),
        }
    }

    async fn send_fragments(
        &mut self,
        doing: &'static str,
        presentation_context_id: u8,
        value_type: PDataValueType,
        bytes: &[u8],
    ) -> Result<(), RequestorError> {
        let mut fragments = bytes.chunks(self.fragment).peekable();
        while let Some(fragment) = fragments.next() {
            let value = PDataValue {
                presentation_context_id,
                value_type: value_type.clone(),
                is_last: fragments.peek().is_none(),
                data: fragment.to_vec(),
            };
            write(&mut self.stream, doing, &Pdu::PData { data: vec![value] }).await?;
        }
        Ok(())
    }

    /// The next command set on `context`, which has to come without a data set.
    pub async fn receive(&mut self, doing: &'static str, context: u8) -> Result<Command, RequestorError> {
        let expected = "a command set";
        let mut received = Vec::new();
        loop {
            let values = match read(&mut self.stream, doing).await? {
                Pdu::PData { data } => data,
                other => return Err(unexpected(doing, expected, &other)),
            };
            for value in values {
                let ours =
                    value.presentation_context_id == context && value.value_type == PDataValueType::Command;
                received.extend_from_slice(&value.data);
                if !ours || received.len() > LARGEST_COMMAND {
                    let got = format!("{} bytes of {:?}", received.len(), value.value_type);
                    return Err(RequestorError::Protocol { doing, expected, got });
                }
                if value.is_last {
                    return Command::decode(&received).map_err(|got| RequestorError::Protocol {
                        doing,
                        expected,
                        got,
                    });
                }
            }
        }
    }

    /// A-RELEASE (PS3.8 §7.2).
    pub async fn release(mut self) -> Result<(), RequestorError> {
        let doing = "releasing the association";
        write(&mut self.stream, doing, &Pdu::ReleaseRQ).await?;
        match read(&mut self.stream, doing).await? {
            Pdu::ReleaseRP => {
                // The acceptor closes too (PS3.8 §9.2.2 AR-3); whose close comes first says nothing.
                let _ = self.stream.shutdown().await;
                Ok(())
            }
            other => Err(unexpected(doing, "A-RELEASE-RP", &other)),
        }
    }

    /// A-ABORT (PS3.8 §7.3), as far as the connection still carries it.
    pub async fn abort(mut self) {
        let abort = Pdu::AbortRQ { source: AbortRQSource::ServiceUser };
        let _ = write(&mut self.stream, "aborting the association", &abort).await;
        let _ = self.stream.shutdown().await;
    }
}

/// The peer's maximum length without the PDV header (PS3.8 §9.3.5), even, as fragments have to be.
fn fragment_length(variables: &[UserVariableItem]) -> usize {
    let maximum = variables.iter().find_map(|variable| match variable {
        UserVariableItem::MaxLength(length) => usize::try_from(*length).ok(),
        _ => None,
    });
    let fits = match maximum {
        None | Some(0) => UNHURRIED_FRAGMENT,
        Some(length) => length.saturating_sub(6).min(UNHURRIED_FRAGMENT),
    };
    (fits & !1).max(2)
}

fn unexpected(doing: &'static str, expected: &'static str, got: &Pdu) -> RequestorError {
    match got {
        Pdu::AbortRQ { source } => RequestorError::Aborted { doing, source_of_abort: format!("{source:?}") },
        other => RequestorError::Protocol { doing, expected, got: other.short_description().to_string() },
    }
}

async fn write<S: AsyncWrite + Unpin>(
    stream: &mut S,
    doing: &'static str,
    pdu: &Pdu,
) -> Result<(), RequestorError> {
    let mut bytes = Vec::new();
    dicom_ul::write_pdu(&mut bytes, pdu).map_err(|error| RequestorError::Encode(error.to_string()))?;
    patiently(doing, async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    })
    .await
}

/// One PDU, its length checked before it is trusted.
async fn read<S: AsyncRead + Unpin>(stream: &mut S, doing: &'static str) -> Result<Pdu, RequestorError> {
    let protocol = |got: String| RequestorError::Protocol { doing, expected: "a PDU", got };
    let mut pdu = vec![0; 6];
    patiently(doing, stream.read_exact(&mut pdu)).await?;
    let length = pdu.last_chunk().map_or(0, |length| u32::from_be_bytes(*length));
    if length > LARGEST_PDU {
        return Err(protocol(format!("one of {length} bytes")));
    }
    pdu.resize(6 + length as usize, 0);
    patiently(doing, stream.read_exact(pdu.get_mut(6..).unwrap_or_default())).await?;
    match dicom_ul::read_pdu(pdu.as_slice(), MAXIMUM_PDU_SIZE, false) {
        Ok(Some(pdu)) => Ok(pdu),
        Ok(None) => Err(protocol("half a PDU".to_owned())),
        Err(error) => Err(protocol(error.to_string())),
    }
}

async fn patiently<T>(
    doing: &'static str,
    io: impl Future<Output = std::io::Result<T>>,
) -> Result<T, RequestorError> {
    match tokio::time::timeout(PATIENCE, io).await {
        Err(_) => Err(RequestorError::Silence { doing }),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(RequestorError::Closed { doing })
        }
        Ok(Err(source)) => Err(RequestorError::Io { doing, source }),
        Ok(Ok(value)) => Ok(value),
    }
}
