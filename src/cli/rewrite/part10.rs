//! The start of a DICOM file (PS3.10 §7.1): preamble, prefix and file meta information.

use crate::dataset::Vr;
use crate::wire::Uid;

/// dimsegate's own, in files that it writes.
const IMPLEMENTATION_CLASS_UID: &str = "2.25.304454775110883999338082322581725663505";
const IMPLEMENTATION_VERSION_NAME: &str =
    concat!("DIMSEGATE_", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
const PREAMBLE: usize = 128;
const MEDIA_STORAGE_DIRECTORY: &str = "1.2.840.10008.1.3.10";

/// What the file meta information says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub sop_class_uid: Uid,
    pub sop_instance_uid: Uid,
    pub transfer_syntax_uid: Uid,
    /// Where the data set begins.
    pub data_set: usize,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Part10Error {
    #[error(
        "is no DICOM file: \"DICM\" is missing at byte 128 (PS3.10 §7.1); give files with file meta information"
    )]
    Prefix,
    #[error("file meta information is damaged at byte {0} (PS3.10 §7.1)")]
    Damaged(usize),
    #[error("file meta information lacks a valid ({0:04X},{1:04X}); write the file anew with its program")]
    Missing(u16, u16),
    #[error("is a DICOMDIR: rewrite the files that it lists, and make a new one")]
    Directory,
}

/// Reads the start of a file from its first bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Start, Part10Error> {
    if bytes.get(PREAMBLE..PREAMBLE + 4) != Some(b"DICM") {
        return Err(Part10Error::Prefix);
    }
    let mut at = PREAMBLE + 4;
    let mut found = [(0x0002, None), (0x0003, None), (0x0010, None)];
    while bytes.get(at..at + 2) == Some(&[2, 0]) {
        let (element, value, end) = element(bytes, at).ok_or(Part10Error::Damaged(at))?;
        if let Some((_, uid)) = found.iter_mut().find(|(wanted, _)| *wanted == element) {
            *uid = Uid::from_bytes(value).ok();
        }
        at = end;
    }
    let [class, instance, syntax] =
        found.map(|(element, uid)| uid.ok_or(Part10Error::Missing(0x0002, element)));
    let start = Start {
        sop_class_uid: class?,
        sop_instance_uid: instance?,
        transfer_syntax_uid: syntax?,
        data_set: at,
    };
    if start.sop_class_uid.as_str() == MEDIA_STORAGE_DIRECTORY {
        Err(Part10Error::Directory)
    } else {
        Ok(start)
    }
}

/// Element number, value and end of an element of group 0002, which is in explicit VR little endian.
fn element(bytes: &[u8], at: usize) -> Option<(u16, &[u8], usize)> {
    let head = bytes.get(at..at.checked_add(8)?)?;
    let [_, _, e0, e1, v0, v1, l0, l1] = *head else { return None };
    let (start, length) = if Vr::known([v0, v1])?.has_long_header() {
        let length: [u8; 4] = bytes.get(at + 8..at + 12)?.try_into().ok()?;
        (at + 12, u32::from_le_bytes(length) as usize)
    } else {
        (at + 8, usize::from(u16::from_le_bytes([l0, l1])))
    };
    let end = start.checked_add(length)?;
    Some((u16::from_le_bytes([e0, e1]), bytes.get(start..end)?, end))
}

/// A new start: an empty preamble, and nothing of what the old one said but its class and transfer syntax.
pub(super) fn write(sop_class_uid: &str, sop_instance_uid: &str, transfer_syntax_uid: &str) -> Vec<u8> {
    let mut group = vec![2, 0, 1, 0, b'O', b'B', 0, 0, 2, 0, 0, 0, 0, 1];
    for (element, vr, text) in [
        (0x02, b"UI", sop_class_uid),
        (0x03, b"UI", sop_instance_uid),
        (0x10, b"UI", transfer_syntax_uid),
        (0x12, b"UI", IMPLEMENTATION_CLASS_UID),
        (0x13, b"SH", IMPLEMENTATION_VERSION_NAME),
    ] {
        // A UID or name is at most 64 characters.
        let length = (text.len() + text.len() % 2) as u8;
        group.extend([2, 0, element, 0, vr[0], vr[1], length, 0]);
        group.extend(text.as_bytes());
        if text.len() % 2 == 1 {
            group.push(if vr == b"UI" { 0 } else { b' ' });
        }
    }
    let mut start = vec![0; PREAMBLE];
    start.extend(b"DICM\x02\0\0\0UL\x04\0");
    start.extend((group.len() as u32).to_le_bytes());
    start.extend(group);
    start
}
