//! Follows the chain line by line, and says where it does not hold.
//!
//! A line is judged when the one after it is known: its number, the hash that it names, and the hash that the next one
//! names for it tell an edited line from one that is missing, moved or put in.

use super::super::head::Head;
use super::super::line_hash::LineHash;
use super::super::signing::Signature;
use super::damage::{Break, Damage, Place};
use super::evidence::{Kind, Line, Record};
use super::gaps::{Finding, Gaps};
use super::proof::{Adopted, Proof};

/// Most breaks that are kept; more are counted.
const MOST_BREAKS: usize = 1000;

/// Follows the chain of hashes through all files, from the first line to the last.
pub(super) struct Walk {
    /// The number that comes next.
    next: u64,
    /// The hash that the next line has to name; `None` where that is not known.
    head: Option<LineHash>,
    /// Lines that were not read stand before the next.
    skipped: bool,
    last: Option<Place>,
    held: Option<Line>,
    gaps: Gaps,
    proof: Proof,
    pub breaks: Vec<Break>,
    pub more_breaks: u64,
    pub records: u64,
    pub checkpoints: u64,
}

impl Walk {
    /// Believes nothing that is not signed, where it is to be `signed`. What the runs up to record `seen` said of
    /// themselves is known to whoever asks.
    pub(super) fn new(signed: bool, seen: u64) -> Self {
        Self {
            next: 1,
            head: Some(LineHash::NONE),
            skipped: false,
            last: None,
            held: None,
            gaps: Gaps::default(),
            proof: Proof::new(signed, seen),
            breaks: Vec::new(),
            more_breaks: 0,
            records: 0,
            checkpoints: 0,
        }
    }

    /// Takes the next line; the one before is judged now, since only what follows tells whether it was torn.
    pub(super) fn line(&mut self, line: Line) {
        if let Some(held) = self.held.replace(line) {
            let after = self.held.take();
            self.settle(held, after.as_ref());
            self.held = after;
        }
    }

    /// A file that is not read stands here; where it was noted how it `ends`, the lines behind it go on from that.
    pub(super) fn skip(&mut self, place: Place, ends: Option<Head>) {
        if let Some(held) = self.held.take() {
            self.settle(held, None);
        }
        match ends {
            None => self.skipped = true,
            Some(end) => {
                self.skipped = false;
                self.accept(place, end.sequence, end.sha256);
            }
        }
    }

    /// No more lines: gaps that deletions account for are none.
    pub(super) fn finish(&mut self) {
        if let Some(held) = self.held.take() {
            self.settle(held, None);
        }
        let strayed = self.gaps.end_stray();
        self.all_broken(strayed);
        for place in self.proof.unproven_tears() {
            self.broken(place, None, Damage::NotARecord);
        }
        let left = self.gaps.left(|accounted| self.proof.deleted().any(accounted));
        self.all_broken(left);
    }

    /// Up to where signatures and witnesses vouch for the lines so far.
    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Lines that a crash tore.
    pub(super) fn torn(&self) -> Vec<Place> {
        self.proof.torn().to_vec()
    }

    /// Records that a run took over without a signature.
    pub(super) fn adopted(&self) -> &[Adopted] {
        self.proof.adopted()
    }

    /// Whether what was not read stands behind the last line, and nobody knows how it ends.
    pub(super) fn ends_unread(&self) -> bool {
        self.skipped
    }

    /// Whether a deletion accounts for this record.
    pub(super) fn is_deleted(&self, number: u64) -> bool {
        self.proof.deleted().any(|span| (span.first..=span.last).contains(&number))
    }

    pub(super) fn broken(&mut self, place: Place, sequence: Option<u64>, damage: Damage) {
        match self.breaks.len() < MOST_BREAKS {
            true => self.breaks.push(Break { place, sequence, damage }),
            false => self.more_breaks = self.more_breaks.saturating_add(1),
        }
    }

    fn all_broken(&mut self, found: Vec<Finding>) {
        found.into_iter().for_each(|(place, sequence, damage)| self.broken(place, sequence, damage));
    }

    fn settle(&mut self, line: Line, after: Option<&Line>) {
        let Some(record) = &line.record else { return self.settle_garbage(line, after) };
        self.observe(&line.place, record);
        let (number, previous) = (record.sequence, record.previous);
        let follows = number == self.next;
        let fits = self.head.is_none_or(|head| head == previous);
        if std::mem::take(&mut self.skipped) && number >= self.next {
            return self.accept(line.place, number, line.hash);
        }
        match (follows, fits) {
            (true, true) => self.accept(line.place, number, line.hash),
            (true, false) => self.settle_unlinked(line, number, after),
            (false, true) if self.head.is_some() => self.settle_renumbered(line, number, after),
            (false, _) => self.settle_elsewhere(line, (number, previous), after),
        }
    }

