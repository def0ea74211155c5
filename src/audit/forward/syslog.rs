//! RFC 5424 messages and the frames of RFC 5425.

use super::destination::Syslog;
use crate::audit::messages::{Message, Source, xml};

/// Of UTF-8; RFC 5424 §6.4 wants it before text that is.
const BOM: &str = "\u{feff}";
/// Largest `sequenceId`; 1 comes after it (RFC 5424 §7.3.1).
const MOST_NUMBERS: u64 = 2_147_483_647;

/// A SYSLOG-MSG with the audit message in it. `number` counts messages from 1.
pub(super) fn message(
    message: &Message,
    source: &Source,
    settings: &Syslog,
    process_id: Option<u32>,
    number: u64,
) -> Vec<u8> {
    let priority =
        u16::from(settings.facility).saturating_mul(8).saturating_add(u16::from(settings.severity));
    let process_id = process_id.map_or_else(|| "-".into(), |id| id.to_string());
    let data = match settings.numbered {
        true => format!("[meta sequenceId=\"{}\"]", number.saturating_sub(1) % MOST_NUMBERS + 1),
        false => "-".into(),
    };
    format!(
        "<{priority}>1 {} {} {} {process_id} {} {data} {BOM}{}",
        message.timestamp(),
        header(&source.host, 255),
        header(&source.application, 48),
        header(&settings.message_id, 32),
        xml::write(message, source)
    )
    .into_bytes()
}

/// `MSG-LEN SP SYSLOG-MSG` (RFC 5425 §4.3).
pub(super) fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = format!("{} ", message.len()).into_bytes();
    frame.extend_from_slice(message);
    frame
}

/// PRINTUSASCII, not empty and not too long (RFC 5424 §6).
fn header(text: &str, most: usize) -> String {
    let legal: String = text.chars().filter(char::is_ascii_graphic).take(most).collect();
    if legal.is_empty() { "-".into() } else { legal }
}
