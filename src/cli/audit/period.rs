//! `--from` and `--to`.

use time::OffsetDateTime;

use crate::audit::reading::{Edge, WhenError, parse_when};

/// Reads the begin of a period, relative to the time of this machine.
pub(in crate::cli) fn from(text: &str) -> Result<OffsetDateTime, WhenError> {
    parse_when(text, OffsetDateTime::now_utc(), Edge::From)
}

/// Reads the end of a period; a date is the end of its day.
pub(in crate::cli) fn to(text: &str) -> Result<OffsetDateTime, WhenError> {
    parse_when(text, OffsetDateTime::now_utc(), Edge::To)
}
