//! The places in a message where a half can be, and what becomes of a data set on its way.

use super::comparison::Comparison;
use super::crossing::Crossed;
use super::decoding::Room;
use super::ended::Ended;
use crate::dataset::{Identifier, Observer};
use crate::dimse::Command;
use crate::rewrite::Transform;

/// The place in the current message.
pub(crate) enum Phase {
    Idle,
    Command { context_id: u8, bytes: Vec<u8>, empty: u32 },
    DataSet(DataSet),
}

impl Phase {
    pub fn is_idle(&self) -> bool {
        matches!(self, Self::Idle)
    }
}

/// A data set on its way.
pub(crate) struct DataSet {
    pub context_id: u8,
    /// The context that it goes on in: another one where it is decoded.
    pub to_context_id: u8,
    pub fate: Fate,
    /// The request that it belongs to, where its record has use for what is in it.
    pub request: Option<u16>,
    pub bytes: u64,
    pub empty: u32,
}

/// What becomes of a data set.
pub(crate) enum Fate {
    Relay(Box<Relayed>),
    /// Read and thrown away; then the sender of the request gets this response, unless it has had one, and an
    /// association that cannot go on ends.
    Swallow {
        response: Option<Vec<u8>>,
        ends_with: Option<Ended>,
    },
}

/// A data set that is passed on.
pub(crate) struct Relayed {
    pub transform: Transform,
    /// A C-STORE that waits to be known as what its command says, where nothing rewrites.
    pub comparison: Option<Comparison>,
    /// Looks for study and patient where nothing rewrites.
    pub observer: Option<Observer>,
    /// Looks at what a query asks.
    pub identifier: Option<Box<Identifier>>,
    /// Where a rule applies, and with it a way to fail.
    pub rewritten: Option<Box<Rewritten>>,
}

/// A message whose data set is rewritten.
pub(crate) struct Rewritten {
    pub origin: Origin,
    /// The command set to send, held back until the transform has seen enough of the data set to be trusted: until
    /// then a failure leaves the other side untouched.
    pub held: Option<Vec<u8>>,
    /// The context for it where it is decoded.
    pub native: Option<u8>,
    /// Memory for the frames that are decoded.
    pub room: Option<Room>,
}

/// Whom to tell if the rewrite fails, and what.
pub(crate) enum Origin {
    /// A request as it came, for its response.
    Request(Command),
    /// A response that crosses a boundary.
    Response(Box<Crossed>),
}

impl Relayed {
    /// A data set that goes on as it came.
    pub fn as_it_came() -> Box<Self> {
        let transform = Transform::identity();
        Box::new(Self { transform, comparison: None, observer: None, identifier: None, rewritten: None })
    }

    /// Whether nobody looks at the bytes that come next.
    pub fn only_passes_on(&self) -> bool {
        self.transform.is_identity()
            && self.identifier.is_none()
            && self.rewritten.is_none()
            && self.comparison.is_none()
            && !self.observer.as_ref().is_some_and(Observer::wants_more)
    }

    /// Whether it is not yet known to be what its command says.
    pub fn is_being_compared(&self) -> bool {
        self.comparison.as_ref().is_some_and(|comparison| !comparison.is_done())
    }

    /// Whether its command waits, and it with it.
    pub fn is_held(&self) -> bool {
        self.comparison.is_some() || self.rewritten.as_ref().is_some_and(|rewritten| rewritten.held.is_some())
    }
}
