//! The bytes of a data set on their way to the rules: held back until the header is well-formed and what the rules have to
//! know is known, then read event by event, up to each that somebody else has to do something for.

use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::Source;
use super::super::lookahead::Lookahead;
use super::super::output::Output;
use super::super::step::Step;
use super::super::subject::Subject;
use super::Rewriting;
use super::waiting::Waited;
use crate::buffer::NoRoom;
use crate::dataset::{Looked, Raw, SOP_CLASS_UID, SOP_INSTANCE_UID, Tag};

impl Rewriting {
    /// Reads on from `at`, and moves it behind what was read.
    pub(in crate::rewrite) fn step(
        &mut self,
        input: &[u8],
        at: &mut usize,
        out: &mut Output,
    ) -> Result<Step, RewriteError> {
        let result = match self.send_decoded(out) {
            Ok(true) => Ok(Step::More),
            Ok(false) => self.step_in_order(input, at, out),
            Err(error) => Err(error),
        };
        result.map_err(|error| error.within(self.scanner.path()))
    }

    fn step_in_order(
        &mut self,
        input: &[u8],
        at: &mut usize,
        out: &mut Output,
    ) -> Result<Step, RewriteError> {
        self.check_refused()?;
        if let Some(mending) = &mut self.mending {
            let looked = mending.look(input.get(*at..).unwrap_or_default(), self.waits_in.as_ref())?;
            match looked {
                Looked::More => {
                    *at = input.len();
                    return Ok(Step::Done);
                }
                Looked::AsItCame(held) if held.is_empty() => self.mending = None,
                looked => {
                    *at = input.len();
                    self.mended(looked)?;
                }
            }
        }
        match self.step_ready(out)? {
            Step::Done => self.read_on(input, at, out),
            step => Ok(step),
        }
    }

    fn mended(&mut self, looked: Looked) -> Result<(), RewriteError> {
        self.mending = None;
        self.ready = match looked {
            Looked::NoRoom => return Err(no_room(NoRoom)),
            Looked::More => None,
            Looked::AsItCame(held) => Some((held, 0)),
            Looked::Mended(bytes, tolerated) => {
                self.notes.summary.tolerated = tolerated;
                Some((bytes, 0))
            }
        };
        Ok(())
    }

    /// What waited for the header.
    fn step_ready(&mut self, out: &mut Output) -> Result<Step, RewriteError> {
        let Some((bytes, mut at)) = self.ready.take() else { return Ok(Step::Done) };
        let mut early = Output::new();
        let step = self.read_on(&bytes, &mut at, &mut early)?;
        early.slices(&bytes).for_each(|slice| out.make(slice));
        if !matches!(step, Step::Done) {
            self.ready = Some((bytes, at));
        }
        Ok(step)
    }

    fn read_on(&mut self, input: &[u8], at: &mut usize, out: &mut Output) -> Result<Step, RewriteError> {
        if let Some(mut lookahead) = self.lookahead.take() {
            let looked = lookahead.look(input, *at);
            if !self.has_looked(looked)? {
                let more = input.get(*at..).unwrap_or_default();
                lookahead.held.append(more, self.waits_in.as_ref()).map_err(no_room)?;
                *at = input.len();
                self.lookahead = Some(lookahead);
                return Ok(Step::Done);
            }
            self.know(*lookahead)?;
        }
        match self.step_known(out)? {
            Step::Done => self.rewrite(input, at, out),
            step => Ok(step),
        }
    }

    /// What was held back until more was known, or a piece of it.
    fn step_known(&mut self, out: &mut Output) -> Result<Step, RewriteError> {
        let Some(mut waited) = self.known.take() else { return Ok(Step::Done) };
        let (piece, mut at) = waited.take_piece().map_err(no_room)?;
        let mut early = Output::new();
        let step = self.rewrite(&piece, &mut at, &mut early)?;
        early.slices(&piece).for_each(|slice| out.make(slice));
        match step {
            Step::Done if waited.is_over() => return Ok(Step::Done),
            Step::Done => {
                self.known = Some(waited);
                return Ok(Step::More);
            }
            Step::More | Step::Frame(_) => waited.put_back(piece, at),
        }
        self.known = Some(waited);
        Ok(step)
    }

