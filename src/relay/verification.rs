//! A C-ECHO to an upstream as the proxy would do it: the same addresses, TLS and AE titles (PS3.4 Annex A).

use std::time::{Duration, Instant};

use super::leg::Leg;
use super::upstream::{self, Dialled};
use crate::config::{Limits, UpstreamSettings};
use crate::dimse::{self, Command, CommandField, Operation, Status};
use crate::tls::Session;
use crate::wire::associate::{
    APPLICATION_CONTEXT, AssociateAc, AssociateRq, ContextResult, ProposedContext, UserInformation,
};
use crate::wire::pdu::{Abort, RELEASE_RQ};
use crate::wire::{AbortReason, AeTitle, Deframer, Event, Malformed, Packer, Uid};

const VERIFICATION: &str = "1.2.840.10008.1.1";
const IMPLICIT_VR_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2";
/// Of dimsegate, where it asks for itself.
const IMPLEMENTATION_CLASS: &str = "2.25.306219733018373408243868563437294853425";

/// Bytes of a C-ECHO-RSP; a real one has less than 100.
const LONGEST_RESPONSE: usize = 65_536;

/// What an upstream that answers is like.
#[derive(Debug)]
pub struct Echoed {
    /// The address that answered, with its port.
    pub address: String,
    pub tls: Option<Session>,
    pub status: Status,
    pub implementation_class_uid: Option<String>,
    pub implementation_version_name: Option<String>,
    /// What the upstream said it takes in a P-DATA-TF, in bytes; 0 is unlimited.
    pub maximum_length: u32,
    pub connected: Duration,
    pub associated: Duration,
    pub echoed: Duration,
}

/// Why there was no C-ECHO.
#[derive(Debug, thiserror::Error)]
pub enum EchoError {
    #[error("{0}")]
    NotReached(String),
    #[error("the upstream refused the Verification SOP class with result {0}; is C-ECHO switched off there?")]
    ContextRefused(u8),
    #[error("no answer to the C-ECHO: {0}")]
    NoAnswer(String),
    #[error("the upstream broke the protocol: {0}")]
    Malformed(#[from] Malformed),
}

/// Connects, asks for an association with the Verification SOP class, and sends one C-ECHO-RQ.
///
/// # Errors
/// The step that failed.
pub async fn echo(
    upstream: &UpstreamSettings,
    limits: &Limits,
    default: &AeTitle,
) -> Result<Echoed, EchoError> {
    let not_reached = |failed: upstream::NotReached| EchoError::NotReached(failed.detail);
    let began = Instant::now();
    let Dialled { leg, address, tls } = upstream::dial(upstream).await.map_err(not_reached)?;
    let connected = began.elapsed();
    let request = request(upstream, limits, default)?;
    let limit = usize::try_from(limits.max_associate_length).unwrap_or(usize::MAX);
    let answered =
        upstream::associate(&leg, &request, limit, limits.associate_timeout).await.map_err(not_reached)?;
    let associated = began.elapsed() - connected;
    accepted(&answered)?;
    let began = Instant::now();
    let maximum_length = answered.user.maximum_length.unwrap_or(0);
    let status =
        tokio::time::timeout(limits.dimse_timeout, exchange(&leg, maximum_length, limits.max_pdu_length))
            .await;
    let status =
        status.map_err(|_| EchoError::NoAnswer(format!("nothing came in {:?}", limits.dimse_timeout)))??;
    let echoed = began.elapsed();
    release(leg, limits).await;
    Ok(Echoed {
        address,
        tls,
        status,
        implementation_class_uid: answered.user.implementation_class_uid.as_ref().map(ToString::to_string),
        implementation_version_name: answered
            .user
            .implementation_version_name
            .as_deref()
            .map(crate::wire::escape),
        maximum_length,
        connected,
        associated,
        echoed,
    })
}

fn uid(text: &str) -> Result<Uid, Malformed> {
    text.parse().map_err(|error: crate::wire::UidError| Malformed::invalid(error.to_string()))
}

fn request(
    upstream: &UpstreamSettings,
    limits: &Limits,
    default: &AeTitle,
) -> Result<AssociateRq, Malformed> {
    let title = |set: &Option<AeTitle>| set.as_ref().unwrap_or(default).to_raw();
    Ok(AssociateRq {
        protocol_version: 1,
        called: title(&upstream.called_ae_title),
        calling: title(&upstream.calling_ae_title),
        reserved: [0; 32],
        application_context: uid(APPLICATION_CONTEXT)?,
        contexts: vec![ProposedContext {
            id: 1,
            abstract_syntax: uid(VERIFICATION)?,
            transfer_syntaxes: vec![uid(IMPLICIT_VR_LITTLE_ENDIAN)?],
        }],
        user: UserInformation {
            maximum_length: Some(limits.max_pdu_length),
            implementation_class_uid: Some(uid(IMPLEMENTATION_CLASS)?),
            implementation_version_name: Some(b"DIMSEGATE".to_vec()),
            ..UserInformation::default()
        },
    })
}

fn accepted(answered: &AssociateAc) -> Result<(), EchoError> {
    match answered.contexts.first().map(|context| context.result) {
        Some(ContextResult::Acceptance) => Ok(()),
        Some(refused) => Err(EchoError::ContextRefused(refused.code())),
        None => Err(EchoError::ContextRefused(ContextResult::NoReason.code())),
    }
}

async fn exchange(leg: &Leg, maximum_length: u32, offered: u32) -> Result<Status, EchoError> {
    let mut packer = Packer::new(maximum_length);
    packer.command(1, &dimse::echo_request(VERIFICATION, 1));
    leg.write_plan(&packer).await.map_err(|error| EchoError::NoAnswer(error.to_string()))?;
    let mut response = Response::new(offered);
    loop {
        let mut piece = [0; 1024];
        let count = leg.read(&mut piece).await.map_err(|error| EchoError::NoAnswer(error.to_string()))?;
        if count == 0 {
            return Err(EchoError::NoAnswer("the upstream closed".into()));
        }
        if let Some(status) = response.push(piece.get(..count).unwrap_or_default())? {
            return Ok(status);
        }
    }
}

/// The C-ECHO-RSP as far as it has come.
struct Response {
    unread: Vec<u8>,
    command: Vec<u8>,
    deframer: Deframer,
}

impl Response {
    fn new(offered: u32) -> Self {
        Self { unread: Vec::new(), command: Vec::new(), deframer: Deframer::new(offered) }
    }

