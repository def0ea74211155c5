//! A record in one line for people.

mod what;

use crate::audit::reading::{Outcome, Record, Text};
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
        let one = |of: for<'r> fn(&'r Record<'r>) -> &'r Option<Text<'r>>| {
            let text = |record: &Record| of(record).as_deref().map(str::to_owned);
            text(record).or_else(|| association.and_then(text))
        };
        let calling = one(|record| &record.calling_ae_title);
        let titles = match (calling, one(|record| &record.called_ae_title)) {
            (Some(calling), Some(called)) => format!("{calling} to {called}"),
            (one, other) => one.or(other).unwrap_or_default(),
        };
        let mut what = what::of(record);
        if let Some(count) = record.count {
            what = format!("{}: {what}", counted(count, "time"));
        }
        Self {
            time: clock(&record.time),
            event: record.event.to_string(),
            association: record.association.as_deref().unwrap_or_default().to_owned(),
            who: one(|record| &record.peer).unwrap_or_default(),
            address: one(|record| &record.address).unwrap_or_default(),
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
