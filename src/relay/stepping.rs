//! Data sets that take more than a moment: those that are inflated, and those whose pixels are decoded. What a step puts out
//! is on its way before the next one begins, and others have their turn in between.

use std::ops::Range;

use super::ended::Ended;
use super::phase::{DataSet, Fate, Phase, Relayed};
use super::pump::Half;
use crate::rewrite::{Output, RewriteError, Step};

/// Bytes that are kept for what the next step makes.
const MADE_KEPT: usize = 1 << 20;

impl Half<'_> {
    /// Takes every step for the fragment that lies in `range`, read up to `at`; `step` is what came of the last one.
    pub(super) async fn in_steps(
        &mut self,
        range: Range<usize>,
        mut at: usize,
        mut step: Step,
        last: bool,
    ) -> Result<(), Ended> {
        let result = loop {
            if let Err(error) = self.between_steps(step).await? {
                break Err(error);
            }
            match self.next_step(&range, &mut at, last) {
                Ok(Step::Done) => break Ok(()),
                Ok(next) => step = next,
                Err(error) => break Err(error),
            }
        };
        self.data_taken(result, last).await
    }

    pub(super) fn next_step(
        &mut self,
        range: &Range<usize>,
        at: &mut usize,
        last: bool,
    ) -> Result<Step, RewriteError> {
        let Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) = &mut self.phase else {
            return Ok(Step::Done);
        };
        let input = self.inbox.all().get(range.clone()).unwrap_or_default();
        let mut step = relayed.transform.step(input, at, &mut self.output);
        if last && matches!(step, Ok(Step::Done)) {
            step = relayed.transform.finish_step(&mut self.output);
        }
        self.take_pieces(range.start);
        step
    }

    /// Does what a step asks for, sends what it put out, and lets others have their turn.
    async fn between_steps(&mut self, step: Step) -> Result<Result<(), RewriteError>, Ended> {
        match step {
            Step::Done | Step::More => {}
            Step::Room(bytes) => self.wait_for_room(bytes).await?,
            Step::Frame(frame) => {
                let Some(relayed) = self.relayed() else { return Ok(Ok(())) };
                let room = relayed.rewritten.as_ref().and_then(|rewritten| rewritten.room.clone());
                let pixels = self.paced(self.association.gate.decoders.decode(frame, room)).await;
                let Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) = &mut self.phase else {
                    return Ok(Ok(()));
                };
                let taken = relayed.transform.decoded(pixels, &mut self.output);
                self.take_pieces(0);
                if taken.is_err() {
                    return Ok(taken);
                }
            }
        }
        if self.relayed().is_some_and(|relayed| relayed.transform.settled()) {
            if let Err(error) = self.remember().await {
                return Ok(Err(error));
            }
            self.release_held().await?;
        }
        self.pack();
        self.write().await?;
        if self.spans.is_empty() && self.output.made.capacity() > MADE_KEPT {
            self.output = Output::default();
        }
        tokio::task::yield_now().await;
        Ok(Ok(()))
    }

    async fn wait_for_room(&mut self, bytes: u64) -> Result<(), Ended> {
        if self.relayed().is_some_and(|relayed| relayed.is_held()) {
            // Nothing of this message has gone out: whoever has to say something on that leg need not wait too.
            self.write().await?;
            self.writer = None;
        }
        let room = self.paced(self.association.gate.decoders.room(bytes)).await;
        if let Some(rewritten) = self.relayed().and_then(|relayed| relayed.rewritten.as_mut()) {
            rewritten.room = room;
        }
        Ok(())
    }

    fn relayed(&mut self) -> Option<&mut Relayed> {
        match &mut self.phase {
            Phase::DataSet(DataSet { fate: Fate::Relay(relayed), .. }) => Some(relayed),
            _ => None,
        }
    }
}
