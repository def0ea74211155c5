//! The thread that appends records, keeps those that it cannot write, and tries again.

use super::event::{Event, SecurityAlert};
use super::file::DayFile;
use super::json;
use super::queue::{Pending, Queue};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use time::{Date, OffsetDateTime};

/// How often the disk is asked to keep what was written, and an idle file is looked after.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Most bytes of one write.
const WRITE_SIZE: usize = 256 * 1024;

/// How a writer deals with a disk that takes nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// The pause after the first failure, doubled after each further one.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// How long it goes on trying when it has been told to end.
    pub at_end: Duration,
}

pub(super) struct Writer {
    queue: Arc<Queue>,
    directory: PathBuf,
    file: Option<DayFile>,
    /// Taken from the queue, not yet in the file.
    batch: VecDeque<Pending>,
    last_sync: Instant,
    patience: Patience,
    pause: Duration,
    /// When it was first seen that the queue ends.
    ending_since: Option<Instant>,
}

impl Writer {
    pub(super) fn new(queue: Arc<Queue>, directory: PathBuf, file: DayFile, patience: Patience) -> Self {
        Self {
            queue,
            directory,
            file: Some(file),
            batch: VecDeque::new(),
            last_sync: Instant::now(),
            pause: patience.first_pause,
            patience,
            ending_since: None,
        }
    }

    /// Runs until the queue has ended and is written out, or cannot be within the patience.
    pub(super) fn run(mut self) {
        loop {
            let mut ending = self.ending_since.is_some();
            if self.batch.is_empty() {
                ending |= self.queue.take(&mut self.batch, HEARTBEAT);
            }
            if ending {
                self.ending_since.get_or_insert_with(Instant::now);
            }
            match self.write_batch().and_then(|()| self.sync_if_due(false)) {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&error),
            }
            if self.is_over() {
                break;
            }
        }
        if let Err(error) = self.sync_if_due(true) {
            self.failed(&error);
        }
    }

    fn is_over(&mut self) -> bool {
        let Some(since) = self.ending_since else { return false };
        if self.batch.is_empty() && self.queue.close_if_empty() {
            return true;
        }
        if since.elapsed() < self.patience.at_end {
            return false;
        }
        self.queue.close();
        self.queue.take(&mut self.batch, Duration::ZERO);
        tracing::error!(records = self.batch.len(), directory = %self.directory.display(),
            "ended without writing these audit records");
        true
    }

    fn write_batch(&mut self) -> io::Result<()> {
        let day =
            self.batch.front().map_or_else(|| OffsetDateTime::now_utc().date(), |first| first.time.date());
        self.look_after_file(day)?;
        while let Some(first) = self.batch.front() {
            let day = first.time.date();
            self.look_after_day(day)?;
            self.write_lines(day)?;
        }
        Ok(())
    }

    /// Opens the file again where its path no longer leads to it.
    fn look_after_file(&mut self, day: Date) -> io::Result<()> {
        if self.file.as_ref().is_none_or(|file| file.in_place()) {
            return self.look_after_day(day);
        }
        let reopened = DayFile::open(&self.directory, day)?;
        self.file = Some(reopened);
        tracing::error!(directory = %self.directory.display(),
            "the audit file was removed or replaced while in use; a new one is begun");
        self.own_record("audit-file-replaced", "the audit file was removed or replaced while in use", None);
        Ok(())
    }

    fn look_after_day(&mut self, day: Date) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| file.day() == day) {
            return Ok(());
        }
        if let Some(finished) = &mut self.file {
            finished.sync()?;
        }
        self.file = Some(DayFile::open(&self.directory, day)?);
        Ok(())
    }

    /// Appends the records of one day at the front of the batch, as many as one write takes.
    fn write_lines(&mut self, day: Date) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let mut lines = Vec::new();
        let mut ends = Vec::new();
        for record in self.batch.iter().take_while(|record| record.time.date() == day) {
            if lines.len() >= WRITE_SIZE {
                break;
            }
            lines.extend(json::line(record.time, record.event, record.sequence, &record.body));
            ends.push(lines.len());
        }
        let written = file.append(&lines);
        let whole = ends.iter().take_while(|&&end| end <= written.whole).count();
        let room = self.batch.drain(..whole).map(|record| record.cost as usize).sum();
        self.queue.written(room);
        written.failure.map_or(Ok(()), Err)
    }

    fn sync_if_due(&mut self, now: bool) -> io::Result<()> {
        if !now && self.last_sync.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.last_sync = Instant::now();
        self.file.as_mut().map_or(Ok(()), DayFile::sync)
    }

    fn succeeded(&mut self) {
        self.pause = self.patience.first_pause;
        if !self.queue.set_writable(true) {
            tracing::warn!(directory = %self.directory.display(), "audit records are written again");
        }
        match self.queue.take_lost() {
            0 => (),
            lost => self.own_record("records-lost", "records came while none could be written", Some(lost)),
        }
    }

    fn failed(&mut self, error: &io::Error) {
        if self.queue.set_writable(false) {
            tracing::error!(directory = %self.directory.display(), %error, "audit records cannot be written");
        }
        match self.ending_since {
            None if self.queue.wait_for_end(self.pause) => self.ending_since = Some(Instant::now()),
            None => (),
            Some(_) => std::thread::park_timeout(self.patience.first_pause),
        }
        self.pause = self.pause.saturating_mul(2).min(self.patience.longest_pause);
    }

    fn own_record(&self, reason: &'static str, explanation: &str, records: Option<u64>) {
        let alert = SecurityAlert {
            reason: reason.into(),
            explanation: explanation.into(),
            records,
            ..Default::default()
        };
        let event = Event::SecurityAlert(Box::new(alert));
        if let Ok(body) = json::body(&event) {
            self.queue.push_own(event.name(), body);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Patience, Writer};
    use crate::audit::file::{DayFile, path_of};
    use crate::audit::queue::{Pending, Queue};
    use std::sync::Arc;
    use std::time::Duration;
    use time::macros::{date, datetime};

    #[test]
    fn a_record_goes_to_the_file_of_its_own_day() {
        let home = tempfile::tempdir().unwrap();
        let patience =
            Patience { first_pause: Duration::ZERO, longest_pause: Duration::ZERO, at_end: Duration::ZERO };
        let file = DayFile::open(home.path(), date!(2026 - 01 - 02)).unwrap();
        let queue = Arc::new(Queue::new(1024, 1));
        let mut writer = Writer::new(queue, home.path().to_owned(), file, patience);
        let times = [
            datetime!(2026-01-02 23:59:59.999999 UTC),
            datetime!(2026-01-03 00:00:00 UTC),
            datetime!(2026-01-03 00:00:01 UTC),
        ];
        for (sequence, time) in (1..).zip(times) {
            writer.batch.push_back(Pending { time, event: "x", sequence, body: b"{}".into(), cost: 0 });
        }
        writer.write_batch().unwrap();
        let text = |day| std::fs::read_to_string(path_of(home.path(), day)).unwrap();
        assert_eq!(
            text(date!(2026 - 01 - 02)),
            "{\"time\":\"2026-01-02T23:59:59.999999Z\",\"event\":\"x\",\"sequence\":1}\n"
        );
        let second = text(date!(2026 - 01 - 03));
        assert_eq!(second.lines().count(), 2);
        assert!(
            second.starts_with("{\"time\":\"2026-01-03T00:00:00.000000Z\",\"event\":\"x\",\"sequence\":2}\n")
        );
    }
}
