//! What both sides of an association have agreed to, and what dimsegate makes of it. It does not change.

use std::num::NonZeroU32;
use std::sync::Arc;

use tracing::Span;

use super::ended::{Ended, Side};
use crate::buffer::Corner;
use crate::consent::{Distribution, Who};
use crate::dataset::Encoding;
use crate::policy::{Direction, Grant};
use crate::rewrite::{Correspondences, Recalled, Ruleset, Transform};
use crate::wire::Uid;

const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// A presentation context that both sides accepted.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedContext {
    pub id: u8,
    pub abstract_syntax: Uid,
    pub transfer_syntax: Uid,
    /// `None` for a transfer syntax that dimsegate cannot parse; it may pass where nothing rewrites.
    pub encoding: Option<Encoding>,
}

/// Asked with what is allowed of the peer and of the user.
pub(crate) type IsWithin = Box<dyn Fn([Option<NonZeroU32>; 2]) -> bool + Send + Sync>;

/// What the peer has stored, on this association or before.
pub(crate) trait Remembers: Send + Sync {
    /// The archive has taken this SOP instance of it.
    fn note(&self, instance: &str);
    /// Whether it is known to have taken that.
    fn has(&self, instance: &str) -> bool;
}

/// What is known of the consent of whom a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Consented {
    /// It may go on.
    Yes,
    /// Not, or nobody knows, which is as good.
    No,
    /// It could not be found out.
    NotKnown,
}

/// What knows of the consent of patients.
pub(crate) trait Consents: Send + Sync {
    /// Whether it is in the objects, and nowhere else.
    fn is_in_objects(&self) -> bool;
    /// Whether a patient has consented. `None`: somebody has to be asked, which takes time ([`Question::Consent`]).
    ///
    /// [`Question::Consent`]: super::Question::Consent
    fn of(&self, whom: Option<&Who>) -> Option<Consented>;
    /// The same by what an object says of itself, with its Clinical Trial Protocol ID (0012,0020).
    fn by_object(&self, items: &[Distribution], protocol: &[u8]) -> Consented;
}

/// Where the beginning of a data set waits until all is known that it depends on.
#[derive(Clone)]
pub(crate) struct Waiting {
    pub corner: Corner,
    /// Bytes of one data set.
    pub most: u64,
    /// What the latest data set was looked through with.
    pub recalled: Recalled,
}

impl Waiting {
    pub(super) fn of(&self, transform: Transform) -> Transform {
        transform.waiting_in(self.corner.clone()).waiting_with(self.most).recalling(self.recalled.clone())
    }
}

/// The terms of an association.
pub(crate) struct Terms {
    pub id: Arc<str>,
    /// What the log says of it. It is entered where something is logged: at each wake-up of the relay would be dear.
    pub span: Span,
    pub grant: Grant,
    /// The peer's rewrite, for the directions that [`crate::policy::RewriteDirection`] names.
    pub ruleset: Option<Arc<Ruleset>>,
    /// What remembers the pseudonyms that it makes.
    pub crosswalk: Option<Arc<dyn Correspondences>>,
    pub contexts: Vec<AcceptedContext>,
    /// Where frames of the peer lie that are decoded.
    pub frames: Corner,
    /// Where the beginnings of the peer's data sets lie that wait for what they depend on, and how many bytes of one may.
    pub waiting: Waiting,
    /// The longest command set that is put together, in bytes.
    pub max_command_length: usize,
    /// The maximum length that both peers were told.
    pub offered: u32,
    /// Whether one more retrieval is within what is allowed of the peer and of the user in an hour: it then counts. `None`: any is.
    pub retrievals: Option<IsWithin>,
    /// Whether a query may be asked whose patients are counted. `None`: any may.
    pub queries: Option<IsWithin>,
    /// What the peer has stored, where that is asked: it has a scope, or its patients are counted, and its role allows N-ACTION.
    pub brought: Option<Arc<dyn Remembers>>,
    /// Who knows of the consent of patients, where the peer needs it.
    pub consent: Option<Arc<dyn Consents>>,
}

impl Terms {
    pub(crate) fn context(&self, id: u8) -> Option<&AcceptedContext> {
        self.contexts.iter().find(|context| context.id == id)
    }

    /// A context that was looked at when its message began.
    pub(super) fn known_context(&self, id: u8) -> Result<&AcceptedContext, Ended> {
        self.context(id).ok_or(Ended::Defect { detail: "a message lost its presentation context" })
    }

    /// The context for objects of another one's abstract syntax, in explicit VR little endian, where there is one.
    pub(super) fn native_context(&self, other: &AcceptedContext) -> Option<u8> {
        let same = |context: &&AcceptedContext| context.abstract_syntax == other.abstract_syntax;
        let mut native = self.contexts.iter().filter(same);
        native
            .find(|context| context.transfer_syntax.as_str() == EXPLICIT_LITTLE_ENDIAN)
            .map(|context| context.id)
    }
}

/// The direction of what comes back.
pub(crate) fn opposite(direction: Direction) -> Direction {
    match direction {
        Direction::FromPeer => Direction::ToPeer,
        Direction::ToPeer => Direction::FromPeer,
    }
}

/// The side that messages of this direction come from.
pub(crate) fn sender(direction: Direction) -> Side {
    match direction {
        Direction::FromPeer => Side::Requestor,
        Direction::ToPeer => Side::Upstream,
    }
}
