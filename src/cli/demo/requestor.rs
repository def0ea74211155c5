//! The demonstration's modality: sends a study over any stream, TLS or not.

pub(super) mod secure;

use dicom_dictionary_std::uids;
use dicom_encoding::{AdapterFreeTransferSyntax, Codec, Endianness, TransferSyntax};
use dicom_object::DefaultDicomObject;

use crate::dimse::{self, Status};
use crate::upper::{self, Association, Request, Requestor, Terms, Transport};
use crate::wire::AeTitleError;
use crate::wire::pdu::Abort;

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoreOutcome {
    pub sop_instance: String,
    /// Of the C-STORE-RSP (PS3.4 Table B.2-1).
    pub status: Status,
    /// Bytes of the data set as it travelled.
    pub length: usize,
}

impl StoreOutcome {
    /// Success, not a warning.
    pub(super) fn stored(&self) -> bool {
        self.status == Status::SUCCESS
    }
}

/// Why a study did not get through.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestorError {
    #[error(transparent)]
    Association(#[from] upper::Error),
    #[error("C-ECHO answered with status {0}")]
    Echo(Status),
    #[error(transparent)]
    Title(#[from] AeTitleError),
    #[error("cannot be sent: {0}")]
    Encode(String),
}

impl From<upper::Unproposable> for RequestorError {
    fn from(unproposable: upper::Unproposable) -> Self {
        Self::Association(unproposable.into())
    }
}

/// Opens an association on `stream`, verifies it with a C-ECHO, sends each object with a C-STORE, and releases.
///
/// A failure status of an object is an outcome; the objects after it are still sent.
///
/// # Errors
/// [`RequestorError`] when the association could not be opened, verified, kept or released; it is aborted then.
pub(super) async fn send_study<T: Transport>(
    stream: T,
    calling: &str,
    called: &str,
    objects: &[DefaultDicomObject],
) -> Result<Vec<StoreOutcome>, RequestorError> {
    let request = request(calling, called, objects)?;
    let mut association = Requestor::open(stream, &request, &Terms::default()).await?;
    match converse(&mut association, objects).await {
        Ok(outcomes) => Ok(association.release().await.map(|()| outcomes)?),
        Err(error) => {
            association.abort(Abort::USER).await;
            Err(error)
        }
    }
}

async fn converse<T: Transport>(
    association: &mut Association<T>,
    objects: &[DefaultDicomObject],
) -> Result<Vec<StoreOutcome>, RequestorError> {
    echo(association).await?;
    let mut outcomes = Vec::with_capacity(objects.len());
    for (message_id, object) in (2..=u16::MAX).zip(objects) {
        outcomes.push(store(association, message_id, object).await?);
    }
    Ok(outcomes)
}

async fn echo<T: Transport>(association: &mut Association<T>) -> Result<(), RequestorError> {
    let (context, _) =
        association.contexts().accepted(uids::VERIFICATION, uids::IMPLICIT_VR_LITTLE_ENDIAN)?;
    let request = dimse::echo_request(uids::VERIFICATION, 1);
    match association.perform(context, &request, None).await? {
        Status::SUCCESS => Ok(()),
        failure => Err(RequestorError::Echo(failure)),
    }
}

async fn store<T: Transport>(
    association: &mut Association<T>,
    message_id: u16,
    object: &DefaultDicomObject,
) -> Result<StoreOutcome, RequestorError> {
    let class = trimmed(object.meta().media_storage_sop_class_uid());
    let instance = trimmed(object.meta().media_storage_sop_instance_uid());
    let accepted = association.contexts().accepted(class, trimmed(object.meta().transfer_syntax()));
    let (context, transfer_syntax) = accepted?;
    let data_set = data_set(object, transfer_syntax.as_str())?;
    let request = dimse::store_request(class, instance, message_id);
    let status = association.perform(context, &request, Some(&data_set)).await?;
    Ok(StoreOutcome { sop_instance: instance.to_owned(), status, length: data_set.len() })
}

/// Verification, then one context for each SOP class and transfer syntax that the objects have.
fn request(calling: &str, called: &str, objects: &[DefaultDicomObject]) -> Result<Request, RequestorError> {
    let mut request = Request::new(calling.parse()?, called.parse()?);
    request.propose(uids::VERIFICATION, &[uids::IMPLICIT_VR_LITTLE_ENDIAN])?;
    let mut proposed = Vec::new();
    for object in objects {
        let own = trimmed(object.meta().transfer_syntax());
        let pair = (trimmed(object.meta().media_storage_sop_class_uid()), own);
        if proposed.contains(&pair) {
            continue;
        }
        proposed.push(pair);
        // What can be written as another one, for an archive that knows no explicit VR.
        let implicit = (own == uids::EXPLICIT_VR_LITTLE_ENDIAN).then_some(uids::IMPLICIT_VR_LITTLE_ENDIAN);
        let syntaxes: Vec<&str> = std::iter::once(own).chain(implicit).collect();
        request.propose(pair.0, &syntaxes)?;
    }
    Ok(request)
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

/// The default transfer syntax (PS3.5 §10.1).
fn implicit_vr_little_endian() -> TransferSyntax {
    AdapterFreeTransferSyntax::new(
        uids::IMPLICIT_VR_LITTLE_ENDIAN,
        "Implicit VR Little Endian",
        Endianness::Little,
        false,
        Codec::None,
    )
    .erased()
}

fn trimmed(uid: &str) -> &str {
    uid.trim_end_matches(['\0', ' '])
}

#[cfg(test)]
mod tests;
