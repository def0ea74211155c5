//! Each line names the SHA-256 of the line before it, across files and restarts.

use super::head::Head;
use super::json;
use super::line_hash::LineHash;
use super::record::Checkpoint;
use super::signing::{self, Purpose, SigningKey};
use std::sync::Arc;
use time::OffsetDateTime;

/// The end of the trail, which the next line is chained to: its number and the hash of the line before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// The sequence number that comes next; the first of all is 1.
    pub next_sequence: u64,
    /// Of the last line.
    pub head: LineHash,
    /// Records since the last checkpoint.
    pub unsigned: u64,
}

impl Default for Draft {
    fn default() -> Self {
        Self::new(Chain::BEGINNING)
    }
}

impl Chain {
    /// Before the first record of all.
    pub(super) const BEGINNING: Self = Self { next_sequence: 1, head: LineHash::NONE, unsigned: 0 };

    /// Number and hash of the last record that was written; number 0 where there is none yet.
    pub(super) fn last(&self) -> Head {
        Head { sequence: self.next_sequence.saturating_sub(1), sha256: self.head }
    }
}

/// Lines that are to be written, each with the state of the chain behind it.
#[derive(Debug)]
pub(super) struct Draft {
    pub lines: Vec<u8>,
    pub chain: Chain,
    ends: Vec<End>,
    /// `,"tenant":"…"`, behind the place of each line; empty where there is none.
    whose: Vec<u8>,
}

#[derive(Debug)]
struct End {
    at: usize,
    chain: Chain,
    queued: bool,
}

impl Draft {
    pub(super) fn new(chain: Chain) -> Self {
        Self { lines: Vec::new(), chain, ends: Vec::new(), whose: Vec::new() }
    }

    /// Of lines that say whose they are. A name has no character that JSON would escape.
    pub(super) fn of_tenant(chain: Chain, tenant: Option<Arc<str>>) -> Self {
        let whose = tenant.map(|tenant| format!(r#","tenant":"{tenant}""#)).unwrap_or_default();
        Self { whose: whose.into_bytes(), ..Self::new(chain) }
    }

    /// Without a line, of the same tenant.
    pub(super) fn another(&self, chain: Chain) -> Self {
        Self { whose: self.whose.clone(), ..Self::new(chain) }
    }

    /// All of it; one of the same tenant stays.
    pub(super) fn take(&mut self) -> Self {
        let whose = self.whose.clone();
        std::mem::replace(self, Self { whose, ..Self::new(self.chain) })
    }

    /// Without a line, behind this end of the chain; what it has allocated stays.
    pub(super) fn begin(&mut self, chain: Chain) {
        self.lines.clear();
        self.ends.clear();
        self.chain = chain;
    }

    /// Adds the line of a record from the queue.
    pub(super) fn record(&mut self, time: OffsetDateTime, event: &str, body: &[u8]) {
        let start = self.lines.len();
        json::line(
            &mut self.lines,
            time,
            event,
            (self.chain.next_sequence, self.chain.head),
            (&self.whose, body),
        );
        self.end_line(start, self.chain.unsigned.saturating_add(1), true);
    }

    /// Adds a signed checkpoint over everything before it; the `last` one of a run says so.
    pub(super) fn checkpoint(&mut self, time: OffsetDateTime, key: &SigningKey, last: bool) {
        let start = self.lines.len();
        let checkpoint = Checkpoint {
            records: self.chain.unsigned,
            last,
            key: key.id().to_string(),
            signature: String::new(),
        };
        let mut body = Vec::new();
        // Writing to a vector cannot fail.
        let _ = json::body_of(&mut body, &checkpoint);
        let place = (self.chain.next_sequence, self.chain.head);
        json::line(&mut self.lines, time, signing::CHECKPOINT, place, (&self.whose, &body));
        let unsigned = self.lines.get(start..).and_then(|line| line.strip_suffix(b"}")).unwrap_or_default();
        let signature = key.sign(Purpose::Checkpoint, unsigned);
        self.lines.truncate(start.saturating_add(unsigned.len()));
        self.lines.extend_from_slice(&signature);
        self.end_line(start, 0, false);
    }

    fn end_line(&mut self, start: usize, unsigned: u64, queued: bool) {
        self.chain.head = LineHash::of(self.lines.get(start..).unwrap_or_default());
        self.chain.next_sequence = self.chain.next_sequence.saturating_add(1);
        self.chain.unsigned = unsigned;
        self.lines.push(b'\n');
        self.ends.push(End { at: self.lines.len(), chain: self.chain, queued });
    }

    /// The chain after the first `bytes` of the lines, which hold whole lines, and how many of these were queued.
    pub(super) fn after(&self, bytes: usize) -> Option<(Chain, usize)> {
        let whole = || self.ends.iter().take_while(|end| end.at <= bytes);
        let last = whole().last()?;
        Some((last.chain, whole().filter(|end| end.queued).count()))
    }

    /// The last checkpoint within the first `bytes` of the lines.
    pub(super) fn checkpoint_within(&self, bytes: usize) -> Option<Head> {
        let whole = self.ends.iter().take_while(|end| end.at <= bytes);
        whole.filter(|end| !end.queued).last().map(|end| end.chain.last())
    }
}

#[cfg(test)]
mod tests {
    use super::{Chain, Draft, LineHash};
    use time::macros::datetime;

    #[test]
    fn every_line_names_the_hash_of_the_one_before() {
        let mut draft = Draft::new(Chain::BEGINNING);
        for body in [&b"{}"[..], b"{\"a\":1}"] {
            draft.record(datetime!(2026-01-02 03:04:05 UTC), "x", body);
        }
        let text = String::from_utf8(draft.lines.clone()).unwrap();
        let zeros = "0".repeat(64);
        let first = format!(
            r#"{{"time":"2026-01-02T03:04:05.000000Z","event":"x","sequence":1,"previous":"{zeros}"}}"#
        );
        let hash = LineHash::of(first.as_bytes());
        let second = format!(
            r#"{{"time":"2026-01-02T03:04:05.000000Z","event":"x","sequence":2,"previous":"{hash}","a":1}}"#
        );
        assert_eq!(text, format!("{first}\n{second}\n"));
        let (after_one, queued) = draft.after(text.len() - 1).unwrap();
        assert_eq!((after_one, queued), (Chain { next_sequence: 2, head: hash, unsigned: 1 }, 1));
        assert_eq!(draft.after(first.len()), None);
    }
}
