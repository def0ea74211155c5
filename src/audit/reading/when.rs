//! Times as a person writes them on a command line.

use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, time};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time};

/// Which end of a period a time is; a date alone is the begin of its day or the end of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// The begin, which belongs to it.
    From,
    /// The end, which does not.
    To,
}

/// A text that is no time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{0}\" is no time; write 2026-03-01, 2026-03-01T08:30 (UTC), 2026-03-01T09:30:00+01:00, now, today, \
     yesterday, 20:00 (the last time that it was), or how long ago: 90s, 15m, 24h, 7d, 2w"
)]
pub struct WhenError(pub String);

/// Reads a time, relative to `now`; what has no offset is UTC.
///
/// # Errors
/// [`WhenError`] with what may be written.
pub fn parse(text: &str, now: OffsetDateTime, edge: Edge) -> Result<OffsetDateTime, WhenError> {
    let day = |date: Date| match edge {
        Edge::From => Some(date.with_time(time!(0:00)).assume_utc()),
        Edge::To => Some(date.next_day()?.with_time(time!(0:00)).assume_utc()),
    };
    let read = match text {
        "now" => Some(now),
        "today" => day(now.date()),
        "yesterday" => now.date().previous_day().and_then(day),
        _ => ago(text)
            .and_then(|ago| now.checked_sub(ago))
            .or_else(|| clock(text, now))
            .or_else(|| absolute(text, day)),
    };
    read.ok_or_else(|| WhenError(text.to_owned()))
}

fn ago(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count >= 0)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::seconds)
}

/// `20:00`: the last time (UTC) that it was.
fn clock(text: &str, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let at = Time::parse(text, format_description!("[hour]:[minute]")).ok()?;
    let today = now.to_offset(time::UtcOffset::UTC).date().with_time(at).assume_utc();
    if today <= now { Some(today) } else { today.checked_sub(Duration::DAY) }
}

fn absolute(text: &str, day: impl Fn(Date) -> Option<OffsetDateTime>) -> Option<OffsetDateTime> {
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    if let Ok(date) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return day(date);
    }
    let spaced = text.replacen(' ', "T", 1);
    OffsetDateTime::parse(&spaced, &Rfc3339).ok().or_else(|| {
        let local = PrimitiveDateTime::parse(&spaced, minutes)
            .or_else(|_| PrimitiveDateTime::parse(&spaced, seconds));
        local.ok().map(PrimitiveDateTime::assume_utc)
    })
}

/// `time` as records write it: RFC 3339, UTC, microseconds, so that order of bytes is order in time.
pub fn stamp(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
    time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
}
