//! What one half of a relay writes: plans of whole PDUs, over the bytes that it read and those that a rewrite made.

use super::association::{opposite, sender};
use super::ended::Ended;
use super::phase::{DataSet, Fate, Phase};
use super::pump::Half;
use crate::rewrite::Piece;
use crate::wire::{Packer, Source, Span};

impl Half<'_> {
    /// The packer of the leg that this direction goes to; kept until the next flush between two messages.
    pub(super) async fn lock(&mut self) -> &mut Packer {
        let packer = self.association.packer(self.direction);
        match self.writer.take() {
            Some(writer) => self.writer.insert(writer),
            None => self.writer.insert(match packer.try_lock() {
                Ok(writer) => writer,
                Err(_) => Box::pin(packer.lock()).await,
            }),
        }
    }

    /// Notes where the transform's latest output lies; `start` is where its input began in the inbox.
    pub(super) fn take_pieces(&mut self, start: usize) {
        let spans = self.output.pieces.drain(..).map(|piece| match piece {
            Piece::Input(range) => {
                Span { source: Source::Input, range: start + range.start..start + range.end }
            }
            Piece::Made(range) => Span { source: Source::Made, range },
        });
        self.spans.extend(spans);
    }

    /// Writes what this turn produced.
    pub(super) async fn flush(&mut self) -> Result<(), Ended> {
        self.pack();
        if !self.waits_for_a_data_set() {
            self.write().await?;
        }
        if self.phase.is_idle()
            && let Some(mut writer) = self.writer.take()
        {
            writer.shrink();
        }
        let under_way =
            !self.phase.is_idle() || self.deframer.is_inside_pdu() || !self.inbox.unread().is_empty();
        self.association.progress.under_way(self.association.movement(self.direction), under_way);
        Ok(())
    }

    /// A command set that came alone waits for the first of its data set: two writes would wake the other side twice.
    fn waits_for_a_data_set(&self) -> bool {
        matches!(&self.phase, Phase::DataSet(DataSet { bytes: 0, fate: Fate::Relay(_), .. }))
            && self.writer.as_ref().is_some_and(|writer| writer.has_a_command_alone())
    }

    /// Writes the plan, if there is one.
    pub(super) async fn write(&mut self) -> Result<(), Ended> {
        let Some(writer) = self.writer.as_mut() else { return Ok(()) };
        if !writer.plan().is_empty() {
            let (association, direction) = (self.association, self.direction);
            let moved = || association.progress.moved(association.movement(direction));
            let to = association.to(direction);
            to.write_plan(writer, self.inbox.all(), &self.output.made, moved)
                .await
                .map_err(|error| Ended::lost(sender(opposite(direction)), &error))?;
            writer.clear();
        }
        if self.spans.is_empty() {
            self.output.clear();
        }
        Ok(())
    }

    pub(super) async fn pass_on(&mut self, pdu: &[u8]) -> Result<(), Ended> {
        self.lock().await.pdu(pdu);
        self.flush().await
    }

    /// Hands the spans of this turn to the packer; while the command is held back, keeps their bytes instead.
    pub(super) fn pack(&mut self) {
        let Phase::DataSet(state) = &self.phase else { return };
        let context_id = state.to_context_id;
        match &state.fate {
            Fate::Relay(relayed) if relayed.is_held() => self.keep_spans(),
            Fate::Relay(_) => self.pack_data_set(context_id, false),
            Fate::Swallow { .. } => {}
        }
    }

    pub(super) fn pack_data_set(&mut self, context_id: u8, last: bool) {
        if let Some(writer) = self.writer.as_mut() {
            writer.data_set(context_id, &self.spans, self.inbox.all(), &self.output.made, last);
        }
        self.spans.clear();
    }

    /// The inbox will be filled again, so what has to wait moves out of it.
    fn keep_spans(&mut self) {
        let inbox = self.inbox.all();
        for span in self.spans.iter_mut().filter(|span| span.source == Source::Input) {
            let start = self.output.made.len();
            self.output.made.extend_from_slice(inbox.get(span.range.clone()).unwrap_or_default());
            *span = Span { source: Source::Made, range: start..self.output.made.len() };
        }
    }

    /// Answers the sender of a request with a response of dimsegate's own.
    pub(super) async fn answer(&mut self, context_id: u8, response: &[u8]) -> Result<(), Ended> {
        self.write().await?;
        self.writer = None;
        let (association, back) = (self.association, opposite(self.direction));
        let mut packer = self.paced(association.packer(back).lock()).await;
        packer.command(context_id, response);
        let moved = || association.progress.moved(association.movement(self.direction));
        association
            .to(back)
            .write_plan(&packer, &[], &[], moved)
            .await
            .map_err(|error| Ended::lost(sender(self.direction), &error))?;
        packer.clear();
        Ok(())
    }
}
