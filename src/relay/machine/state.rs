//! What a half awaits in its message: one struct for each, whose `handle` consumes it and gives the next.
//!
//! ```text
//!            fragment            fragment, last             pace
//! Between ------------> InCommand ------------> AwaitsPace ------+   refused, with a data set
//!    ^  ^                   |                                    +----------------> Swallowed --+
//!    |  |                   | a response                         |                     ^        |
//!    |  |                   +------------------------------------+                     |        |
//!    |  |                                                        | a data set follows  | fails  |
//!    |  |     last                                               v                     |        |
//!    |  +--------------- AsItCame | Compared -> Observed | Queried | Rewritten --------+        |
//!    |                                                    |  ^                                  |
//!    |                                       a step asks  v  |  told                            |
//!    |                         AwaitsStored | AwaitsPixels | AwaitsOthers                       |
//!    +------------------------------------------------------------------------------------------+
//!                                                                            last: answered
//! ```
//!
//! A request or response that crosses a boundary without a data set waits in `RequestCrosses` or `ResponseCrosses` until
//! what its instance stands for is stored. Of a peer with a scope, `GathersRequest`
//! and `GathersAnswer` hold an identifier until it is judged, and `AwaitsLookUp` and `AwaitsJudged` wait for what the upstream says
//! of its study; `AwaitsConsent` waits for what a server says of its patient. `Ending` is left behind by what ends the association once it is written.

use super::admitted::AwaitsPace;
use super::as_it_came::AsItCame;
use super::command_set::{Between, InCommand};
use super::compared::{Compared, Observed};
use super::consented::AwaitsConsent;
use super::crossing::{RequestCrosses, ResponseCrosses};
use super::desk::Context;
use super::ended::Ended;
use super::queried::Queried;
use super::rewritten::Rewritten;
use super::scoped::{AwaitsJudged, AwaitsLookUp, GathersAnswer, GathersRequest};
use super::stepping::{AwaitsOthers, AwaitsPixels, AwaitsStored};
use super::swallowed::Swallowed;
use super::want::Learned;
use crate::wire::Kind;

/// A piece of a message; `range` is where its bytes lie in the inbox.
pub(super) struct Came {
    pub context_id: u8,
    pub kind: Kind,
    pub range: std::ops::Range<usize>,
    pub last: bool,
}

/// Why a half does not go on.
pub(super) struct Break {
    pub ended: Box<Ended>,
    /// Whole messages before it go on, as they do if they come in another read.
    pub is_between_messages: bool,
}

impl Break {
    pub(super) fn between(ended: Ended) -> Self {
        Self { ended: Box::new(ended), is_between_messages: true }
    }

    pub(super) fn inside(ended: Ended) -> Self {
        Self { ended: Box::new(ended), is_between_messages: false }
    }
}

pub(super) type Next = Result<State, Break>;

pub(super) enum State {
    Between(Between),
    InCommand(InCommand),
    AwaitsPace(AwaitsPace),
    AsItCame(Box<AsItCame>),
    Compared(Box<Compared>),
    Queried(Box<Queried>),
    Observed(Box<Observed>),
    Rewritten(Box<Rewritten>),
    AwaitsStored(Box<AwaitsStored>),
    AwaitsPixels(Box<AwaitsPixels>),
    AwaitsOthers(Box<AwaitsOthers>),
    RequestCrosses(Box<RequestCrosses>),
    ResponseCrosses(Box<ResponseCrosses>),
    GathersRequest(Box<GathersRequest>),
    AwaitsLookUp(Box<AwaitsLookUp>),
    GathersAnswer(Box<GathersAnswer>),
    AwaitsJudged(Box<AwaitsJudged>),
    AwaitsConsent(Box<AwaitsConsent>),
    Swallowed(Box<Swallowed>),
    Ending(Box<Ended>),
}

impl State {
    pub(super) const BETWEEN: Self = Self::Between(Between);

    pub(super) fn is_between(&self) -> bool {
        matches!(self, Self::Between(_))
    }

    /// Whether no more of the message is to come than has: between two, and from the end of a command set until it is known
    /// what becomes of it.
    pub(super) fn is_outside_message(&self) -> bool {
        matches!(
            self,
            Self::Between(_)
                | Self::AwaitsPace(_)
                | Self::RequestCrosses(_)
                | Self::ResponseCrosses(_)
                | Self::AwaitsLookUp(_)
                | Self::AwaitsJudged(_)
                | Self::Ending(_)
        )
    }

