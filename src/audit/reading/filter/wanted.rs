//! Conditions that a person writes in a notation of their own.

use std::str::FromStr;

use super::super::Pattern;
use crate::audit::record::Outcome;

/// How a record has to have turned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// As its status and reason say.
    Outcome(Outcome),
    /// A closing record whose `ended` is this.
    Ended(Pattern),
}

/// A text that names no outcome.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no outcome; write success, warning, failure, refused, or ended=timeout and its like")]
pub struct WantedError(String);

impl FromStr for Wanted {
    type Err = WantedError;

    fn from_str(text: &str) -> Result<Self, WantedError> {
        if let Some(ended) = text.strip_prefix("ended=") {
            return ended.parse().map(Self::Ended).map_err(|_| WantedError(text.to_owned()));
        }
        let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == text);
        outcome.map(Self::Outcome).ok_or_else(|| WantedError(text.to_owned()))
    }
}

/// Hours of the day in UTC, `8`, or `22-5` from the first to the last, both included, over midnight too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// The first of them, 0 to 23.
    pub first: u8,
    /// The last of them, 0 to 23; before the first, where they go over midnight.
    pub last: u8,
}

/// A text that names no hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" names no hours; write 8, or 22-5, each from 0 to 23, in UTC")]
pub struct HoursError(String);

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let hour = |text: &str| text.parse::<u8>().ok().filter(|hour| *hour < 24);
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (hour(first), hour(last)) {
            (Some(first), Some(last)) => Ok(Self { first, last }),
            _ => Err(HoursError(text.to_owned())),
        }
    }
}

impl Hours {
    /// Whether an hour of the day is one of them.
    pub fn holds(self, hour: u8) -> bool {
        if self.first <= self.last {
            (self.first..=self.last).contains(&hour)
        } else {
            hour >= self.first || hour <= self.last
        }
    }
}
