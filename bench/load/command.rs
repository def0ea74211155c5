//! Command sets (PS3.7 §6.3.1 and Annex E): implicit VR little endian, group length first.

pub const C_STORE_RQ: u16 = 0x0001;
pub const C_STORE_RSP: u16 = 0x8001;
pub const C_GET_RQ: u16 = 0x0010;
pub const C_FIND_RQ: u16 = 0x0020;
pub const C_FIND_RSP: u16 = 0x8020;
pub const C_MOVE_RQ: u16 = 0x0021;
pub const C_ECHO_RQ: u16 = 0x0030;
pub const C_CANCEL_RQ: u16 = 0x0FFF;
pub const NO_DATA_SET: u16 = 0x0101;

pub const AFFECTED_SOP_CLASS: u16 = 0x0002;
pub const COMMAND_FIELD: u16 = 0x0100;
pub const MESSAGE_ID: u16 = 0x0110;
pub const MESSAGE_ID_RESPONDED_TO: u16 = 0x0120;
pub const DATA_SET_TYPE: u16 = 0x0800;
pub const STATUS: u16 = 0x0900;
pub const ERROR_COMMENT: u16 = 0x0902;
pub const AFFECTED_SOP_INSTANCE: u16 = 0x1000;

/// Elements of group 0000 by element number, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command(Vec<(u16, Vec<u8>)>);

impl Command {
    pub fn new(field: u16) -> Self {
        Self::default().us(COMMAND_FIELD, field)
    }

    pub fn us(self, element: u16, value: u16) -> Self {
        self.bytes(element, value.to_le_bytes().to_vec())
    }

    pub fn uid(self, element: u16, value: &str) -> Self {
        let mut bytes = value.as_bytes().to_vec();
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        self.bytes(element, bytes)
    }

    pub fn bytes(mut self, element: u16, value: Vec<u8>) -> Self {
        self.0.retain(|(known, _)| *known != element);
        self.0.push((element, value));
        self.0.sort_by_key(|(element, _)| *element);
        self
    }

    pub fn c_echo_rq(message_id: u16) -> Self {
        let command = Self::new(C_ECHO_RQ).uid(AFFECTED_SOP_CLASS, super::upper::VERIFICATION);
        command.us(MESSAGE_ID, message_id).us(DATA_SET_TYPE, NO_DATA_SET)
    }

    pub fn c_store_rq(message_id: u16, sop_class: &str, sop_instance: &str) -> Self {
        let command = Self::new(C_STORE_RQ).uid(AFFECTED_SOP_CLASS, sop_class).us(MESSAGE_ID, message_id);
        command.us(0x0700, 0).us(DATA_SET_TYPE, 0).uid(AFFECTED_SOP_INSTANCE, sop_instance)
    }

    /// The response to `self` without a data set.
    pub fn response(&self, status: u16) -> Self {
        let mut response = Self::new(self.field() | 0x8000);
        for element in [AFFECTED_SOP_CLASS, AFFECTED_SOP_INSTANCE] {
            if let Some(value) = self.get(element) {
                response = response.bytes(element, value.to_vec());
            }
        }
        let id = self.number(MESSAGE_ID).unwrap_or_default();
        response.us(MESSAGE_ID_RESPONDED_TO, id).us(DATA_SET_TYPE, NO_DATA_SET).us(STATUS, status)
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut elements = Vec::new();
        for (element, value) in &self.0 {
            elements.extend([0, 0]);
            elements.extend(element.to_le_bytes());
            elements.extend((value.len() as u32).to_le_bytes());
            elements.extend(value);
        }
        let length = (elements.len() as u32).to_le_bytes();
        [&[0, 0, 0, 0, 4, 0, 0, 0], length.as_slice(), &elements].concat()
    }

    pub fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut command = Self::default();
        while !bytes.is_empty() {
            let element = u16::from_le_bytes([*bytes.get(2)?, *bytes.get(3)?]);
            let length = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?) as usize;
            if element != 0 {
                command.0.push((element, bytes.get(8..8 + length)?.to_vec()));
            }
            bytes = bytes.get(8 + length..)?;
        }
        Some(command)
    }

    pub fn get(&self, element: u16) -> Option<&[u8]> {
        self.0.iter().find(|(found, _)| *found == element).map(|(_, value)| value.as_slice())
    }

    pub fn number(&self, element: u16) -> Option<u16> {
        Some(u16::from_le_bytes(self.get(element)?.get(..2)?.try_into().ok()?))
    }

    pub fn text(&self, element: u16) -> Option<String> {
        let text = String::from_utf8_lossy(self.get(element)?);
        Some(text.trim_end_matches([' ', '\0']).to_string())
    }

    pub fn field(&self) -> u16 {
        self.number(COMMAND_FIELD).unwrap_or_default()
    }

    pub fn has_data_set(&self) -> bool {
        self.number(DATA_SET_TYPE).is_some_and(|kind| kind != NO_DATA_SET)
    }
}
