//! Headers of elements and items (PS3.5 §7.1), read and written.

use super::PIXEL_DATA;
use super::dictionary::vr_of;
use super::encoding::Syntax;
use super::vr::{Form, Vr};
use dicom_core::Tag;

pub(super) const UNDEFINED: u32 = u32::MAX;
pub(super) const ITEM: u32 = 0xFFFE_E000;
/// Bytes of a tag, by which an item is known.
pub(super) const ITEM_TAG: usize = 4;
pub(super) const SHORT_HEAD: usize = 8;
pub(super) const LONG_HEAD: usize = 12;
/// An item's header.
const SHORTEST_SEQUENCE: u32 = 8;

/// The header of an element (PS3.5 §7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Group and element number.
    pub tag: Tag,
    /// As written; from the dictionary where the encoding does not write it.
    pub vr: Vr,
    /// Bytes of the value; `None` is undefined length.
    pub length: Option<u32>,
    /// How this header is encoded.
    pub syntax: Syntax,
}

impl Header {
    /// How the items of this sequence are encoded, its delimiters included.
    ///
    /// What hides in a UN is implicit VR little endian, whatever is around it (PS3.5 §6.2.2).
    pub fn items(&self) -> Syntax {
        if self.vr == Vr::UN && self.syntax.explicit { Syntax::IMPLICIT_LE } else { self.syntax }
    }

    /// Whether nothing but the item that its value begins with tells that it is a sequence: a private element, or one that
    /// PS3.6 does not list, of defined length, in implicit VR or as UN.
    pub fn is_guessed(&self) -> bool {
        self.vr == Vr::UN && self.length.is_some() && vr_of(self.tag) == Vr::UN
    }

    /// Whether items are its value. A UN of undefined length, or of an attribute that is known to be a sequence, holds
    /// items: passed as a value, it would hide them from every rule.
    pub(super) fn is_sequence(&self) -> bool {
        match (self.vr, self.length) {
            (Vr::SQ, _) => true,
            (_, None) if self.tag == PIXEL_DATA => false,
            (Vr::UN, None) => true,
            (Vr::UN, Some(_)) => self.syntax.explicit && vr_of(self.tag) == Vr::SQ,
            (_, None) => !self.syntax.explicit,
            (_, Some(_)) => false,
        }
    }
}

/// A header as written, before anything is made of it.
pub(super) struct Head {
    /// The tag, as [`number`](super::number) has it.
    pub(super) number: u32,
    /// As written; from the dictionary where the encoding writes none. `None` for what is none of the standard, and for items.
    pub(super) vr: Option<Vr>,
    pub(super) length: u32,
    /// Bytes of the header itself (PS3.5 §7.1.2).
    pub(super) size: usize,
}

/// The tag of this [`number`](super::number).
pub(super) fn tag_of(number: u32) -> Tag {
    Tag((number >> 16) as u16, number as u16)
}

/// Whether four bytes that implicit VR reads as a length begin with what explicit VR reads as a VR. A first element of
/// 16,705 bytes or more does not occur; two readers of one that is written so would see two data sets.
pub(super) fn looks_like_a_vr(length: u32) -> bool {
    let [one, other, ..] = length.to_le_bytes();
    one.is_ascii_uppercase() && other.is_ascii_uppercase()
}

impl Head {
    /// The header that `bytes` begin with, where they hold all of it; of an element, or of an item, which has no VR.
    #[inline(always)]
    pub(super) fn read(syntax: Syntax, is_element: bool, bytes: &[u8]) -> Option<Self> {
        let Syntax { explicit, big_endian } = syntax;
        if big_endian {
            return Self::read_big_endian(explicit, is_element, bytes);
        }
        Self::read_in(Syntax { explicit, big_endian: false }, is_element, bytes)
    }

    /// Big endian is retired: it costs the others no more than to ask.
    #[inline(never)]
    fn read_big_endian(explicit: bool, is_element: bool, bytes: &[u8]) -> Option<Self> {
        Self::read_in(Syntax { explicit, big_endian: true }, is_element, bytes)
    }

