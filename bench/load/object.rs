//! Objects to send: a made CT of any size, or a file's data set as it stands.

use std::io;
use std::path::Path;

use crate::upper::{CT_IMAGE_STORAGE, EXPLICIT_LITTLE};

/// A data set with what its C-STORE has to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub sop_class: String,
    pub sop_instance: String,
    pub transfer_syntax: String,
    pub data_set: Vec<u8>,
}

impl Object {
    /// A CT image in explicit VR little endian whose data set is about `bytes` long, never less than its header.
    pub fn ct(bytes: usize) -> Self {
        Self::made(bytes, 0)
    }

    /// The same with 150 elements, as scanners write them: the others say how the image was taken.
    pub fn detailed_ct(bytes: usize) -> Self {
        Self::made(bytes, 117)
    }

    /// A made object under other UIDs, in its data set too.
    pub fn named(mut self, sop_class: &str, sop_instance: &str) -> Self {
        for (element, uid) in [(0x16, sop_class), (0x18, sop_instance)] {
            let tag = [8, 0, element, 0, b'U', b'I'];
            let at = self.data_set.windows(6).position(|window| window == tag).expect("a made object");
            let length = usize::from(u16::from_le_bytes([self.data_set[at + 6], self.data_set[at + 7]]));
            let new = short(8, u16::from(element), "UI", uid.as_bytes());
            self.data_set.splice(at..at + 8 + length, new);
        }
        Self { sop_class: sop_class.into(), sop_instance: sop_instance.into(), ..self }
    }

    fn made(bytes: usize, details: u16) -> Self {
        let instance = "2.25.200000000000000000000000000000000001";
        let header: &[(u16, u16, &str, &[u8])] = &[
            (0x0008, 0x0005, "CS", b"ISO_IR 100"),
            (0x0008, 0x0008, "CS", b"ORIGINAL\\PRIMARY\\AXIAL"),
            (0x0008, 0x0016, "UI", CT_IMAGE_STORAGE.as_bytes()),
            (0x0008, 0x0018, "UI", instance.as_bytes()),
            (0x0008, 0x0020, "DA", b"20260102"),
            (0x0008, 0x0030, "TM", b"101112"),
            (0x0008, 0x0050, "SH", b"A-4711"),
            (0x0008, 0x0060, "CS", b"CT"),
            (0x0008, 0x0070, "LO", b"PHANTOM WORKS"),
            (0x0008, 0x0080, "LO", b"HOSPITAL OF THE TEST"),
            (0x0008, 0x0090, "PN", b"REFERRER^RITA"),
            (0x0008, 0x1010, "SH", b"CT-ROOM-2"),
            (0x0008, 0x1030, "LO", b"THORAX ROUTINE"),
            (0x0008, 0x103E, "LO", b"AXIAL 1.0 SOFT 123456789"),
            (0x0010, 0x0010, "PN", b"PHANTOM^CARLA"),
            (0x0010, 0x0020, "LO", b"PID-0815"),
            (0x0010, 0x0030, "DA", b"19700101"),
            (0x0010, 0x0040, "CS", b"F"),
            (0x0018, 0x1000, "LO", b"SERIAL-99"),
            (0x0020, 0x000D, "UI", b"2.25.200000000000000000000000000000000002"),
            (0x0020, 0x000E, "UI", b"2.25.200000000000000000000000000000000003"),
            (0x0020, 0x0010, "SH", b"STUDY-7"),
            (0x0020, 0x0013, "IS", b"1"),
            (0x0020, 0x0052, "UI", b"2.25.200000000000000000000000000000000004"),
            (0x0028, 0x0002, "US", &1u16.to_le_bytes()),
            (0x0028, 0x0004, "CS", b"MONOCHROME2"),
            (0x0028, 0x0010, "US", &512u16.to_le_bytes()),
            (0x0028, 0x0011, "US", &512u16.to_le_bytes()),
            (0x0028, 0x0100, "US", &16u16.to_le_bytes()),
            (0x0028, 0x0101, "US", &16u16.to_le_bytes()),
            (0x0028, 0x0102, "US", &15u16.to_le_bytes()),
            (0x0028, 0x0103, "US", &0u16.to_le_bytes()),
        ];
        let (identity, image) = header.split_at(19);
        let encode = |part: &[(u16, u16, &str, &[u8])]| -> Vec<u8> {
            part.iter().flat_map(|(group, element, vr, value)| short(*group, *element, vr, value)).collect()
        };
        let mut data_set = encode(identity);
        data_set.extend((0..details).flat_map(|n| short(0x0018, 0x9004 + 4 * n, "DS", b"0.9765625")));
        data_set.extend(encode(image));
        let pixels = bytes.saturating_sub(data_set.len() + 12) & !1;
        data_set.extend([0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0]);
        data_set.extend((pixels as u32).to_le_bytes());
        // Noise that no two blocks share, so that a block lost or swapped on the way shows (Marsaglia's xorshift64).
        let (mut state, end) = (0x9E37_79B9_7F4A_7C15u64, data_set.len() + pixels);
        data_set.reserve(pixels + 8);
        while data_set.len() < end {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            data_set.extend_from_slice(&state.to_le_bytes());
        }
        data_set.truncate(end);
        Self {
            sop_class: CT_IMAGE_STORAGE.into(),
            sop_instance: instance.into(),
            transfer_syntax: EXPLICIT_LITTLE.into(),
            data_set,
        }
    }

