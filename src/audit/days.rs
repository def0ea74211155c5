//! Which day's file a record goes to.
//!
//! The names of files are in the order of the chain, whatever the clock does, so a name is never earlier than the day of
//! a record in its file. After a clock was set back the name may be later: then the file holds what its first record
//! and its name lie around, and a file a day goes on under the names that follow.

use time::{Date, Duration};

/// The name of a file, and the days of what is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Days {
    /// In the name of the file.
    pub name: Date,
    /// Of the first record and the last; `None` where there is none.
    pub within: Option<(Date, Date)>,
}

impl Days {
    pub(super) fn new(name: Date) -> Self {
        Self { name, within: None }
    }

    /// Whether a record of this day goes into the file.
    pub(super) fn take(&self, day: Date) -> bool {
        match self.within {
            // One day behind catches up by itself; more would gather in one file for as long as the name is ahead.
            Some((first, last)) => {
                day >= first && day <= self.name && (day <= last || self.name - day < Duration::days(2))
            }
            None => day <= self.name,
        }
    }

    /// A record of this day is in the file.
    pub(super) fn took(&mut self, day: Date) {
        self.within = Some((self.within.map_or(day, |(first, _)| first), day));
    }

    /// The name of the file behind this one, for a record of this day.
    pub(super) fn next(&self, day: Date) -> Date {
        self.name.next_day().map_or(day, |next| next.max(day))
    }
}

#[cfg(test)]
mod tests {
    use super::Days;
    use time::Date;
    use time::macros::date;

    /// The names of the files in which records of these days are.
    fn names(days: &[Date]) -> Vec<Date> {
        let mut file = Days::new(days[0]);
        let mut put = |day: &Date| {
            if !file.take(*day) {
                file = Days::new(file.next(*day));
            }
            file.took(*day);
            file.name
        };
        days.iter().map(&mut put).collect()
    }

    #[test]
    fn a_day_has_a_file_and_days_that_are_left_out_have_none() {
        let days =
            [date!(2026 - 01 - 30), date!(2026 - 01 - 30), date!(2026 - 01 - 31), date!(2026 - 02 - 05)];
        assert_eq!(names(&days), days);
    }

    #[test]
    fn a_step_back_over_midnight_begins_a_file_and_the_names_come_right_again() {
        let (a, b, c, d) =
            (date!(2026 - 01 - 01), date!(2026 - 01 - 02), date!(2026 - 01 - 03), date!(2026 - 01 - 04));
        assert_eq!(names(&[b, a, a, b, c, d]), [b, c, c, c, c, d]);
    }

    #[test]
    fn after_a_leap_of_years_and_back_every_day_still_has_a_file() {
        let leapt = date!(2036 - 01 - 01);
        let days = [
            date!(2026 - 01 - 01),
            leapt,
            date!(2026 - 01 - 01),
            date!(2026 - 01 - 02),
            date!(2026 - 01 - 02),
        ];
        let expected = [days[0], leapt, date!(2036 - 01 - 02), date!(2036 - 01 - 03), date!(2036 - 01 - 03)];
        assert_eq!(names(&days), expected);
    }
}
