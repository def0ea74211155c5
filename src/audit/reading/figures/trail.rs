//! What records say of the trail itself: what runs found of it, steps of the clock, files closed and deleted, readers.

use std::collections::BTreeMap;

use super::{Bucket, Shared};
use crate::audit::record::{Event, Outcome, Span};

/// Records of one event that say the same of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfTrail {
    /// Name of the event.
    pub event: String,
    /// Of a run that began, what the head says; else empty.
    pub label: String,
    /// How it turned out, where the event can fail.
    pub outcome: Option<Outcome>,
}

/// How many, and of how many records they tell.
#[derive(Debug, Default)]
pub struct TrailFigure {
    /// The records themselves.
    pub bucket: Bucket,
    /// Records in files that were closed or deleted, or that nobody had signed; those that checkpoints sign.
    pub records: u64,
}

/// By event, label and outcome.
#[derive(Debug, Default)]
pub struct Trail(BTreeMap<(Option<Outcome>, String, String), TrailFigure>);

const EVENTS: [&str; 6] =
    ["trail-continued", "clock-stepped", "records-deleted", "file-closed", "audit-log-used", "checkpoint"];

impl Trail {
    /// Whether records of this event are about the trail.
    pub fn has(event: &str) -> bool {
        EVENTS.contains(&event)
    }

    pub(super) fn add(&mut self, record: &Shared) {
        let of = |lines: &Span| lines.last.saturating_sub(lines.first).saturating_add(1);
        let (label, records) = match &record.event {
            Event::TrailContinued(found) => (found.head.label(), found.unsigned),
            Event::FileClosed(closed) => ("", of(&closed.lines)),
            Event::RecordsDeleted(deleted) => ("", deleted.lines.as_ref().map_or(0, of)),
            _ => ("", 0),
        };
        let key = (record.outcome(), record.event.name().to_owned(), label.to_owned());
        let figure = self.0.entry(key).or_default();
        figure.records = figure.records.saturating_add(records);
        figure.bucket.add(record);
    }

    /// What a person has to look at first.
    pub fn ordered(&self) -> Vec<(OfTrail, &TrailFigure)> {
        let all = self.0.iter().rev().map(|((outcome, event, label), figure)| {
            (OfTrail { event: event.clone(), label: label.clone(), outcome: *outcome }, figure)
        });
        all.collect()
    }

    /// How many records of this event there are.
    pub fn count(&self, event: &str) -> u64 {
        let of_event = self.0.iter().filter(|((_, one, _), _)| one == event);
        of_event.map(|(_, figure)| figure.bucket.count).sum()
    }
}
