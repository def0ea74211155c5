//! The thread that chains and appends records, keeps those that it cannot write, and tries again.

use super::chain::{Chain, Draft};
use super::event::{Event, SecurityAlert};
use super::file::DayFile;
use super::json;
use super::patient::{self, PatientIdentifiers};
use super::queue::{Kept, Pending, Queue};
use super::settings::{Checkpoints, Durability};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use time::{Date, OffsetDateTime};

/// How often the disk is asked to keep what was written, and an idle file is looked after.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long records wait for others to be written with.
const GATHERING: Duration = Duration::from_millis(2);
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

/// What the settings say about writing.
pub(super) struct How {
    pub checkpoints: Option<Checkpoints>,
    pub durability: Durability,
    pub patient_identifiers: PatientIdentifiers,
    pub patience: Patience,
}

pub(super) struct Writer {
    queue: Arc<Queue>,
    directory: PathBuf,
    file: Option<DayFile>,
    /// Where the lines in the file end.
    chain: Chain,
    /// Of the last record in the file.
    last_time: OffsetDateTime,
    /// Taken from the queue, not yet in the file.
    batch: VecDeque<Pending>,
    patients: patient::Renderer,
    /// Buffers for lines and for the fields of one record, empty between two uses.
    draft: Draft,
    fields: Vec<u8>,
    checkpoints: Option<Checkpoints>,
    /// Of the first record that no checkpoint is over.
    unsigned_since: Option<Instant>,
    durability: Durability,
    last_sync: Instant,
    /// Written, and not yet kept by the disk.
    unkept: Vec<Kept>,
    /// Told of each day of which the disk keeps a line: earlier files may be closed.
    begun: mpsc::Sender<Date>,
    last_begun: Option<Date>,
    patience: Patience,
    pause: Duration,
    /// When it was first seen that the queue ends.
    ending_since: Option<Instant>,
}

impl Writer {
    /// `begun` is told of each day of which the disk keeps a line.
    pub(super) fn new(
        queue: Arc<Queue>,
        directory: PathBuf,
        file: DayFile,
        chain: Chain,
        how: How,
        begun: mpsc::Sender<Date>,
    ) -> Self {
        let How { checkpoints, durability, patient_identifiers, patience } = how;
        Self {
            queue,
            directory,
            file: Some(file),
            chain,
            last_time: OffsetDateTime::UNIX_EPOCH,
            batch: VecDeque::new(),
            patients: patient::Renderer::new(patient_identifiers),
            draft: Draft::default(),
            fields: Vec::new(),
            checkpoints,
            unsigned_since: None,
            durability,
            last_sync: Instant::now(),
            unkept: Vec::new(),
            begun,
            last_begun: None,
            pause: patience.first_pause,
            patience,
            ending_since: None,
        }
    }

    /// Runs until the queue has ended and is written out, or cannot be within the patience.
    pub(super) fn run(mut self) {
        let gathering = match self.durability {
            Durability::EveryRecord => Duration::ZERO,
            Durability::EverySecond => GATHERING,
        };
        loop {
            let mut ending = self.ending_since.is_some();
            if self.batch.is_empty() {
                ending |= self.queue.take(&mut self.batch, HEARTBEAT, gathering);
            }
            if ending {
                self.ending_since.get_or_insert_with(Instant::now);
            }
            match self.write() {
                Ok(()) => self.succeeded(),
                Err(error) => self.failed(&error),
            }
            if self.is_over() {
                break;
            }
        }
        if let Err(error) = self.finish() {
            tracing::error!(directory = %self.directory.display(), %error, "the audit trail ends without a checkpoint");
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.write_batch()?;
        self.checkpoint_if_due()?;
        self.sync_if_due(self.durability == Durability::EveryRecord)
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            self.checkpoint()?;
        }
        self.sync_if_due(true)
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
        self.queue.take(&mut self.batch, Duration::ZERO, Duration::ZERO);
        // Who waits for them hears that it is in vain.
        self.batch.iter_mut().for_each(|record| record.kept = None);
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
            self.write_lines()?;
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

    /// A day's file ends with a checkpoint, and is followed by one of a later day only.
    fn look_after_day(&mut self, day: Date) -> io::Result<()> {
        if self.file.as_ref().is_some_and(|file| file.day() >= day) {
            return Ok(());
        }
        if self.file.is_some() {
            self.checkpoint()?;
            self.sync_if_due(true)?;
        }
        self.file = Some(DayFile::open(&self.directory, day)?);
        Ok(())
    }

    /// Appends the records at the front of the batch that belong into the file, as many as one write takes.
    fn write_lines(&mut self) -> io::Result<()> {
        let Some(day) = self.file.as_ref().map(DayFile::day) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let mut draft = std::mem::take(&mut self.draft);
        draft.begin(self.chain);
        for record in self.batch.iter_mut().take_while(|record| record.time.date() <= day) {
            if draft.lines.len() >= WRITE_SIZE {
                break;
            }
            self.fields.clear();
            fields(&mut self.fields, &mut record.event, &mut self.patients);
            draft.record(record.time, record.event.name(), &self.fields);
            if let Some(checkpoints) = &self.checkpoints
                && draft.chain.unsigned >= checkpoints.records
            {
                draft.checkpoint(record.time, &checkpoints.key);
            }
        }
        let appended = self.append(&draft);
        self.draft = draft;
        appended
    }

    fn append(&mut self, draft: &Draft) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written = file.append(&draft.lines);
        if let Some((chain, queued)) = draft.after(written.whole) {
            self.chain = chain;
            self.unsigned_since = match chain.unsigned {
                0 => None,
                _ => self.unsigned_since.or_else(|| Some(Instant::now())),
            };
            let mut room = 0_usize;
            for record in self.batch.drain(..queued) {
                room = room.saturating_add(record.cost as usize);
                self.last_time = record.time;
                self.unkept.extend(record.kept);
            }
            self.queue.written(room);
        }
        written.failure.map_or(Ok(()), Err)
    }

