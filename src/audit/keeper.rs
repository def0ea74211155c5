//! The thread that closes the files of earlier days, and deletes them when their time is over.

use super::closing;
use super::event::{Event, RecordsDeleted};
use super::files::{self, TrailFile};
use super::queue::Queue;
use super::settings::Keeping;
use super::unsent;
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

/// A day so long after the last that has a file is rather a clock that went wrong: nothing is deleted on it.
const LONGEST_LEAP: Duration = Duration::days(31);

impl Keeper {
    pub(super) fn new(directory: PathBuf, keeping: Keeping, queue: Arc<Queue>) -> Self {
        Self { directory, keeping, queue }
    }

    /// Looks after the files whenever a day has begun, until there are no more days.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub(super) fn start(self, days: mpsc::Receiver<Date>) -> io::Result<()> {
        let Keeping { compress, reviewers, retention_days, .. } = &self.keeping;
        if !compress && reviewers.is_none() && retention_days.is_none() {
            return Ok(());
        }
        let work = move || days.iter().for_each(|today| self.look_after(today));
        std::thread::Builder::new().name("audit-files".into()).spawn(work).map(drop)
    }

    pub(super) fn look_after(&self, today: Date) {
        self.keeping.hold.wait();
        let listed = closing::discard_parts(&self.directory).and_then(|()| files::list(&self.directory));
        let earlier: Vec<TrailFile> = match listed {
            Ok(files) => files.into_iter().filter(|file| file.day < today).collect(),
            Err(error) => {
                return tracing::error!(directory = %self.directory.display(), %error, "cannot list the audit files");
            }
        };
        let leap = earlier.last().is_some_and(|last| today - last.day > LONGEST_LEAP);
        for file in &earlier {
            let done = match self.is_over(file, today) && !leap {
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
        let deleted = RecordsDeleted { file: name, lines, reason: "retention-days".into() };
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
