//! A look back over the last lines of a trail: up to where it is signed, and whether it ends as its head says.
//!
//! The lines of a file that was compressed come forwards only, and may be more than memory holds: they are looked at in that
//! order, [`Ahead`], for the same result.

use super::head::Head;
use super::line_hash::LineHash;
use super::link;
use super::record::{Checkpoint, Span};
use super::signing::{self, PublicKey, Purpose, Signature};
use crate::vocabulary::HeadFound;
use std::ops::ControlFlow;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

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
        let Some(head) = link::parse(line) else {
            self.behind = self.behind.saturating_add(u64::from(self.checkpoint.is_none()));
            return ControlFlow::Continue(());
        };
        if self.last_time.is_none() {
            self.last_time = time_of(line);
        }
        if self.checkpoint.is_none() {
            self.checkpoint =
                if head.event == signing::CHECKPOINT { self.found(line, head.sequence) } else { None };
            self.behind = self.behind.saturating_add(u64::from(self.checkpoint.is_none()));
        }
        self.compare(line, head.sequence);
        self.flow()
    }

    fn found(&self, line: &[u8], sequence: u64) -> Option<Found> {
        let Checkpoint { key, last, .. } = serde_json::from_slice(line).ok()?;
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
        (self.decided, self.named) = (true, found_of(wanted, line, sequence));
    }

    /// Whether there is more to look for.
    fn flow(&self) -> ControlFlow<()> {
        match self.decided && self.checkpoint.is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    /// The lines of the file before those that were looked at, the first first.
    pub(super) fn ahead(&mut self) -> Ahead<'_> {
        Ahead { survey: self, lines: 0, behind: 0, checkpoint: None, named: None, last_time: None }
    }

    /// What is before is not looked at.
    pub(super) fn cut_short(&mut self) {
        if !self.decided {
            (self.decided, self.named) = (true, HeadFound::NotCompared);
        }
    }

    /// The file before those that were looked at is encrypted, and this was noted of it.
    pub(super) fn note(&mut self, noted: Option<Span>) {
        let Some(wanted) = self.wanted.filter(|_| !self.decided) else { return };
        let named = match noted {
            Some(noted) if wanted.sequence > noted.last => HeadFound::Cut,
            Some(noted) if wanted.sequence == noted.last => match wanted == Head::from(noted) {
                true => HeadFound::Fits,
                false => HeadFound::Differs,
            },
            // A day is encrypted when the next one has a line that the disk keeps: that is gone.
            None if self.lines == 0 => HeadFound::Cut,
            _ => HeadFound::NotCompared,
        };
        (self.decided, self.named) = (true, named);
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

/// A file whose lines are looked at from the first on: what of it a look from the last on would have found.
pub(super) struct Ahead<'s> {
    survey: &'s mut Survey,
    lines: u64,
    /// Lines behind its last checkpoint.
    behind: u64,
    checkpoint: Option<Found>,
    /// What its last line says that is not behind the record that the head names.
    named: Option<HeadFound>,
    last_time: Option<OffsetDateTime>,
}

impl Ahead<'_> {
    /// Takes the next line of the file, the last of which may be torn.
    pub(super) fn look(&mut self, line: &[u8]) {
        self.lines = self.lines.saturating_add(1);
        self.behind = self.behind.saturating_add(1);
        let Some(head) = link::parse(line) else { return };
        self.last_time = time_of(line).or(self.last_time);
        if head.event == signing::CHECKPOINT
            && let Some(found) = self.survey.found(line, head.sequence)
        {
            (self.checkpoint, self.behind) = (Some(found), 0);
        }
        if let Some(wanted) = self.survey.wanted.filter(|wanted| head.sequence <= wanted.sequence) {
            self.named = Some(found_of(wanted, line, head.sequence));
        }
    }

    /// Ends a file: what was seen in it counts for the whole survey.
    pub(super) fn end(self) -> ControlFlow<()> {
        let survey = self.survey;
        survey.lines = survey.lines.saturating_add(self.lines);
        survey.last_time = survey.last_time.or(self.last_time);
        if survey.checkpoint.is_none() {
            survey.behind = survey.behind.saturating_add(self.behind);
            survey.checkpoint = self.checkpoint;
        }
        if let Some(named) = self.named.filter(|_| !survey.decided) {
            (survey.decided, survey.named) = (true, named);
        }
        survey.flow()
    }
}

/// Of a line that is not behind the record that the head names.
fn found_of(wanted: Head, line: &[u8], sequence: u64) -> HeadFound {
    match sequence == wanted.sequence {
        true if LineHash::of(line) == wanted.sha256 => HeadFound::Fits,
        true => HeadFound::Differs,
        // The record itself is not there.
        false => HeadFound::Cut,
    }
}

/// When a record was made.
pub(super) fn time_of(line: &[u8]) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(link::parse(line)?.time, &Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::Survey;
    use crate::audit::LineHash;
    use crate::audit::chain::{Chain, Draft};
    use crate::audit::head::Head;
    use crate::audit::signing::SigningKey;
    use proptest::prelude::*;
    use time::OffsetDateTime;

    /// A record, a checkpoint of ours, of another key, and what is none.
    fn lines(kinds: &[u8], keys: &[SigningKey; 2]) -> Vec<Vec<u8>> {
        let mut draft = Draft::new(Chain::BEGINNING);
        for (second, kind) in (0..).zip(kinds) {
            let time = OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(second);
            match kind {
                0 => draft.checkpoint(time, &keys[0], second % 2 == 0),
                1 => draft.checkpoint(time, &keys[1], false),
                2 => draft.lines.extend_from_slice(b"{torn\n"),
                3 => draft.record(time, "checkpoint", br#"{"records":1,"key":"x","signature":"00"}"#),
                _ => draft.record(time, "x", b"{}"),
            }
        }
        let text = draft.lines.strip_suffix(b"\n").unwrap_or_default();
        text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_file_that_is_read_forwards_says_what_it_says_backwards(
            kinds in prop::collection::vec(0..9_u8, 1..30), named in 0..30_u64, fits in any::<bool>(), newer in 0..3_usize,
        ) {
            let keys = [(); 2].map(|()| SigningKey::generate().unwrap().0);
            let lines = lines(&kinds, &keys);
            let at = lines.iter().find(|line| super::link::parse(line).is_some_and(|head| head.sequence == named));
            let sha256 = at.filter(|_| fits).map_or(LineHash::NONE, |line| LineHash::of(line));
            let head = (named > 0).then_some(Head { sequence: named, sha256 });
            let survey = || {
                let mut survey = Survey::new(head, &[keys[0].public_key()]);
                // Of the file behind it.
                let over = lines.iter().rev().take(newer).any(|line| survey.look(line).is_break());
                (survey, over)
            };
            let rest = &lines[..lines.len().saturating_sub(newer)];
            let (mut backwards, over) = survey();
            let (mut forwards, _) = survey();
            if !over {
                let before = backwards.lines;
                let broke = rest.iter().rev().any(|line| backwards.look(line).is_break());
                let mut ahead = forwards.ahead();
                rest.iter().for_each(|line| ahead.look(line));
                prop_assert_eq!(ahead.end().is_break(), broke);
                prop_assert_eq!(forwards.lines > before, backwards.lines > before);
            }
            let said = |survey: &Survey| (survey.signed(), survey.behind, survey.named, survey.last_time);
            prop_assert_eq!(said(&forwards), said(&backwards));
        }
    }
}