    /// Whether bytes are what it awaits, or nothing.
    pub(super) fn takes_bytes(&self) -> bool {
        match self {
            Self::Between(_)
            | Self::InCommand(_)
            | Self::AsItCame(_)
            | Self::Compared(_)
            | Self::Queried(_)
            | Self::Observed(_)
            | Self::Rewritten(_)
            | Self::GathersRequest(_)
            | Self::GathersAnswer(_)
            | Self::Swallowed(_)
            | Self::Ending(_) => true,
            Self::AwaitsPace(_)
            | Self::AwaitsStored(_)
            | Self::AwaitsPixels(_)
            | Self::AwaitsOthers(_)
            | Self::RequestCrosses(_)
            | Self::ResponseCrosses(_)
            | Self::AwaitsLookUp(_)
            | Self::AwaitsJudged(_)
            | Self::AwaitsConsent(_) => false,
        }
    }

    /// Passes on a fragment in the middle of a data set that nobody looks at, which nearly all bytes are of: there is nothing
    /// to decide and nothing to wait for. `false`: it was not one.
    pub(super) fn passes_on(&mut self, cx: &mut Context<'_>, came: &Came) -> bool {
        let passage = match self {
            Self::Observed(observed) if !observed.wants_more() => &mut observed.passage,
            Self::AsItCame(relayed) if relayed.identifier.is_none() => &mut relayed.passage,
            _ => return false,
        };
        let is_of_it = passage.context_id == came.context_id && came.kind == Kind::DataSet;
        let passes = is_of_it && !came.last && !came.range.is_empty();
        if passes {
            passage.bytes += came.range.len() as u64;
            cx.desk.pass(came.range.clone());
        }
        passes
    }

    /// A piece of a message has come.
    pub(super) fn handle(self, cx: &mut Context<'_>, came: &Came) -> Next {
        match self {
            Self::Between(state) => state.handle(cx, came),
            Self::InCommand(state) => state.handle(cx, came),
            Self::AsItCame(state) => state.handle(cx, came),
            Self::Compared(state) => state.handle(cx, came),
            Self::Queried(state) => state.handle(cx, came),
            Self::Observed(state) => state.handle(cx, came),
            Self::Rewritten(state) => state.handle(cx, came),
            Self::GathersRequest(state) => state.handle(cx, came),
            Self::GathersAnswer(state) => state.handle(cx, came),
            Self::Swallowed(state) => state.handle(cx, came),
            _ => Err(Break::inside(Ended::Defect { detail: "bytes were taken while an answer was awaited" })),
        }
    }

    /// What was asked is answered.
    pub(super) fn learns(self, cx: &mut Context<'_>, learned: Learned) -> Next {
        match (self, learned) {
            (Self::AwaitsPace(state), Learned::Now) => state.handle(cx),
            (Self::AwaitsOthers(state), Learned::Now) => state.handle(cx),
            (Self::AwaitsStored(state), Learned::Stored(stored)) => state.handle(cx, stored),
            (Self::AwaitsPixels(state), Learned::Pixels(pixels)) => state.handle(cx, pixels),
            (Self::RequestCrosses(state), Learned::Stored(stored)) => state.handle(cx, stored),
            (Self::ResponseCrosses(state), Learned::Stored(stored)) => state.handle(cx, stored),
            (Self::AwaitsLookUp(state), Learned::LookedUp(found)) => state.handle(cx, found),
            (Self::AwaitsJudged(state), Learned::LookedUp(found)) => state.handle(cx, found),
            (Self::AwaitsConsent(state), Learned::Consented(consented)) => state.handle(cx, consented),
            _ => Err(Break::inside(Ended::Defect { detail: "an answer came that nobody awaits" })),
        }
    }

    /// Packs what has come of a data set before it is written, or keeps it where its command set still waits.
    pub(super) fn pack(&self, cx: &mut Context<'_>) -> Result<(), Ended> {
        match self {
            Self::AsItCame(state) => cx.pack(state.passage.to_context_id, false),
            Self::Observed(state) => cx.pack(state.passage.to_context_id, false),
            Self::Compared(_) | Self::Queried(_) => cx.desk.keep_spans(),
            Self::Rewritten(state) => state.pack(cx),
            _ => Ok(()),
        }
    }

    /// A command set that came alone waits for the first of its data set: two writes would wake the other side twice. Where a
    /// data set is looked at before its command set goes, the command set never goes alone; what is packed meanwhile belongs to
    /// the message before, and waits for nothing.
    pub(super) fn waits_for_a_data_set(&self) -> bool {
        matches!(self, Self::AsItCame(state) if state.passage.bytes == 0)
    }
}
