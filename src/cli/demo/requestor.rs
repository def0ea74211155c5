//! The demonstration's modality: sends a study over any stream, TLS or not.
//!
//! PDUs are dicom-ul's, command sets dicom-object's; nothing of the proxy is used, so that a mistake in the proxy
//! cannot be made twice.

mod association;
pub mod secure;

use std::io;
use std::time::Duration;

use dicom_dictionary_std::uids;
use dicom_object::DefaultDicomObject;
use dicom_ul::pdu::PresentationContextProposed;
use tokio::io::{AsyncRead, AsyncWrite};

use super::command::{C_ECHO_RQ, C_STORE_RQ, Command, RESPONSE, implicit_vr_little_endian, status};
use association::Association;

/// How long any single answer is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreOutcome {
    pub sop_instance: String,
    /// Of the C-STORE-RSP (PS3.4 Table B.2-1); 0 is success.
    pub status: u16,
    /// Bytes of the data set as it travelled.
    pub length: usize,
}

impl StoreOutcome {
    /// Success, not a warning.
    pub fn stored(&self) -> bool {
        self.status == status::SUCCESS
    }
}

/// Why a study did not get through.
#[derive(Debug, thiserror::Error)]
pub enum RequestorError {
    #[error("while {doing}: {source}")]
    Io { doing: &'static str, source: io::Error },
    #[error("while {doing}: no answer within {} s", PATIENCE.as_secs())]
    Silence { doing: &'static str },
    #[error("while {doing}: the peer closed the connection")]
    Closed { doing: &'static str },
    #[error("the association was rejected ({permanence}): {reason} (PS3.8 §9.3.4)")]
    Rejected { permanence: &'static str, reason: String },
    #[error("while {doing}: the peer aborted the association ({source_of_abort}, PS3.8 §9.3.8)")]
    Aborted { doing: &'static str, source_of_abort: String },
    #[error("while {doing}: expected {expected}, the peer sent {got}")]
    Protocol { doing: &'static str, expected: &'static str, got: String },
    #[error("the peer refused the presentation context of {abstract_syntax}: {reason} (PS3.8 Table 9-18)")]
    ContextRefused { abstract_syntax: String, reason: String },
    #[error("C-ECHO answered with status {0:#06x}")]
    Echo(u16),
    #[error("cannot be sent: {0}")]
    Encode(String),
}

/// Opens an association on `stream`, verifies it with a C-ECHO, sends each object with a C-STORE, and releases.
///
/// A failure status of an object is an outcome; the objects after it are still sent.
///
/// # Errors
/// [`RequestorError`] when the association could not be opened, verified, kept or released; it is aborted then.
pub async fn send_study<S>(
    stream: S,
    calling: &str,
    called: &str,
    objects: &[DefaultDicomObject],
) -> Result<Vec<StoreOutcome>, RequestorError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut association = Association::request(stream, calling, called, proposals(objects)?).await?;
    match converse(&mut association, objects).await {
        Ok(outcomes) => association.release().await.map(|()| outcomes),
        Err(error) => {
            association.abort().await;
            Err(error)
        }
    }
}

async fn converse<S>(
    association: &mut Association<S>,
    objects: &[DefaultDicomObject],
) -> Result<Vec<StoreOutcome>, RequestorError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    echo(association).await?;
    let mut outcomes = Vec::with_capacity(objects.len());
    for (message_id, object) in (2..=u16::MAX).zip(objects) {
        outcomes.push(store(association, message_id, object).await?);
    }
    Ok(outcomes)
}

async fn echo<S>(association: &mut Association<S>) -> Result<(), RequestorError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (context, _) = association.accepted(uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN)?;
    association.send("sending C-ECHO", context, &Command::echo(1), None).await?;
    let response = association.receive("waiting for the C-ECHO response", context).await?;
    match answered(&response, C_ECHO_RQ, 1)? {
        status::SUCCESS => Ok(()),
        failure => Err(RequestorError::Echo(failure)),
    }
}

async fn store<S>(
    association: &mut Association<S>,
    message_id: u16,
    object: &DefaultDicomObject,
) -> Result<StoreOutcome, RequestorError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let class = trimmed(object.meta().media_storage_sop_class_uid());
    let instance = trimmed(object.meta().media_storage_sop_instance_uid());
    let (context, transfer_syntax) = association.accepted(class, trimmed(object.meta().transfer_syntax()))?;
    let data_set = data_set(object, &transfer_syntax)?;
    let request = Command::store(message_id, class, instance);
    association.send("sending C-STORE", context, &request, Some(&data_set)).await?;
    let response = association.receive("waiting for the C-STORE response", context).await?;
    let status = answered(&response, C_STORE_RQ, message_id)?;
    Ok(StoreOutcome { sop_instance: instance.to_owned(), status, length: data_set.len() })
}

/// The status of `response`, when it is the one that the request waits for.
fn answered(response: &Command, request: u16, message_id: u16) -> Result<u16, RequestorError> {
    match response.status {
        Some(status) if response.field == request | RESPONSE && response.message_id == message_id => {
            Ok(status)
        }
        _ => Err(RequestorError::Protocol {
            doing: "waiting for a response",
            expected: "the response to the request under way",
            got: format!("command {:#06x} for message {}", response.field, response.message_id),
        }),
    }
}

/// Verification, then one context for each SOP class and transfer syntax that the objects have.
fn proposals(objects: &[DefaultDicomObject]) -> Result<Vec<PresentationContextProposed>, RequestorError> {
    let implicit = uids::IMPLICIT_VR_LITTLE_ENDIAN.to_owned();
    let mut wanted = vec![(uids::VERIFICATION.to_owned(), vec![implicit.clone()])];
    for object in objects {
        let mut syntaxes = vec![trimmed(object.meta().transfer_syntax()).to_owned()];
        if syntaxes.iter().any(|syntax| syntax == uids::EXPLICIT_VR_LITTLE_ENDIAN) {
            syntaxes.push(implicit.clone());
        }
        let pair = (trimmed(object.meta().media_storage_sop_class_uid()).to_owned(), syntaxes);
        if !wanted.contains(&pair) {
            wanted.push(pair);
        }
    }
    if wanted.len() > 128 {
        return Err(RequestorError::Encode(format!("{} presentation contexts, 128 fit", wanted.len())));
    }
    let proposed = |(id, (abstract_syntax, transfer_syntaxes))| PresentationContextProposed {
        id,
        abstract_syntax,
        transfer_syntaxes,
    };
    Ok((1..=u8::MAX).step_by(2).zip(wanted).map(proposed).collect())
}

fn data_set(object: &DefaultDicomObject, transfer_syntax: &str) -> Result<Vec<u8>, RequestorError> {
    let mut bytes = Vec::new();
    let written = if transfer_syntax == trimmed(object.meta().transfer_syntax()) {
        object.write_dataset(&mut bytes)
    } else {
        object.write_dataset_with_ts(&mut bytes, &implicit_vr_little_endian())
    };
    written.map_err(|error| RequestorError::Encode(error.to_string()))?;
    Ok(bytes)
}

fn trimmed(uid: &str) -> &str {
    uid.trim_end_matches(['\0', ' '])
}

#[cfg(test)]
mod tests;