    /// Reads a file with meta information (PS3.10 §7.1); the data set's bytes stay as they are.
    pub fn from_file(path: &Path) -> io::Result<Self> {
        let bytes = std::fs::read(path)?;
        Self::from_part10(&bytes).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("{}: no file meta information", path.display()),
            )
        })
    }

    pub fn from_part10(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.get(132..).filter(|_| bytes.get(128..132) == Some(b"DICM"))?;
        let mut object = Self {
            sop_class: String::new(),
            sop_instance: String::new(),
            transfer_syntax: String::new(),
            data_set: Vec::new(),
        };
        while let Some(&[2, 0, low, high]) = rest.get(..4) {
            let long =
                [b"OB", b"UN", b"OW", b"SQ", b"UT", b"OF"].iter().any(|vr| rest.get(4..6) == Some(*vr));
            let (start, length): (usize, usize) = match long {
                true => (12, u32::from_le_bytes(rest.get(8..12)?.try_into().ok()?) as usize),
                false => (8, usize::from(u16::from_le_bytes(rest.get(6..8)?.try_into().ok()?))),
            };
            let value = rest.get(start..start.checked_add(length)?)?;
            let text = String::from_utf8_lossy(value).trim_end_matches(['\0', ' ']).to_string();
            match u16::from_le_bytes([low, high]) {
                0x0002 => object.sop_class = text,
                0x0003 => object.sop_instance = text,
                0x0010 => object.transfer_syntax = text,
                _ => {}
            }
            rest = &rest[start + length..];
        }
        object.data_set = rest.to_vec();
        Some(object)
    }

    /// Preamble, a minimal file meta information and the data set.
    pub fn to_part10(&self) -> Vec<u8> {
        let mut meta = long(2, 1, "OB", &[0, 1]);
        meta.extend(short(2, 2, "UI", self.sop_class.as_bytes()));
        meta.extend(short(2, 3, "UI", self.sop_instance.as_bytes()));
        meta.extend(short(2, 0x10, "UI", self.transfer_syntax.as_bytes()));
        meta.extend(short(2, 0x12, "UI", b"2.25.301234567890123456789012345678901234"));
        let mut file = vec![0; 128];
        file.extend(b"DICM");
        file.extend(short(2, 0, "UL", &(meta.len() as u32).to_le_bytes()));
        file.extend(meta);
        file.extend(&self.data_set);
        file
    }
}

/// An element with a 16-bit length, explicit VR little endian; odd values are padded.
pub fn short(group: u16, element: u16, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend(vr.bytes());
    bytes.extend((value.len().next_multiple_of(2) as u16).to_le_bytes());
    bytes.extend(value);
    if value.len() % 2 == 1 {
        bytes.push(if vr == "UI" { 0 } else { b' ' });
    }
    bytes
}

fn long(group: u16, element: u16, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = [group.to_le_bytes(), element.to_le_bytes()].concat();
    bytes.extend(vr.bytes());
    bytes.extend([0, 0]);
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend(value);
    bytes
}
