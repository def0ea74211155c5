//! The thread that closes the files of earlier days, and deletes them when their time is over.

use super::closing;
use super::files::{self, TrailFile};
use super::queue::Queue;
use super::record::{Event, RecordsDeleted};
use super::settings::Keeping;
use super::unsent;
use crate::vocabulary::Notice;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use time::{Date, Duration};
use tokio::sync::oneshot;

pub(super) struct Keeper {
    directory: PathBuf,
    keeping: Keeping,
    queue: Arc<Queue>,
}

/// A day's file is there, and the disk keeps a line of it: earlier ones may be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// In its name.
    pub file: Date,
    /// The day of its last record.
    pub today: Date,
}

/// Where days in between have no file, the clock may have leapt: nothing is deleted on its word until it has gone on for
/// so long, at least a whole day whatever the hour. Where more than a month is missing, it takes a month.
const SHORT_LEAP: (Duration, Duration) = (Duration::days(2), Duration::days(2));
const LONG_LEAP: (Duration, Duration) = (Duration::days(31), Duration::days(32));

impl Keeper {
    pub(super) fn new(directory: PathBuf, keeping: Keeping, queue: Arc<Queue>) -> Self {
        Self { directory, keeping, queue }
    }

    /// Looks after the files whenever a day has begun, until there are no more days.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(self, days: mpsc::Receiver<Begun>) -> io::Result<()> {
        let Keeping { compress, reviewers, retention_days, .. } = &self.keeping;
        if !compress && reviewers.is_none() && retention_days.is_none() {
            return Ok(());
        }
        let work = move || days.iter().for_each(|begun| self.look_after(begun));
        std::thread::Builder::new().name("audit-files".into()).spawn(work).map(drop)
    }

    pub(super) fn look_after(&self, begun: Begun) {
        let Begun { file: newest, today } = begun;
        self.keeping.hold.wait();
        let listed = closing::discard_parts(&self.directory).and_then(|()| files::list(&self.directory));
        let earlier: Vec<TrailFile> = match listed {
            Ok(files) => files.into_iter().filter(|file| file.day < newest).collect(),
            Err(error) => {
                return tracing::error!(directory = %self.directory.display(), %error, "cannot list the audit files");
            }
        };
        // The age of a file is counted up to a day that is believed.
        let believed = before_a_leap(&earlier, newest, today).map_or(today, |day| day.min(today));
        for file in &earlier {
            let done = match self.is_over(file, believed) {
                true => self.keep_unsent(file).and_then(|()| self.delete(file)),
                false => self.close(file),
            };
            if let Err(error) = done {
                tracing::error!(file = %file.path.display(), %error, "an audit file cannot be closed or deleted");
            }
        }
        // Those who send may have had what was kept for them while it was written.
        if let Err(error) = unsent::discard(&self.directory, &self.keeping.hold) {
            tracing::error!(directory = %self.directory.display(), %error, "what is sent cannot be deleted");
        }
    }

    fn is_over(&self, file: &TrailFile, today: Date) -> bool {
        let days = self.keeping.retention_days.map(|days| Duration::days(i64::from(days)));
        days.is_some_and(|days| today - file.day > days)
    }

    fn close(&self, file: &TrailFile) -> io::Result<()> {
        let Keeping { compress, reviewers, .. } = &self.keeping;
        if file.is_closed() || !(*compress || reviewers.is_some()) {
            return Ok(());
        }
        self.keep_unsent(file)?;
        if let Some(closed) = closing::close(file, *compress, reviewers.as_ref())? {
            self.record(Event::FileClosed(closed), false);
        }
        Ok(())
    }

    /// A file that is closed already had its rest kept when it was.
    fn keep_unsent(&self, file: &TrailFile) -> io::Result<()> {
        if file.is_closed() { Ok(()) } else { unsent::keep(file, &self.keeping) }
    }

    /// Records the deletion first, and deletes only when the disk keeps the record.
    fn delete(&self, file: &TrailFile) -> io::Result<()> {
        let name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let lines = closing::span_of(file);
        let deleted = RecordsDeleted { file: name, lines, reason: Notice::RetentionDays.label().into() };
        match self.record(Event::RecordsDeleted(deleted), true) {
            true => closing::delete(file),
            // The trail ends; the next run sees to it.
            false => Ok(()),
        }
    }

    /// Gives whether the disk keeps the record, where it is to wait for that.
    fn record(&self, event: Event, wait: bool) -> bool {
        let (kept, on_disk) = oneshot::channel();
        self.queue.push_own(event, Some(kept));
        !wait || on_disk.blocking_recv().is_ok()
    }
}

/// The last day before a leap that is not yet believed.
fn before_a_leap(earlier: &[TrailFile], newest: Date, today: Date) -> Option<Date> {
    let days = earlier.iter().map(|file| file.day).chain([newest]);
    let pairs = days.clone().zip(days.skip(1));
    let is_doubtful = |(day, next): &(Date, Date)| {
        let leapt = |(longer, held): (Duration, Duration)| *next - *day > longer && today - *next < held;
        leapt(SHORT_LEAP) || leapt(LONG_LEAP)
    };
    pairs.filter(is_doubtful).map(|(day, _)| day).next()
}

#[cfg(test)]
mod tests {
    use super::before_a_leap;
    use crate::audit::files::{Form, TrailFile};
    use std::path::Path;
    use time::macros::date;
    use time::{Date, Duration};

    fn files(days: &[Date]) -> Vec<TrailFile> {
        days.iter().map(|day| TrailFile::new(Path::new("x"), *day, Form::default())).collect()
    }

    #[test]
    fn what_was_before_a_leap_is_doubtful_until_the_clock_has_gone_on_as_long() {
        let (old, leapt) = (date!(2026 - 01 - 01), date!(2036 - 01 - 01));
        let gone_on = |days: i64| {
            let days: Vec<Date> =
                [old].into_iter().chain((0..days).map(|day| leapt + Duration::days(day))).collect();
            let today = days[days.len() - 1];
            before_a_leap(&files(&days[..days.len() - 1]), today, today)
        };
        assert_eq!(gone_on(1), Some(old), "the day of the leap");
        assert_eq!(gone_on(2), Some(old), "and the day after it");
        assert_eq!(gone_on(33), None);
        // A month or less: a clock that was wrong for some minutes has not held for a day.
        let month = old + Duration::days(31);
        for (hold, doubtful) in [(0, true), (1, true), (2, false)] {
            let days: Vec<Date> =
                [old].into_iter().chain((0..hold).map(|day| month + Duration::days(day))).collect();
            let today = month + Duration::days(hold);
            assert_eq!(before_a_leap(&files(&days), today, today), doubtful.then_some(old), "{hold} days on");
        }
        let quiet = old + Duration::days(2);
        assert_eq!(before_a_leap(&files(&[old]), quiet, quiet), None, "a day without a file is no leap");
        // Set right again: names go on, and days are counted by what the clock says now.
        let names = [old, leapt, leapt + Duration::days(1)];
        assert_eq!(before_a_leap(&files(&names), leapt + Duration::days(2), old), Some(old));
        // Who is used once a week has a gap each time, and the last week counts.
        let weeks: Vec<Date> = (0..9).map(|week| old + Duration::weeks(week)).collect();
        assert_eq!(before_a_leap(&files(&weeks[..8]), weeks[8], weeks[8]), Some(weeks[7]));
    }
}
