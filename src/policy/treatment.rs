//! What becomes of a message at the boundary between real values and pseudonyms: the one table of it.
//!
//! | | request | response |
//! | --- | --- | --- |
//! | C-ECHO | | |
//! | C-STORE | object | |
//! | C-FIND, C-MOVE, C-GET | keys | attributes: an answer, or Failed SOP Instance UID List (0008,0058) |
//! | N-CREATE, N-SET, N-GET, N-ACTION, N-EVENT-REPORT, N-DELETE | attributes | attributes |
//!
//! One way, rules see objects only, where they travel as `rewrite-direction` says. Two ways, everything that travels in
//! that direction gets pseudonyms, everything that travels against it gets its real values back, and what a command set
//! says of an instance goes with its data set. A data set where none belongs counts as attributes.

use super::{Direction, Operation, Peer};

/// Which half of an operation a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From whoever invoked it.
    Request,
    /// From whoever performed it.
    Response,
}

/// What a data set is to the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A composite instance.
    Object,
    /// The identifier of a query or retrieval, whose values are matched.
    Keys,
    /// Anything else.
    Attributes,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// It goes on byte for byte.
    AsItCame,
    /// One way: an object is rewritten, its command follows.
    Rewrite,
    /// Two ways: real values become pseudonyms.
    Pseudonymise(Content),
    /// Two ways: pseudonyms become real values.
    Restore(Content),
}

impl Peer {
    /// What becomes of a message that travels in `direction`.
    pub fn treatment(&self, operation: Operation, part: Part, direction: Direction) -> Treatment {
        let (content, along) = (content(operation, part), self.rewrite_direction.applies(direction));
        match (&self.rewrite, self.two_way) {
            (None, _) => Treatment::AsItCame,
            (Some(_), true) if along => Treatment::Pseudonymise(content),
            (Some(_), true) => Treatment::Restore(content),
            (Some(_), false) if along && content == Content::Object => Treatment::Rewrite,
            (Some(_), false) => Treatment::AsItCame,
        }
    }
}

fn content(operation: Operation, part: Part) -> Content {
    use Operation::{CFind, CGet, CMove, CStore};
    match (operation, part) {
        (CStore, Part::Request) => Content::Object,
        (CFind | CMove | CGet, Part::Request) => Content::Keys,
        _ => Content::Attributes,
    }
}
