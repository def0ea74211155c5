//! When a role may be used: ranges of a clock on the wall somewhere, such as `mon-fri 07:00-19:00 Europe/Paris`.
//!
//! A range is open whenever the clock of its zone shows a time in it. So where that clock goes back an hour, the hour that
//! comes twice is open twice; where it goes forward, the hour that does not come is not made up for.
//!
//! Why jiff: it knows each zone's changes, ambiguous times included, from the system's own data, which is kept up to date,
//! and brings a copy along for where there is none.

use std::fmt;

use jiff::Timestamp;
use time::OffsetDateTime;

mod parse;
mod range;

pub use parse::HoursError;
use range::Range;

/// Days in which every range begins and ends once, also where a zone leaves a day out, as Samoa did in 2011.
const DAYS: i32 = 16;

/// Ranges of time, any of which is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours(Vec<Range>);

impl Hours {
    /// Reads each text, as in `mon-fri 07:00-19:00 Europe/Paris`.
    ///
    /// # Errors
    /// The first that is none, or that there is none.
    pub fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, HoursError> {
        let ranges: Vec<Range> = texts.into_iter().map(str::parse).collect::<Result<_, _>>()?;
        if ranges.is_empty() { Err(HoursError::Shape) } else { Ok(Self(ranges)) }
    }

    /// The hours of both: open whenever either is.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Whether a range is open.
    pub fn are_open(&self, at: OffsetDateTime) -> bool {
        self.is_open(timestamp(at))
    }

    /// When they next open or close; `None` where they never do.
    pub fn next_change(&self, at: OffsetDateTime) -> Option<OffsetDateTime> {
        let change = self.change_after(timestamp(at))?;
        OffsetDateTime::from_unix_timestamp(change.as_second()).ok()
    }

    /// When they next open, in words of the zone of the range that does. `None` where they are open, or never open.
    pub fn next_opening(&self, at: OffsetDateTime) -> Option<String> {
        let at = timestamp(at);
        let opening = (!self.is_open(at)).then(|| self.change_after(at))??;
        let range = self.0.iter().find(|range| range.is_open(opening))?;
        Some(range.told(opening))
    }

    /// Whether they are open whenever the other ones are. Never true by mistake.
    pub fn cover(&self, other: &Self) -> bool {
        other.0.iter().all(|narrow| self.0.iter().any(|wide| wide.covers(narrow)))
    }

    fn is_open(&self, at: Timestamp) -> bool {
        self.0.iter().any(|range| range.is_open(at))
    }

    /// Nothing changes but where a clock shows a range's beginning or end, or is set.
    fn change_after(&self, at: Timestamp) -> Option<Timestamp> {
        let mut edges: Vec<Timestamp> = self.0.iter().flat_map(|range| range.edges(at, DAYS)).collect();
        edges.retain(|edge| *edge > at);
        edges.sort_unstable();
        let is_open = self.is_open(at);
        edges.into_iter().find(|edge| self.is_open(*edge) != is_open)
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            write!(f, "{}{range}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// No clock of a proxy is beyond what both know.
fn timestamp(at: OffsetDateTime) -> Timestamp {
    let nanosecond = i32::try_from(at.nanosecond()).unwrap_or_default();
    Timestamp::new(at.unix_timestamp(), nanosecond).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
