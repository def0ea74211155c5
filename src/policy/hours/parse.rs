//! Ranges as a configuration writes them: `mon-fri 07:00-19:00 Europe/Paris`.

use std::str::FromStr;

use jiff::tz::TimeZone;

use super::range::{DAY, Days, Range};

const WEEK: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Why a text is no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// It has not the three parts.
    #[error("is not days, a range of time and a time zone")]
    Shape,
    /// A day has another name.
    #[error("names no day of the week with \"{0}\"")]
    Day(String),
    /// It is no range of time.
    #[error("has no range of time with \"{0}\"")]
    Time(String),
    /// It begins when it ends.
    #[error("begins when it ends")]
    Empty,
    /// The zone is in no data of time zones.
    #[error("names the time zone \"{0}\", which there is not")]
    Zone(String),
}

impl HoursError {
    /// What would be right; the zone that was probably meant is for whoever knows their names.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Shape => "write as in \"mon-fri 07:00-19:00 Europe/Paris\"",
            Self::Day(_) => "write mon, tue, wed, thu, fri, sat, sun, as in mon-fri or sat,sun",
            Self::Time(_) => "write hours and minutes, as in 07:00-19:00, up to 24:00",
            Self::Empty => "write 00:00-24:00 for the whole day",
            Self::Zone(_) => "write a name of the IANA time zone database, as in Europe/Paris or UTC",
        }
    }
}

impl FromStr for Range {
    type Err = HoursError;

    /// Looks up the zone, which may read a file of the system.
    fn from_str(text: &str) -> Result<Self, HoursError> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [days, times, zone] = *parts.as_slice() else { return Err(HoursError::Shape) };
        let days = days.split(',').map(days_of).try_fold(0, |all, some| Ok(all | some?))?;
        let (from, to) = times_of(times)?;
        if from == to {
            return Err(HoursError::Empty);
        }
        let zone = TimeZone::get(zone).map_err(|_| HoursError::Zone(zone.into()))?;
        Ok(Self { text: parts.join(" ").into(), days: Days(days), from, to, zone })
    }
}

/// A day, or those from one to another, over the end of the week too.
fn days_of(text: &str) -> Result<u8, HoursError> {
    let day = |name: &str| {
        let at = WEEK.iter().position(|day| day.eq_ignore_ascii_case(name));
        at.ok_or_else(|| HoursError::Day(name.into()))
    };
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let count = (last + WEEK.len() - first) % WEEK.len();
    Ok((first..=first + count).map(|at| 1 << (at % WEEK.len())).sum())
}

fn times_of(text: &str) -> Result<(u16, u16), HoursError> {
    let wrong = || HoursError::Time(text.into());
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    let times = minutes_of(from).filter(|from| *from < DAY).zip(minutes_of(to));
    times.ok_or_else(wrong)
}

/// Minutes since midnight.
fn minutes_of(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    Some(hours * 60 + minutes).filter(|all| minutes < 60 && *all <= DAY)
}