    fn checkpoint_if_due(&mut self) -> io::Result<()> {
        let interval = self.checkpoints.as_ref().map(|checkpoints| checkpoints.interval);
        match (interval, self.unsigned_since) {
            (Some(interval), Some(since)) if since.elapsed() >= interval => self.checkpoint(),
            _ => Ok(()),
        }
    }

    /// Signs what is in the file, unless that was done.
    fn checkpoint(&mut self) -> io::Result<()> {
        let (Some(checkpoints), Some(file)) = (&self.checkpoints, &self.file) else { return Ok(()) };
        if self.chain.unsigned == 0 {
            return Ok(());
        }
        let day_ends =
            file.day().with_hms_micro(23, 59, 59, 999_999).map(time::PrimitiveDateTime::assume_utc);
        let now = OffsetDateTime::now_utc().max(self.last_time);
        let mut draft = Draft::new(self.chain);
        draft.checkpoint(day_ends.map_or(now, |end| now.min(end)), &checkpoints.key);
        self.append(&draft)
    }

    fn sync_if_due(&mut self, now: bool) -> io::Result<()> {
        if !now && self.last_sync.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.last_sync = Instant::now();
        let Some(file) = &mut self.file else { return Ok(()) };
        if file.sync()? && self.last_begun != Some(file.day()) {
            self.last_begun = Some(file.day());
            // Where nobody closes files, nobody has to know.
            let _ = self.begun.send(file.day());
        }
        for kept in self.unkept.drain(..) {
            // Who no longer waits need not hear it.
            let _ = kept.send(());
        }
        Ok(())
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
        self.queue.push_own(Event::SecurityAlert(Box::new(alert)), None);
    }
}

/// The fields of a record. One without a form keeps its place in the sequence.
fn fields(to: &mut Vec<u8>, event: &mut Event, patients: &mut patient::Renderer) {
    if let Event::Operation(operation) = event {
        operation.patient = operation.patient.take().and_then(|patient| patients.render(patient));
        if let Some(query) = &mut operation.query {
            query.render(patients.how());
        }
    }
    if let Err(error) = json::body(to, event) {
        tracing::error!(event = event.name(), %error, "an audit record has no JSON form");
        to.clear();
        to.extend_from_slice(b"{}");
    }
}

#[cfg(test)]
mod tests {
    use super::{How, Patience, Writer};
    use crate::audit::chain::{Chain, LineHash};
    use crate::audit::file::{DayFile, path_of};
    use crate::audit::queue::{Pending, Queue};
    use crate::audit::settings::Durability;
    use crate::audit::{Event, PatientIdentifiers, RecordsDeleted};
    use std::sync::{Arc, mpsc};
    use std::time::Duration;
    use time::macros::{date, datetime};

    #[test]
    fn a_record_goes_to_the_file_of_its_own_day() {
        let home = tempfile::tempdir().unwrap();
        let patience =
            Patience { first_pause: Duration::ZERO, longest_pause: Duration::ZERO, at_end: Duration::ZERO };
        let file = DayFile::open(home.path(), date!(2026 - 01 - 02)).unwrap();
        let queue = Arc::new(Queue::new(1024));
        let (begun, told) = mpsc::channel();
        let how = How {
            checkpoints: None,
            durability: Durability::EveryRecord,
            patient_identifiers: PatientIdentifiers::None,
            patience,
        };
        let mut writer = Writer::new(queue, home.path().to_owned(), file, Chain::BEGINNING, how, begun);
        let times = [
            datetime!(2026-01-02 23:59:59.999999 UTC),
            datetime!(2026-01-03 00:00:00 UTC),
            datetime!(2026-01-03 00:00:01 UTC),
        ];
        for time in times {
            let event =
                Event::RecordsDeleted(RecordsDeleted { file: "f".into(), lines: None, reason: "x".into() });
            writer.batch.push_back(Pending { time, event, cost: 0, kept: None });
        }
        writer.write_batch().unwrap();
        writer.sync_if_due(true).unwrap();
        let text = |day| std::fs::read_to_string(path_of(home.path(), day)).unwrap();
        let zeros = "0".repeat(64);
        let first = format!(
            "{{\"time\":\"2026-01-02T23:59:59.999999Z\",\"event\":\"records-deleted\",\"sequence\":1,\"previous\":\"{zeros}\",\"file\":\"f\",\"reason\":\"x\"}}"
        );
        assert_eq!(text(date!(2026 - 01 - 02)), format!("{first}\n"));
        let second = text(date!(2026 - 01 - 03));
        assert_eq!(second.lines().count(), 2);
        let head = LineHash::of(first.as_bytes());
        assert!(
            second.starts_with(&format!("{{\"time\":\"2026-01-03T00:00:00.000000Z\",\"event\":\"records-deleted\",\"sequence\":2,\"previous\":\"{head}\",\"file\":\"f\",\"reason\":\"x\"}}\n"))
        );
        assert_eq!(told.try_iter().collect::<Vec<_>>(), [date!(2026 - 01 - 02), date!(2026 - 01 - 03)]);
    }
}