    /// The number is right, and the line before is not the one that it names.
    fn settle_unlinked(&mut self, line: Line, number: u64, after: Option<&Line>) {
        match line.named_otherwise(number, after) {
            Some(named) => {
                self.broken(line.place.clone(), Some(number), Damage::EditedHereOrBefore);
                self.accept(line.place, number, named);
            }
            None => {
                let (place, at) = match self.last.clone() {
                    Some(before) => (before, number.saturating_sub(1)),
                    None => (line.place.clone(), number),
                };
                self.broken(place, Some(at), Damage::Edited);
                self.accept(line.place, number, line.hash);
            }
        }
    }

    /// The line before is the one that it names, and the number is another.
    fn settle_renumbered(&mut self, line: Line, number: u64, after: Option<&Line>) {
        let expected = self.next;
        self.broken(line.place.clone(), Some(number), Damage::Renumbered { expected });
        match line.named_otherwise(expected, after) {
            Some(named) => self.accept(line.place, expected, named),
            None if line.is_chained(number, after) => self.accept(line.place, number, line.hash),
            None => self.accept(line.place, expected, line.hash),
        }
    }

    /// Neither the number nor the line before is right.
    fn settle_elsewhere(&mut self, line: Line, (number, previous): (u64, LineHash), after: Option<&Line>) {
        let expected = self.next;
        if let Some(named) = line.named_otherwise(expected, after) {
            self.broken(line.place.clone(), Some(expected), Damage::Replaced { says: number });
            self.accept(line.place, expected, named);
        } else if number == 1 && previous == LineHash::NONE && !self.gaps.has_no_beginning() {
            self.broken(line.place.clone(), Some(1), Damage::BeginsAnew);
            self.accept(line.place, number, line.hash);
        } else if number > expected {
            self.gaps.open(expected..=number - 1, line.place.clone(), previous);
            self.accept(line.place, number, line.hash);
        } else {
            let strayed = self.gaps.stray(line, number, previous);
            self.all_broken(strayed);
        }
    }

    /// Torn by a crash, where the next line says so; else edited, or put in.
    fn settle_garbage(&mut self, line: Line, after: Option<&Line>) {
        let expected = self.next;
        let Some((next, record)) = after.and_then(|next| Some((next, next.record.as_ref()?))) else {
            self.broken(line.place.clone(), Some(expected), Damage::NotARecord);
            // What comes then can only be judged by its number.
            self.accept(line.place, expected, line.hash);
            self.head = None;
            return;
        };
        let chained = record.previous == line.hash;
        let recovered = record.kind.is_recovery();
        if chained && recovered && (record.sequence == expected.saturating_add(1) || self.skipped) {
            self.proof.tore(line.place.clone());
            self.skipped = false;
            self.accept(line.place, record.sequence.saturating_sub(1), line.hash);
            return;
        }
        self.broken(line.place.clone(), None, Damage::NotARecord);
        let inserted = record.sequence == expected && self.head == Some(record.previous);
        if inserted {
            return;
        }
        if chained {
            self.accept(line.place, record.sequence.saturating_sub(1), line.hash);
        } else if record.sequence == expected.saturating_add(1) {
            self.accept(line.place, expected, record.previous);
        } else {
            // Lines are missing as well, or the next is out of place.
            let _ = next;
            self.last = Some(line.place);
        }
    }

    fn accept(&mut self, place: Place, number: u64, hash: LineHash) {
        let strayed = self.gaps.end_stray();
        self.all_broken(strayed);
        self.next = number.saturating_add(1);
        self.head = Some(hash);
        self.last = Some(place);
    }

    fn observe(&mut self, place: &Place, record: &Record) {
        self.records = self.records.saturating_add(1);
        let number = Some(record.sequence);
        if let Kind::Checkpoint { signature, .. } = &record.kind {
            self.checkpoints = self.checkpoints.saturating_add(1);
            match signature {
                Signature::Good | Signature::Unchecked => (),
                Signature::Wrong | Signature::None => {
                    self.broken(place.clone(), number, Damage::WrongSignature);
                }
                Signature::OtherKey(key) => {
                    self.broken(place.clone(), number, Damage::OtherKey { key: key.clone() });
                }
            }
        }
        if let Some(damage) = self.proof.record(record.sequence, &record.kind) {
            self.broken(place.clone(), number, damage);
        }
    }
}
