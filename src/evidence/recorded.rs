//! What the records of a period hold, as checks need it: counts by words that there are few of.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use crate::audit::reading::figures::Period;
use crate::audit::reading::{Filter, Kept, RecordFile, records};
use crate::audit::record::{Event, Record};

/// Words that are told apart, of one kind: records of another version may have others.
const APART: usize = 1_000;

/// Of one period. What it takes does not grow with the records.
#[derive(Debug, Default)]
pub struct Recorded {
    /// Records of the period.
    pub records: u64,
    /// Digests of configurations that they name.
    pub configurations: BTreeSet<String>,
    /// Records by event.
    pub events: BTreeMap<String, u64>,
    /// Security alerts by label.
    pub alerts: BTreeMap<String, u64>,
    /// Names of rewrites that associations had.
    pub rewrites: BTreeSet<String>,
    /// How often the records were read, by command.
    pub readings: BTreeMap<String, u64>,
    /// Associations that were opened over plain TCP.
    pub plain: u64,
    /// What the reading saw: damage, files that stayed closed.
    pub kept: Kept,
}

/// Reads the records of a period, once, from the first to the last; files of other days are not opened.
pub fn recorded(files: &[RecordFile], period: Period) -> Recorded {
    let filter = Filter { from: Some(period.from), to: Some(period.to), ..Filter::default() };
    let mut recorded = Recorded::default();
    let kept = records(files, &filter, |record| {
        recorded.take(&record);
        ControlFlow::Continue(())
    });
    Recorded { kept, ..recorded }
}

impl Recorded {
    /// How many records of an event there are.
    pub(super) fn of(&self, event: &str) -> u64 {
        self.events.get(event).copied().unwrap_or_default()
    }

    /// How many security alerts had this label.
    pub(super) fn alerts_of(&self, label: &str) -> u64 {
        self.alerts.get(label).copied().unwrap_or_default()
    }

    fn take(&mut self, record: &Record) {
        self.records = self.records.saturating_add(1);
        add(&mut self.events, record.event.name(), record.times());
        note(&mut self.configurations, record.configuration());
        note(&mut self.rewrites, record.rewrite_name());
        match &record.event {
            Event::SecurityAlert(_) => {
                add(&mut self.alerts, record.label().unwrap_or_default(), record.times())
            }
            Event::AuditLogUsed(used) => add(&mut self.readings, &used.command, 1),
            Event::AssociationOpened(opened) if opened.requestor.tls.is_none() => {
                self.plain = self.plain.saturating_add(1);
            }
            _ => {}
        }
    }
}

fn add(counts: &mut BTreeMap<String, u64>, word: &str, times: u64) {
    if counts.len() < APART || counts.contains_key(word) {
        let count = counts.entry(word.to_owned()).or_default();
        *count = count.saturating_add(times);
    }
}

fn note(words: &mut BTreeSet<String>, word: Option<&str>) {
    if let Some(word) = word.filter(|word| words.len() < APART && !words.contains(*word)) {
        words.insert(word.to_owned());
    }
}