    fn know(&mut self, mut lookahead: Lookahead) -> Result<(), RewriteError> {
        if let Some(image) = lookahead.image() {
            self.masking = self.masking_of(image)?;
        }
        if let Some(written) = lookahead.patient().transpose() {
            self.know_patient((written, &lookahead.issuer), &lookahead.set)?;
        }
        if lookahead.identifies() {
            self.know_identifiers(&lookahead.collected)?;
        }
        self.choose_set(&lookahead)?;
        self.known = Waited::new(std::mem::take(&mut lookahead.held));
        Ok(())
    }

    fn check_refused(&self) -> Result<(), RewriteError> {
        self.refused.map_or(Ok(()), |problem| Err(RewriteError::new(SOP_CLASS_UID, 0, problem)))
    }

    fn rewrite(&mut self, input: &[u8], at: &mut usize, out: &mut Output) -> Result<Step, RewriteError> {
        let step = self.read_events(input, at, out)?;
        self.current.leave_input(input);
        Ok(step)
    }

    fn read_events(&mut self, input: &[u8], at: &mut usize, out: &mut Output) -> Result<Step, RewriteError> {
        loop {
            // Nearly all that comes is an element's header or its value.
            if let Some((range, rest)) = self.scanner.value(input, at) {
                if self.skipping.is_none() {
                    self.value(Source::Input(range), rest, input, out)?;
                }
            } else if let Some((header, range)) = self.scanner.plain(input, at) {
                if self.skipping.is_none() {
                    self.element(header, Raw::Input(range), input, out)?;
                }
            } else if let Some(event) = self.scanner.next(input, at)? {
                self.event(event, input, out)?;
            } else {
                return Ok(Step::Done);
            }
            if self.pending.is_some()
                && let Some(step) = self.pending.take()
            {
                return Ok(step);
            }
        }
    }

    /// Reads what was held back to the end, and says that nothing follows.
    pub(in crate::rewrite) fn finish_step(&mut self, out: &mut Output) -> Result<Step, RewriteError> {
        let result = match self.send_decoded(out) {
            Ok(true) => Ok(Step::More),
            Ok(false) => self.finish_in_order(out),
            Err(error) => Err(error),
        };
        result.map_err(|error| error.within(self.scanner.path()))
    }

    fn finish_in_order(&mut self, out: &mut Output) -> Result<Step, RewriteError> {
        self.check_refused()?;
        if let Some(mending) = self.mending.take() {
            let looked = mending.finish()?;
            self.mended(looked)?;
        }
        let step = self.step_ready(out)?;
        if !matches!(step, Step::Done) {
            return Ok(step);
        }
        if let Some(lookahead) = self.lookahead.take() {
            lookahead.finish()?;
            self.know(*lookahead)?;
        }
        match self.step_known(out)? {
            Step::Done => self.finish(out).map(|()| Step::Done),
            step => Ok(step),
        }
    }

    fn finish(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        self.scanner.finish()?;
        self.notes.summary.tolerated.add(self.scanner.tolerated());
        self.check_pixels(None)?;
        self.check_masked()?;
        if !self.notes.instance_seen {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
        self.check_named()?;
        self.put_issuer(Tag(u16::MAX, u16::MAX), out)?;
        if self.subject == Subject::Keys {
            self.notes.about(self.facts.about.take());
        }
        self.bulk_seen = true;
        self.add_before(u32::MAX, out)
    }
}

/// What waits has to be held, and there is no room for it.
fn no_room(NoRoom: NoRoom) -> RewriteError {
    RewriteError::whole(RewriteProblem::NoRoomForHeader)
}
