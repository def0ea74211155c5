//! What an object says of itself: Consent for Clinical Trial Use Sequence (0012,0083), of the Clinical Trial Study module
//! (PS3.3 C.7.2.3).

use super::said::{Found, Said};

/// An item of the sequence; values without padding, empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Consent for Distribution Flag (0012,0085): `NO`, `YES` or `WITHDRAWN`.
    pub flag: Vec<u8>,
    /// Distribution Type (0012,0084): `NAMED_PROTOCOL`, `RESTRICTED_REUSE` or `PUBLIC_RELEASE`.
    pub kind: Vec<u8>,
    /// Clinical Trial Protocol ID (0012,0020) of a `NAMED_PROTOCOL`; empty: that of the object.
    pub protocol: Vec<u8>,
}

/// What the items of an object say. `protocol` is the Clinical Trial Protocol ID (0012,0020) of the object; a purpose is one of the other
/// two types, or the ID of a protocol.
///
/// What may be released to the public may go to anybody. A flag that is none of the three counts as `NO`.
pub fn of_object(items: &[Distribution], protocol: &[u8], purpose: Option<&str>) -> Said {
    let mut found = Found::default();
    for item in items {
        let own = if item.protocol.is_empty() { protocol } else { &item.protocol };
        let named = match item.kind.as_slice() {
            b"NAMED_PROTOCOL" => own,
            kind => kind,
        };
        let named = String::from_utf8_lossy(named);
        match (item.flag.as_slice(), &*named) {
            (b"YES", "PUBLIC_RELEASE") => found.grant(None, purpose),
            // A type is required beside YES.
            (b"YES", "") => {}
            (b"YES", named) => found.grant(Some(named), purpose),
            (_, "") => found.withdraw(None, purpose),
            (_, named) => found.withdraw(Some(named), purpose),
        }
    }
    found.said()
}