    /// Its status, once it is complete.
    fn push(&mut self, piece: &[u8]) -> Result<Option<Status>, EchoError> {
        self.unread.extend_from_slice(piece);
        loop {
            let (used, event) = self.deframer.next(&self.unread)?;
            let complete = match event {
                Some(Event::Fragment(fragment)) => {
                    self.command.extend_from_slice(fragment.bytes);
                    Some(fragment.last)
                }
                Some(other) => return Err(EchoError::NoAnswer(format!("the upstream sent {other:?}"))),
                None => None,
            };
            // Headers are used up before there is anything to tell of them.
            self.unread.drain(..used);
            match complete {
                Some(true) => return status(&Command::parse(std::mem::take(&mut self.command))?).map(Some),
                Some(false) => {}
                None => return Ok(None),
            }
            if self.command.len() > LONGEST_RESPONSE {
                let what = format!("a command set longer than {LONGEST_RESPONSE} bytes");
                return Err(Malformed::invalid(what).into());
            }
        }
    }
}

fn status(command: &Command) -> Result<Status, EchoError> {
    match command.field {
        CommandField::Response { operation: Operation::CEcho, responding_to: 1, status } => Ok(status),
        other => Err(Malformed::invalid(format!("expected a C-ECHO-RSP to message 1, got {other:?}")).into()),
    }
}

async fn release(leg: Leg, limits: &Limits) {
    let released = async {
        leg.write_pdu(&RELEASE_RQ).await?;
        leg.read_exact(&mut [0; 10]).await
    };
    match tokio::time::timeout(limits.release_timeout, released).await {
        Ok(Ok(())) => leg.close(Duration::from_millis(200)).await,
        _ => {
            leg.end_with(&Abort::provider(AbortReason::NotSpecified).to_pdu(), Duration::from_millis(200))
                .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Response, VERIFICATION};
    use crate::dimse::{self, Command, Status};

    #[test]
    fn a_response_is_understood_in_pieces_of_any_size() {
        let request = Command::parse(dimse::echo_request(VERIFICATION, 1)).unwrap();
        let response = dimse::refusal(&request, Status(0x0122), "");
        let length = u32::try_from(response.len()).unwrap();
        let (pdu, pdv) = ((length + 6).to_be_bytes(), (length + 2).to_be_bytes());
        let bytes = [&[4, 0][..], &pdu, &pdv, &[1, 3], &response].concat();
        for size in 1..=bytes.len() {
            let mut hearing = Response::new(16384);
            let told: Vec<_> = bytes.chunks(size).filter_map(|piece| hearing.push(piece).unwrap()).collect();
            assert_eq!(told, [Status(0x0122)], "in pieces of {size} bytes");
        }
    }
}
