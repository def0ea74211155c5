//! What the stable labels of records mean, and where to look next.

mod alerts;
mod endings;
mod heads;
mod operations;
mod refusals;
mod tolerated;

use endings::ENDINGS;

/// For people: what happened, and what to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning {
    pub what: &'static str,
    pub look: &'static str,
}

/// Label, what it means, what to look at.
type Row = (&'static str, &'static str, &'static str);

/// Every label of a `reason` that is known.
pub fn reasons() -> impl Iterator<Item = &'static str> {
    rows().map(|row| row.0)
}

/// Every ending of an association.
pub fn endings() -> impl Iterator<Item = &'static str> {
    ENDINGS.iter().map(|row| row.0)
}

/// Of a `reason` label.
pub fn of_reason(label: &str) -> Option<Meaning> {
    find(rows(), label)
}

/// Of a closing record's `ended`.
pub fn of_ending(ended: &str) -> Option<Meaning> {
    find(ENDINGS.iter(), ended)
}

/// Of what a run says of the head: the label of a `trail-continued`.
pub fn of_head(label: &str) -> Option<Meaning> {
    find(heads::HEADS.iter(), label)
}

/// Of a label of `tolerated`, in words.
pub fn of_tolerated(label: &str) -> Option<String> {
    tolerated::words(label)
}

/// Every label of `tolerated` that is known, but for those that name an element, or a response in place of a request.
pub fn tolerances() -> impl Iterator<Item = &'static str> {
    tolerated::TOLERATED.iter().map(|row| row.0)
}

fn rows() -> impl Iterator<Item = &'static Row> {
    [refusals::REASONS, operations::REASONS, alerts::REASONS].into_iter().flatten()
}

fn find(mut rows: impl Iterator<Item = &'static Row>, label: &str) -> Option<Meaning> {
    rows.find(|row| row.0 == label).map(|(_, what, look)| Meaning { what, look })
}

/// An A-ASSOCIATE-RJ in words (PS3.8 Table 9-21).
pub fn of_rejection(result: u64, source: u64, reason: u64) -> String {
    let how = match result {
        1 => "rejected permanently",
        2 => "rejected for now",
        _ => "rejected",
    };
    let why = match (source, reason) {
        (1, 2) => "application context name not supported",
        (1, 3) => "calling AE title not recognized",
        (1, 7) => "called AE title not recognized",
        (2, 2) => "protocol version not supported",
        (3, 1) => "temporary congestion",
        (3, 2) => "local limit exceeded",
        _ => "no reason given",
    };
    format!("{how}: {why}")
}
