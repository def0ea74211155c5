//! What a scanner says.

use std::ops::Range;

use crate::dataset::{Header, Syntax, Tag};

/// Where the bytes of an event are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// In the input of this call.
    Input(Range<usize>),
    /// In [`Scanner::carried`](super::Scanner::carried), until the next call: they began in an earlier input.
    Carried,
}

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An element's header. Its value follows in `Value` events, none where the length is zero.
    Element(Header),
    /// Bytes of the last element's or fragment's value; `rest` more are to come.
    Value { rest: u32 },
    /// Items follow, until `SequenceEnd`, encoded as [`Header::items`] says. Also a UN that holds a sequence
    /// (PS3.5 §6.2.2).
    SequenceStart(Header),
    /// Elements follow, until `ItemEnd`.
    ItemStart { length: Option<u32>, syntax: Syntax },
    /// The bytes are the delimiter, or none where the length was defined.
    ItemEnd,
    /// The bytes are the delimiter, or none where the length was defined.
    SequenceEnd,
    /// Encapsulated pixel data: fragments follow, until `FragmentsEnd` (PS3.5 A.4).
    FragmentsStart(Header),
    /// A fragment's header, or the offset table's. Its bytes follow in `Value` events.
    Fragment { length: u32 },
    /// The bytes are the delimiter.
    FragmentsEnd,
}

/// What was read, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub kind: Kind,
    pub raw: Raw,
}

/// A sequence on the way from the top of the data set to the element under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathStep {
    pub sequence: Tag,
    /// Counted from 1; 0 before the first item.
    pub item: u32,
}
