//! One range: days of the week, from when to when, and where.

use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Span, Timestamp};

/// Minutes of a day.
pub(super) const DAY: u16 = 24 * 60;

/// Days of the week, Monday in the lowest bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days(pub u8);

/// A range. One that ends before it begins goes on over midnight, and belongs to the day on which it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// As it was written.
    pub text: Box<str>,
    pub days: Days,
    /// Minutes since midnight.
    pub from: u16,
    /// Minutes since midnight, up to [`DAY`]; never `from`.
    pub to: u16,
    pub zone: TimeZone,
}

impl Days {
    fn has(self, date: Date) -> bool {
        self.0 >> date.weekday().to_monday_zero_offset() & 1 == 1
    }
}

impl Range {
    pub(super) fn is_open(&self, at: Timestamp) -> bool {
        let shown = self.zone.to_datetime(at);
        let minute = minute_of(shown);
        let began_yesterday = || shown.date().yesterday().is_ok_and(|yesterday| self.days.has(yesterday));
        match self.from < self.to {
            true => self.days.has(shown.date()) && (self.from..self.to).contains(&minute),
            false => {
                (minute >= self.from && self.days.has(shown.date()))
                    || (minute < self.to && began_yesterday())
            }
        }
    }

    /// Every moment of so many days at which it may open or close, those of the day before included.
    pub(super) fn edges(&self, at: Timestamp, days: i32) -> Vec<Timestamp> {
        let today = self.zone.to_datetime(at).date();
        let dates = (-1..=days).filter_map(|day| today.checked_add(Span::new().days(day)).ok());
        let shown = dates.flat_map(|date| [self.from, self.to].map(|minute| moment(date, minute))).flatten();
        let mut edges: Vec<Timestamp> = shown.flat_map(|shown| self.when(shown)).flatten().collect();
        let until = at.checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days)));
        let until = until.unwrap_or(Timestamp::MAX);
        let set = self.zone.following(at).map(|change| change.timestamp());
        edges.extend(set.take_while(|change| *change <= until));
        edges
    }

    /// When the clock of the zone shows this: once, twice, or never.
    fn when(&self, shown: DateTime) -> [Option<Timestamp>; 2] {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(shown).ok();
        match self.zone.to_ambiguous_timestamp(shown).offset() {
            AmbiguousOffset::Unambiguous { offset } => [at(offset), None],
            AmbiguousOffset::Gap { before, after } | AmbiguousOffset::Fold { before, after } => {
                [at(before), at(after)]
            }
        }
    }

    /// Whether it is open whenever the other one is. Never true by mistake.
    pub(super) fn covers(&self, narrow: &Self) -> bool {
        let (wraps, narrow_wraps) = (self.from > self.to, narrow.from > narrow.to);
        let days = self.days.0 & narrow.days.0 == narrow.days.0;
        let whole_week = self.days.0 == 0x7f && self.from == 0 && self.to == DAY;
        let within = wraps == narrow_wraps && self.from <= narrow.from && narrow.to <= self.to;
        let whole_days = !narrow_wraps && self.from == 0 && self.to == DAY;
        whole_week || (self.zone == narrow.zone && days && (within || whole_days))
    }

    /// A moment in words of the zone.
    pub(super) fn told(&self, at: Timestamp) -> String {
        at.to_zoned_datetime(self.zone.clone()).strftime("%a %Y-%m-%d %H:%M %Q").to_string()
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn minute_of(shown: DateTime) -> u16 {
    u16::from(shown.hour().unsigned_abs()) * 60 + u16::from(shown.minute().unsigned_abs())
}

/// The end of a day is the beginning of the next.
fn moment(date: Date, minute: u16) -> Option<DateTime> {
    let date = if minute >= DAY { date.tomorrow().ok()? } else { date };
    let (hour, minute) = (i8::try_from(minute % DAY / 60).ok()?, i8::try_from(minute % 60).ok()?);
    DateTime::new(date.year(), date.month(), date.day(), hour, minute, 0, 0).ok()
}
