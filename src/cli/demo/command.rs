//! The command sets of the demonstration's two peers (PS3.7 §9.3), by dicom-object.
//!
//! They are deliberately not `crate::dimse`: the requestor and the archive are there to disagree with the proxy.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_encoding::{AdapterFreeTransferSyntax, Codec, Endianness, TransferSyntax};
use dicom_object::InMemDicomObject;

pub const C_STORE_RQ: u16 = 0x0001;
pub const C_ECHO_RQ: u16 = 0x0030;
pub const C_CANCEL_RQ: u16 = 0x0fff;
/// Set in the command field of every response (PS3.7 Table E.1-1).
pub const RESPONSE: u16 = 0x8000;

const NO_DATA_SET: u16 = 0x0101;
const DATA_SET: u16 = 0x0000;
const MEDIUM: u16 = 0x0000;

/// Statuses that the demonstration's archive gives (PS3.4 Table B.2-1, PS3.7 Annex C).
pub mod status {
    pub const SUCCESS: u16 = 0x0000;
    pub const INVALID_SOP_INSTANCE: u16 = 0x0117;
    pub const UNRECOGNIZED_OPERATION: u16 = 0x0211;
    pub const OUT_OF_RESOURCES: u16 = 0xa700;
}

/// What a peer has to know of a command set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub field: u16,
    /// Message ID of a request, Message ID Being Responded To of a response.
    pub message_id: u16,
    /// Affected SOP class and instance UID, empty where absent.
    pub sop_class: String,
    pub sop_instance: String,
    pub has_data_set: bool,
    /// Responses only.
    pub status: Option<u16>,
}

impl Command {
    /// C-ECHO-RQ (PS3.7 Table 9.3-12).
    pub fn echo(message_id: u16) -> Self {
        Self {
            field: C_ECHO_RQ,
            message_id,
            sop_class: dicom_dictionary_std::uids::VERIFICATION.into(),
            sop_instance: String::new(),
            has_data_set: false,
            status: None,
        }
    }

    /// C-STORE-RQ (PS3.7 Table 9.3-1).
    pub fn store(message_id: u16, sop_class: &str, sop_instance: &str) -> Self {
        Self {
            field: C_STORE_RQ,
            message_id,
            sop_class: sop_class.into(),
            sop_instance: sop_instance.into(),
            has_data_set: true,
            status: None,
        }
    }

    /// The response to this request.
    pub fn respond(&self, status: u16) -> Self {
        Self { field: self.field | RESPONSE, has_data_set: false, status: Some(status), ..self.clone() }
    }

    /// Reads a whole command set, implicit VR little endian (PS3.7 §6.3.1).
    ///
    /// # Errors
    /// A sentence that names the element missing, or dicom-object's reason.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let set = InMemDicomObject::read_dataset_with_ts(bytes, &implicit_vr_little_endian())
            .map_err(|error| format!("command set unreadable: {error}"))?;
        let number = |tag: Tag| set.get(tag).and_then(|element| element.to_int::<u16>().ok());
        let text = |tag: Tag| set.get(tag).and_then(|element| element.to_str().ok());
        let uid =
            |tag: Tag| text(tag).map(|uid| uid.trim_end_matches(['\0', ' ']).to_owned()).unwrap_or_default();
        let field = number(tags::COMMAND_FIELD).ok_or("command set without a Command Field (0000,0100)")?;
        let id = if field & RESPONSE == 0 && field != C_CANCEL_RQ {
            tags::MESSAGE_ID
        } else {
            tags::MESSAGE_ID_BEING_RESPONDED_TO
        };
        Ok(Self {
            field,
            message_id: number(id).ok_or("command set without a message ID")?,
            sop_class: uid(tags::AFFECTED_SOP_CLASS_UID),
            sop_instance: uid(tags::AFFECTED_SOP_INSTANCE_UID),
            has_data_set: number(tags::COMMAND_DATA_SET_TYPE) != Some(NO_DATA_SET),
            status: number(tags::STATUS),
        })
    }

    /// The command set's bytes, group length included.
    ///
    /// # Errors
    /// dicom-object's reason, as a sentence.
    pub fn encode(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        InMemDicomObject::command_from_element_iter(self.elements())
            .write_dataset_with_ts(&mut bytes, &implicit_vr_little_endian())
            .map_err(|error| format!("command set not written: {error}"))?;
        Ok(bytes)
    }

    fn elements(&self) -> Vec<DataElement<InMemDicomObject>> {
        let number = |tag, value: u16| DataElement::new(tag, VR::US, PrimitiveValue::from(value));
        let uid = |tag, value: &str| DataElement::new(tag, VR::UI, PrimitiveValue::from(value));
        let request = self.field & RESPONSE == 0;
        let id = if request { tags::MESSAGE_ID } else { tags::MESSAGE_ID_BEING_RESPONDED_TO };
        let mut elements = vec![
            number(tags::COMMAND_FIELD, self.field),
            number(id, self.message_id),
            number(tags::COMMAND_DATA_SET_TYPE, if self.has_data_set { DATA_SET } else { NO_DATA_SET }),
        ];
        if !self.sop_class.is_empty() {
            elements.push(uid(tags::AFFECTED_SOP_CLASS_UID, &self.sop_class));
        }
        if !self.sop_instance.is_empty() {
            elements.push(uid(tags::AFFECTED_SOP_INSTANCE_UID, &self.sop_instance));
        }
        if self.field == C_STORE_RQ {
            elements.push(number(tags::PRIORITY, MEDIUM));
        }
        elements.extend(self.status.map(|status| number(tags::STATUS, status)));
        elements
    }
}

/// The default transfer syntax, that of every command set (PS3.5 §10.1).
pub fn implicit_vr_little_endian() -> TransferSyntax {
    AdapterFreeTransferSyntax::new(
        dicom_dictionary_std::uids::IMPLICIT_VR_LITTLE_ENDIAN,
        "Implicit VR Little Endian",
        Endianness::Little,
        false,
        Codec::None,
    )
    .erased()
}

#[cfg(test)]
mod tests {
    use super::{Command, status};

    #[test]
    fn an_echo_request_has_the_bytes_of_the_standard() {
        let mut expected = Vec::new();
        for (element, value) in [
            (0x0000_u16, &56_u32.to_le_bytes()[..]),
            (0x0002, b"1.2.840.10008.1.1\0"),
            (0x0100, &[0x30, 0]),
            (0x0110, &[7, 0]),
            (0x0800, &[1, 1]),
        ] {
            expected.extend([0, 0]);
            expected.extend(element.to_le_bytes());
            expected.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
            expected.extend(value);
        }
        assert_eq!(Command::echo(7).encode().unwrap(), expected);
    }

    #[test]
    fn requests_and_responses_come_back_as_they_went() {
        let request = Command::store(3, "1.2.840.10008.5.1.4.1.1.2", "2.25.1");
        assert_eq!(Command::decode(&request.encode().unwrap()).unwrap(), request);
        let response = request.respond(status::OUT_OF_RESOURCES);
        assert_eq!(Command::decode(&response.encode().unwrap()).unwrap(), response);
        assert_eq!((response.field, response.status, response.has_data_set), (0x8001, Some(0xa700), false));
    }

    #[test]
    fn a_command_set_without_its_field_is_refused() {
        assert!(Command::decode(b"").unwrap_err().contains("(0000,0100)"));
        assert!(Command::decode(&[0xff; 9]).is_err());
    }
}
