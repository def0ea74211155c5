//! One condition of a scope.

use std::fmt;

use time::{Date, Duration, Month};

use super::Attribute;

/// What an attribute has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    pub(super) attribute: Attribute,
    pub(super) test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Test {
    /// Its value, or one of its values, is one of these.
    OneOf(Vec<Box<str>>),
    /// Its day is not longer ago than so many days.
    NewerThan(u32),
}

/// What is known of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    No,
    /// There is no value, or none that could be judged.
    Unknown,
}

impl Condition {
    /// The attribute is, or has among its values, one of these: of the default repertoire, without backslash (PS3.5 §6.1.1).
    pub fn one_of(attribute: Attribute, values: Vec<Box<str>>) -> Self {
        Self { attribute, test: Test::OneOf(values) }
    }

    /// The attribute is a day, at most so many days ago.
    pub fn newer_than(attribute: Attribute, days: u32) -> Self {
        Self { attribute, test: Test::NewerThan(days) }
    }

    /// The attribute that it is about.
    pub fn attribute(&self) -> Attribute {
        self.attribute
    }

    /// Whether it holds for a value as a data set has it; `None` where that has none.
    pub(super) fn holds(&self, value: Option<&[u8]>, today: Date) -> Held {
        let Some(value) = value.map(trimmed).filter(|value| !value.is_empty()) else { return Held::Unknown };
        match &self.test {
            Test::OneOf(values) => {
                let is_listed =
                    |value: &[u8]| values.iter().any(|listed| listed.as_bytes() == trimmed(value));
                // What stands behind a backslash is a value of its own in the default repertoire only, and CS has no other.
                let is_inside = match self.attribute.has_several() {
                    true => value.is_ascii() && value.split(|byte| *byte == b'\\').any(is_listed),
                    false => is_listed(value),
                };
                if is_inside { Held::Yes } else { Held::No }
            }
            Test::NewerThan(days) => match day(value) {
                None => Held::Unknown,
                // A day before all calendars is a limit that everything keeps.
                Some(day) => match today.checked_sub(Duration::days(i64::from(*days))) {
                    Some(oldest) if day < oldest => Held::No,
                    _ => Held::Yes,
                },
            },
        }
    }

    /// Whether it holds wherever the other one does. Never true by mistake.
    pub(super) fn follows_from(&self, other: &Self) -> bool {
        let is_implied = match (&self.test, &other.test) {
            (Test::OneOf(wide), Test::OneOf(narrow)) => narrow.iter().all(|value| wide.contains(value)),
            (Test::NewerThan(wide), Test::NewerThan(narrow)) => narrow <= wide,
            _ => false,
        };
        self.attribute == other.attribute && is_implied
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, test } = self;
        match test {
            Test::OneOf(values) => {
                let word = if attribute.has_several() { "any-of" } else { "equals" };
                write!(f, "{attribute} {word} {}", values.join(", "))
            }
            Test::NewerThan(days) => write!(f, "{attribute} newer-than {days}d"),
        }
    }
}

/// Without padding (PS3.5 §6.2).
fn trimmed(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|byte| *byte != 0 && *byte != b' ').map_or(0, |last| last + 1);
    value.get(..end).unwrap_or_default().trim_ascii_start()
}

/// A DA, `YYYYMMDD` (PS3.5 §6.2); a range, or what an archive has else in its place, is no day.
fn day(value: &[u8]) -> Option<Date> {
    let digits: &[u8; 8] = value.try_into().ok()?;
    let number = |digits: &[u8]| {
        let all = digits.iter().all(u8::is_ascii_digit);
        all.then(|| digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0')))
    };
    let [year, month, date] = [&digits[..4], &digits[4..6], &digits[6..]].map(number);
    let month = Month::try_from(u8::try_from(month?).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year?).ok()?, month, u8::try_from(date?).ok()?).ok()
}
