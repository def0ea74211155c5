//! What a scanner says.

use std::ops::Range;

use crate::dataset::{Header, Syntax};

/// Where the bytes of an event are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// In the input of this call.
    Input(Range<usize>),
    /// In [`Scanner::carried`](super::Scanner::carried), until the next call: they began in an earlier input.
    Carried,
}

/// What an event is about. Nested data sets are told as they are written: a sequence, its items, their elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element's header. Its value follows in `Value` events, none where the length is zero.
    Element(Header),
    /// Bytes of the last element's or fragment's value; `rest` more are to come.
    Value {
        /// Bytes of the value behind these; 0 with the last of them.
        rest: u32,
    },
    /// Items follow, until `SequenceEnd`, encoded as [`Header::items`] says. Also a UN that holds a sequence
    /// (PS3.5 §6.2.2).
    SequenceStart(Header),
    /// Elements follow, until `ItemEnd`.
    ItemStart {
        /// In bytes; `None` where a delimiter ends it.
        length: Option<u32>,
        /// How its elements are encoded.
        syntax: Syntax,
    },
    /// The bytes are the delimiter, or none where the length was defined.
    ItemEnd,
    /// The bytes are the delimiter, or none where the length was defined.
    SequenceEnd,
    /// Encapsulated pixel data: fragments follow, until `FragmentsEnd` (PS3.5 A.4).
    FragmentsStart(Header),
    /// A fragment's header, or the offset table's. Its bytes follow in `Value` events.
    Fragment {
        /// Bytes of the fragment.
        length: u32,
    },
    /// The bytes are the delimiter.
    FragmentsEnd,
}

/// What was read, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What the bytes are.
    pub kind: Kind,
    /// Where they are; empty for an end that no delimiter says.
    pub raw: Raw,
}
