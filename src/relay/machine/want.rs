//! What the machine wants of whoever drives it.

use std::num::NonZeroU32;

use super::books::Entry;
use super::ended::{Ended, Side};
use super::terms::Consented;
use crate::crosswalk::NotStored;
use crate::patients::Patient;
use crate::rewrite::{Correspondence, Frame, Pixels};

/// What one half wants next. [`Machine::next`](super::Machine::next) says the same again until it is told that it is done;
/// a record, a question and the end are handed out once.
pub(crate) enum Want {
    /// Bytes into the inbox. In a message or PDU that is `unfinished`, what came is acknowledged before that is waited for.
    Read {
        unfinished: bool,
    },
    /// [What is packed](super::Machine::outgoing) written to this side.
    Write(Side),
    /// The turn at a side, which the other half has. It wants to be asked again once that has gone on. Whether the wait is
    /// one for dimsegate itself.
    Turn {
        is_ours: bool,
    },
    /// This written down.
    Record(Entry),
    Ask(Question),
    /// The answer to what was handed out.
    Answer,
    /// Nothing any more: the other half tells how the association ends.
    Nothing,
    /// The association is over.
    End(Ended),
}

/// What a state has to know before it goes on.
pub(crate) enum Question {
    /// When so many bytes more are within the peer's rate.
    PaceOfBytes(usize),
    /// When one more operation is.
    PaceOfOperations,
    /// Whether these are remembered. Until then nothing goes out that was made of them.
    Store(Vec<Correspondence>),
    /// What the pixels of a frame are.
    Decode(Box<Frame>),
    /// Whether all that a request names is within the scope of its peer, by what the upstream says.
    LookUp(LookUp),
    /// Whether these are among the patients that there may be today; from then on they are.
    Count(Count),
    /// Whether this patient has consented.
    Consent(Box<crate::consent::Who>),
    /// When others have had their turn.
    Others,
}

/// Patients who are to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub whom: Whom,
    /// How many there may be: for the peer, and for the user.
    pub most: [Option<NonZeroU32>; 2],
    /// Whether a C-FIND is to show them.
    pub of_query: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The one whom an answer is about.
    Patient(Patient),
    /// Those of what a request or an answer names, where that is within the scope.
    LookUp(LookUp),
}

/// What a request names, to be asked of the upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LookUp {
    /// Study Instance UIDs, at least one; none beside [`Below::Alone`].
    pub studies: Vec<String>,
    /// What it names below its one study.
    pub below: Option<Below>,
}

/// Whatever an archive takes for the study of a series is not what a request says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Below {
    /// Series Instance UIDs.
    Series(Vec<String>),
    Instances {
        /// A Series Instance UID.
        series: String,
        /// SOP Instance UIDs.
        instances: Vec<String>,
    },
    /// SOP Instance UIDs, of whatever studies they are.
    Alone(Vec<String>),
}

/// What looking up studies at the upstream came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LookedUp {
    /// All of it is there, and within the scope.
    Inside,
    /// Some of it is not, or is not known to be.
    Outside,
    /// The upstream could not be asked, or did not answer.
    NotKnown,
    /// It is, but there would be more patients than there may be.
    TooMany,
    /// It is, but whose it is could not be written down.
    NotCounted,
    /// It is, but a patient whose it is has not consented.
    NoConsent,
    /// It is, but nobody could say whether they have.
    ConsentNotKnown,
}

impl Question {
    /// Whether the wait is no stall of either side: it is dimsegate that slows the message down, or works.
    pub(crate) fn holds_up(&self) -> bool {
        !matches!(self, Self::Others)
    }
}

/// The answer to a [`Question`]. One of another kind is a defect.
pub(crate) enum Learned {
    /// To a pace, and to others: it is so now.
    Now,
    Stored(Result<(), NotStored>),
    Pixels(Pixels),
    LookedUp(LookedUp),
    Consented(Consented),
}
