//! A data set that takes more than a moment: one that is inflated, whose pixels are decoded, or whose pseudonyms have to be
//! remembered first. What a step puts out is on its way before the next one begins, and others have their turn in between.

use std::ops::Range;

use super::desk::Context;
use super::rewritten::Rewritten;
use super::state::{Break, Next, State};
use super::want::Question;
use crate::crosswalk::NotStored;
use crate::rewrite::{Pixels, RewriteError, Step};

/// A fragment that is being worked on: where it lies in the inbox, up to where it is read, and whether the data set ends
/// with it.
pub(super) struct Part {
    pub range: Range<usize>,
    pub at: usize,
    pub last: bool,
}

/// What was made of the data set is being remembered.
pub(super) struct AwaitsStored {
    pub data: Box<Rewritten>,
    pub then: Then,
}

pub(super) enum Then {
    /// The fragment is taken.
    Taken { last: bool },
    /// There are more steps.
    Step(Part),
}

/// The pixels of a frame are awaited.
pub(super) struct AwaitsPixels {
    data: Box<Rewritten>,
    part: Part,
}

/// A step is on its way, and others of the thread have their turn before the next one.
pub(super) struct AwaitsOthers {
    data: Box<Rewritten>,
    part: Part,
}

impl Rewritten {
    /// Asks what a step needs.
    pub(super) fn between_steps(self: Box<Self>, cx: &mut Context<'_>, part: Part, step: Step) -> Next {
        match step {
            Step::Done | Step::More => self.send_step(cx, part),
            Step::Frame(frame) => {
                // Nothing of this message has gone out: whoever has to say something there need not wait too.
                let is_held = self.held.is_some();
                (cx.desk.writes, cx.desk.gives_back) = (is_held, is_held);
                cx.ask(Question::Decode(frame));
                Ok(State::AwaitsPixels(Box::new(AwaitsPixels { data: self, part })))
            }
        }
    }

    fn send_step(mut self: Box<Self>, cx: &mut Context<'_>, part: Part) -> Next {
        if self.may_go() {
            if self.asks_to_store(cx) {
                let then = Then::Step(part);
                return Ok(State::AwaitsStored(Box::new(AwaitsStored { data: self, then })));
            }
            self.release(cx);
        }
        self.step_sent(cx, part)
    }

    fn step_sent(self: Box<Self>, cx: &mut Context<'_>, part: Part) -> Next {
        self.pack(cx).map_err(Break::inside)?;
        cx.desk.writes = true;
        cx.ask(Question::Others);
        Ok(State::AwaitsOthers(Box::new(AwaitsOthers { data: self, part })))
    }
}

impl AwaitsStored {
    pub(super) fn handle(self, cx: &mut Context<'_>, stored: Result<(), NotStored>) -> Next {
        let Self { mut data, then } = self;
        let stored = stored.map_err(not_stored);
        match (then, stored) {
            (Then::Taken { last } | Then::Step(Part { last, .. }), Err(error)) => {
                Ok(data.fail(cx, &error, last))
            }
            (Then::Taken { last }, Ok(())) => data.go_on(cx, last),
            (Then::Step(part), Ok(())) => {
                data.release(cx);
                data.step_sent(cx, part)
            }
        }
    }
}

impl AwaitsPixels {
    pub(super) fn handle(self, cx: &mut Context<'_>, pixels: Pixels) -> Next {
        let Self { mut data, part } = self;
        match data.transform.decoded(pixels) {
            Ok(()) => data.step(cx, part),
            Err(error) => Ok(data.fail(cx, &error, part.last)),
        }
    }
}

impl AwaitsOthers {
    pub(super) fn handle(self, cx: &mut Context<'_>) -> Next {
        let Self { data, part } = self;
        cx.desk.trim();
        data.step(cx, part)
    }
}

/// What is not remembered must not go out.
pub(super) fn not_stored(not_stored: NotStored) -> RewriteError {
    match not_stored {
        NotStored::Unavailable => RewriteError::not_remembered(),
        NotStored::Taken => RewriteError::pseudonym_taken(),
    }
}
