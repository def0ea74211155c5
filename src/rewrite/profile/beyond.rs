//! What Table E.1-1 does not list, and what says all the same whom an object is on, or under which UIDs it is kept.

use crate::dataset::{Tag, Vr, vr_of};

/// Attributes that are removed, with their names.
pub(in crate::rewrite) const BEYOND: [(Tag, &str); 4] = [
    (Tag(0x0010, 0x0033), "Patient's Birth Date in Alternative Calendar"),
    (Tag(0x0010, 0x0034), "Patient's Death Date in Alternative Calendar"),
    (Tag(0x0074, 0x100C), "Contact Display Name"),
    (Tag(0x2000, 0x0050), "Film Session Label"),
];

/// (0008,010E) Coding Scheme URL and (0008,0120) URN Code Value, which say what a code means.
const OF_CODES: [Tag; 2] = [Tag(0x0008, 0x010E), Tag(0x0008, 0x0120)];

/// Whether the attribute is a URL, or a path, that may hold UIDs: of VR UR, as written or by PS3.6.
pub(super) fn is_url(tag: Tag, vr: Vr) -> bool {
    (vr == Vr::UR || vr_of(tag) == Vr::UR) && !OF_CODES.contains(&tag)
}
