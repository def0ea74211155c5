//! A record in one line for people.

mod what;

use crate::audit::record::{Outcome, Record};
use crate::cli::words::counted;

/// The words of a row of a table, and how its record turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub time: String,
    pub event: String,
    pub association: String,
    /// Peer, or the calling AE title where no peer fitted.
    pub who: String,
    pub address: String,
    /// `LYON_CT1 to PACS`.
    pub titles: String,
    pub what: String,
    pub outcome: Option<Outcome>,
}

impl Row {
    /// Of a record; what it has not is that of its association.
    pub(super) fn of(record: &Record, association: Option<&Record>) -> Self {
        let one = |of: fn(&Record) -> Option<&str>| {
            of(record).or_else(|| association.and_then(of)).map(str::to_owned)
        };
        let titles = match (one(Record::calling_ae_title), one(Record::called_ae_title)) {
            (Some(calling), Some(called)) => format!("{calling} to {called}"),
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let address = record.address().or_else(|| association.and_then(Record::address));
        let mut what = what::of(record);
        if let Some(count) = record.count() {
            what = format!("{}: {what}", counted(count, "time"));
        }
        Self {
            time: clock(&record.time),
            event: record.event.name().to_owned(),
            association: record.association().unwrap_or_default().to_owned(),
            who: one(Record::peer).unwrap_or_default(),
            address: address.map(|address| address.to_string()).unwrap_or_default(),
            titles,
            what,
            outcome: record.outcome(),
        }
    }
}

/// `2026-03-01T08:30:00.123456Z` as `2026-03-01 08:30:00.123`, and `2026-03-01T08:30:00Z` without its fraction.
pub(super) fn clock(time: &str) -> String {
    let shown = time.get(..23).or_else(|| time.strip_suffix('Z')).unwrap_or(time);
    shown.replacen('T', " ", 1)
}
