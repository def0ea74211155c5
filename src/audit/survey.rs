//! A look back over the last lines of a trail: up to where it is signed, and whether it ends as its head says.

use super::chain::LineHash;
use super::head::Head;
use super::signing::{self, PublicKey, Purpose, Signature};
use super::verify::line;
use crate::vocabulary::HeadFound;
use serde::Deserialize;
use std::ops::ControlFlow;
use time::OffsetDateTime;

pub(super) struct Survey {
    wanted: Option<Head>,
    keys: Vec<PublicKey>,
    /// Lines that were looked at.
    pub lines: u64,
    checkpoint: Option<Found>,
    /// Lines behind the last checkpoint.
    pub behind: u64,
    /// What became of the record that the head names.
    pub named: HeadFound,
    decided: bool,
    /// Of the last record.
    pub last_time: Option<OffsetDateTime>,
}

struct Found {
    sequence: u64,
    by: Option<String>,
    last: bool,
}

#[derive(Deserialize)]
struct Checkpoint {
    key: String,
    #[serde(default)]
    last: bool,
}

impl Survey {
    pub(super) fn new(wanted: Option<Head>, keys: &[PublicKey]) -> Self {
        Self {
            wanted,
            keys: keys.to_vec(),
            lines: 0,
            checkpoint: None,
            behind: 0,
            // Where no line decides otherwise, there is none.
            named: HeadFound::Cut,
            decided: wanted.is_none(),
            last_time: None,
        }
    }

    /// The line before those that were looked at.
    pub(super) fn look(&mut self, line: &[u8]) -> ControlFlow<()> {
        self.lines = self.lines.saturating_add(1);
        let Some(head) = line::parse(line) else {
            self.behind = self.behind.saturating_add(u64::from(self.checkpoint.is_none()));
            return ControlFlow::Continue(());
        };
        if self.last_time.is_none() {
            self.last_time = super::recovery::time_of(line);
        }
        if self.checkpoint.is_none() {
            self.checkpoint =
                if head.event == signing::CHECKPOINT { self.found(line, head.sequence) } else { None };
            self.behind = self.behind.saturating_add(u64::from(self.checkpoint.is_none()));
        }
        self.compare(line, head.sequence);
        match self.decided && self.checkpoint.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn found(&self, line: &[u8], sequence: u64) -> Option<Found> {
        let Checkpoint { key, last } = serde_json::from_slice(line).ok()?;
        match signing::check(Purpose::Checkpoint, line, &self.keys) {
            Signature::Good | Signature::Unchecked => Some(Found { sequence, by: None, last }),
            Signature::OtherKey(_) => Some(Found { sequence, by: Some(key), last }),
            Signature::Wrong | Signature::None => None,
        }
    }

    fn compare(&mut self, line: &[u8], sequence: u64) {
        let Some(wanted) = self.wanted.filter(|wanted| !self.decided && sequence <= wanted.sequence) else {
            return;
        };
        self.decided = true;
        if sequence == wanted.sequence {
            let fits = LineHash::of(line) == wanted.sha256;
            self.named = if fits { HeadFound::Fits } else { HeadFound::Differs };
        }
    }

    /// What is before is not looked at.
    pub(super) fn cut_short(&mut self) {
        if !self.decided {
            (self.decided, self.named) = (true, HeadFound::NotCompared);
        }
    }

    pub(super) fn finish(&mut self) {
        self.decided = true;
    }

    /// Up to where the trail is signed, by which other key, and whether a run ended there.
    pub(super) fn signed(&self) -> (Option<u64>, Option<String>, bool) {
        match &self.checkpoint {
            None => (None, None, false),
            Some(found) => (Some(found.sequence), found.by.clone(), found.last && self.behind == 0),
        }
    }
}
