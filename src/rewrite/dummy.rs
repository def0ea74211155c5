//! Values that stand for those removed: legal for their VR, never empty, the same for everyone.

use crate::dataset::{Syntax, Tag, Vr, encoded_header};

pub(super) const TEXT: &str = "REMOVED";
/// (0008,0060) Modality.
const MODALITY: Tag = Tag(0x0008, 0x0060);

/// Appends the dummy of a VR, not padded.
pub(super) fn put(vr: Vr, new: &mut Vec<u8>) {
    let value: &[u8] = match &vr.code() {
        b"DA" => b"19000101",
        b"TM" => b"000000",
        b"DT" => b"19000101000000",
        b"AS" => b"000D",
        b"DS" | b"IS" => b"0",
        b"UI" => b"2.25.0",
        b"UR" => b"urn:removed",
        b"FL" | b"SL" | b"UL" | b"OF" | b"OL" | b"AT" => &[0; 4],
        b"FD" | b"SV" | b"UV" | b"OD" | b"OV" => &[0; 8],
        b"SS" | b"US" | b"OB" | b"OW" | b"UN" | b"SQ" => &[0; 2],
        _ => TEXT.as_bytes(),
    };
    new.extend_from_slice(value);
}

/// The same for an attribute, some of which have a term for what is not known.
pub(super) fn put_of(tag: Tag, vr: Vr, new: &mut Vec<u8>) {
    match tag {
        MODALITY => new.extend_from_slice(b"OT"),
        _ => put(vr, new),
    }
}

/// An element of an item of our own.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Value(Tag, Vr, Vec<u8>),
    /// Of VR US.
    Numbers(Tag, Vec<u16>),
    Items(Tag, Vec<Item>),
}

pub(super) type Item = Vec<Node>;

/// Appends items, encoded; `None` where one is too long for its header.
pub(super) fn put_items(items: &[Item], syntax: Syntax, out: &mut Vec<u8>) -> Option<()> {
    for item in items {
        let mut inner = Vec::new();
        item.iter().try_for_each(|node| put_node(node, syntax, &mut inner))?;
        out.extend(syntax.put_u16(0xFFFE));
        out.extend(syntax.put_u16(0xE000));
        out.extend(syntax.put_u32(u32::try_from(inner.len()).ok()?));
        out.extend(inner);
    }
    Some(())
}

fn put_node(node: &Node, syntax: Syntax, out: &mut Vec<u8>) -> Option<()> {
    let (tag, vr, value) = match node {
        Node::Value(tag, vr, value) => {
            let mut value = value.clone();
            if !value.len().is_multiple_of(2) {
                value.push(vr.padding());
            }
            (*tag, *vr, value)
        }
        Node::Numbers(tag, numbers) => {
            (*tag, Vr::US, numbers.iter().flat_map(|&number| syntax.put_u16(number)).collect())
        }
        Node::Items(tag, items) => {
            let mut value = Vec::new();
            put_items(items, syntax, &mut value)?;
            (*tag, Vr::SQ, value)
        }
    };
    let (head, size) = encoded_header(tag, vr, syntax, u32::try_from(value.len()).ok()?)?;
    out.extend_from_slice(head.get(..size)?);
    out.extend(value);
    Some(())
}

fn text(group: u16, element: u16, vr: Vr, value: &str) -> Node {
    Node::Value(Tag(group, element), vr, value.as_bytes().to_vec())
}

/// An item of a code sequence: Code Value, Coding Scheme Designator, Code Meaning (PS3.3 §8.8).
pub(super) fn code(value: &str, scheme: &str, meaning: &str) -> Item {
    vec![text(8, 0x100, Vr::SH, value), text(8, 0x102, Vr::SH, scheme), text(8, 0x104, Vr::LO, meaning)]
}

fn removed() -> Item {
    code(TEXT, "99DIMSEGATE", "Removed")
}

/// A graphic object (PS3.3 C.10.5.1.2), of which an annotation without a text needs one: a point in a corner.
fn point() -> Item {
    vec![
        text(0x70, 0x05, Vr::CS, "DISPLAY"),
        Node::Numbers(Tag(0x70, 0x20), vec![2]),
        Node::Numbers(Tag(0x70, 0x21), vec![1]),
        Node::Value(Tag(0x70, 0x22), Vr::FL, vec![0; 8]),
        text(0x70, 0x23, Vr::CS, "POINT"),
    ]
}

/// One item of dummies for a sequence whose code is D, with what its macro requires.
pub(super) fn item_of(tag: Tag) -> Item {
    match (tag.0, tag.1) {
        (0x0008, 0x0082) | (0x0040, 0x1101) | (0x0040, 0xA168) => removed(),
        (0x0008, 0x1072) => {
            vec![text(8, 0x80, Vr::LO, TEXT), Node::Items(Tag(0x40, 0x1101), vec![removed()])]
        }
        (0x0008, 0x1111) => {
            vec![text(8, 0x1150, Vr::UI, "1.2.840.10008.3.1.2.3.3"), text(8, 0x1155, Vr::UI, "2.25.0")]
        }
        (0x0034, 0x0001) => vec![Node::Value(Tag(0x34, 0x02), Vr::OB, vec![0, 0])],
        (0x0040, 0xA073) => vec![
            text(0x40, 0xA027, Vr::LO, TEXT),
            text(0x40, 0xA030, Vr::DT, "19000101000000"),
            text(0x40, 0xA075, Vr::PN, TEXT),
            Node::Items(Tag(0x40, 0xA088), Vec::new()),
        ],
        (0x0040, 0xA730) => vec![
            text(0x40, 0xA010, Vr::CS, "CONTAINS"),
            text(0x40, 0xA040, Vr::CS, "TEXT"),
            Node::Items(Tag(0x40, 0xA043), vec![removed()]),
            text(0x40, 0xA160, Vr::UT, TEXT),
        ],
        (0x0040, 0xB020) => {
            vec![Node::Numbers(Tag(0x40, 0xA0B0), vec![1, 1]), text(0x70, 0x06, Vr::ST, TEXT)]
        }
        (0x0070, 0x0001) => vec![text(0x70, 0x02, Vr::CS, TEXT), Node::Items(Tag(0x70, 0x09), vec![point()])],
        _ => Vec::new(),
    }
}