    #[inline(always)]
    fn read_in(syntax: Syntax, is_element: bool, bytes: &[u8]) -> Option<Self> {
        let &[g0, g1, e0, e1, v0, v1, l0, l1] = bytes.first_chunk::<SHORT_HEAD>()?;
        let tag = [g0, g1, e0, e1];
        let number = match syntax.big_endian {
            true => u32::from_be_bytes(tag),
            // Each half is in little endian, and the group comes first.
            false => u32::from_le_bytes(tag).rotate_left(16),
        };
        if !is_element || number >> 16 == ITEM >> 16 {
            return Some(Self { number, vr: None, length: syntax.u32([v0, v1, l0, l1]), size: SHORT_HEAD });
        }
        if !syntax.explicit {
            let vr = Some(vr_of(tag_of(number)));
            return Some(Self { number, vr, length: syntax.u32([v0, v1, l0, l1]), size: SHORT_HEAD });
        }
        let form = Form::of([v0, v1]);
        let vr = (form != Form::Unknown).then_some(Vr::from_code([v0, v1]));
        if form == Form::Long {
            let &[.., m0, m1, m2, m3] = bytes.first_chunk::<LONG_HEAD>()?;
            return Some(Self { number, vr, length: syntax.u32([m0, m1, m2, m3]), size: LONG_HEAD });
        }
        Some(Self { number, vr, length: u32::from(syntax.u16([l0, l1])), size: SHORT_HEAD })
    }

    /// The header that `bytes` begin with, where it is one of explicit VR in little endian with a length of 16 bits, and no
    /// item's, which is for the caller to know.
    #[inline(always)]
    pub(super) fn short(bytes: &[u8]) -> Option<Self> {
        let &[g0, g1, e0, e1, v0, v1, l0, l1] = bytes.first_chunk::<SHORT_HEAD>()?;
        let number = u32::from_le_bytes([g0, g1, e0, e1]).rotate_left(16);
        let (vr, length) = (Some(Vr::from_code([v0, v1])), u32::from(u16::from_le_bytes([l0, l1])));
        (Form::of([v0, v1]) == Form::Short).then_some(Self { number, vr, length, size: SHORT_HEAD })
    }

    #[inline(always)]
    pub(super) fn tag(&self) -> Tag {
        tag_of(self.number)
    }

    /// The header of an element; `None` where the VR is none of the standard.
    #[inline]
    pub(super) fn of_element(&self, syntax: Syntax) -> Option<Header> {
        let length = (self.length != UNDEFINED).then_some(self.length);
        Some(Header { tag: self.tag(), vr: self.vr?, length, syntax })
    }

    /// Whether only the beginning of its value can tell whether that is a sequence.
    pub(super) fn may_hold_items(&self) -> bool {
        (SHORTEST_SEQUENCE..UNDEFINED).contains(&self.length)
            && self.vr == Some(Vr::UN)
            && vr_of(self.tag()) == Vr::UN
    }

    /// Behind the header: what decides whether items follow, as far as that is needed.
    pub(super) fn deciding(&self) -> usize {
        if self.may_hold_items() { ITEM_TAG } else { 0 }
    }

    /// Whether all its bytes are NUL.
    pub(super) fn is_nuls(&self, syntax: Syntax) -> bool {
        // In explicit VR, two of the NULs are in the place of a VR, and are none.
        (self.number, self.length) == (0, 0) && !(syntax.explicit && self.vr.is_some())
    }
}

/// Whether a value begins as a sequence does, in the byte order that its items should have or in that around it.
pub(super) fn begins_with_item(syntax: Syntax, value: &[u8]) -> bool {
    value.starts_with(&[0xFE, 0xFF, 0x00, 0xE0])
        || syntax.big_endian && value.starts_with(&[0xFF, 0xFE, 0xE0, 0x00])
}

/// The bytes of a header and how many they are; `None` where the length does not fit it (PS3.5 §7.1.2).
pub(crate) fn encoded(tag: Tag, vr: Vr, syntax: Syntax, length: u32) -> Option<([u8; LONG_HEAD], usize)> {
    let ([g0, g1], [e0, e1], [v0, v1]) = (syntax.put_u16(tag.0), syntax.put_u16(tag.1), vr.code());
    let [l0, l1, l2, l3] = syntax.put_u32(length);
    if !syntax.explicit || tag.0 == 0xFFFE {
        return Some(([g0, g1, e0, e1, l0, l1, l2, l3, 0, 0, 0, 0], SHORT_HEAD));
    }
    if vr.has_long_header() {
        return Some(([g0, g1, e0, e1, v0, v1, 0, 0, l0, l1, l2, l3], LONG_HEAD));
    }
    let [s0, s1] = syntax.put_u16(u16::try_from(length).ok()?);
    Some(([g0, g1, e0, e1, v0, v1, s0, s1, 0, 0, 0, 0], SHORT_HEAD))
}
