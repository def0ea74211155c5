//! The thread that chains and appends records, keeps those that it cannot write, and tries again.

use super::chain::{Chain, Draft};
use super::days::Days;
use super::event::Event;
use super::file::{self, DayFile};
use super::json;
use super::keeper::Begun;
use super::marker::Marker;
use super::patient::{self, PatientIdentifiers};
use super::queue::{Kept, Pending, Queue};
use super::recovery;
use super::refused::SecurityAlert;
use super::settings::{Checkpoints, Durability};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use time::Date;

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
    /// Of the file, before it is open.
    days: Days,
    /// A torn line of an earlier run that is still to be closed off.
    unclosed: Option<PathBuf>,
    /// Where the lines in the file end.
    chain: Chain,
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
    begun: mpsc::Sender<Begun>,
    last_begun: Option<Date>,
    /// Keeps the head of the trail.
    marker: Marker,
    patience: Patience,
    pause: Duration,
    /// When it was first seen that the queue ends.
    ending_since: Option<Instant>,
}

impl Writer {
    /// Begins with the file of these days, behind this end of the chain, after closing off a line that was torn and is
    /// not closed off. `begun` is told of each day of which the disk keeps a line.
    pub(super) fn new(
        queue: Arc<Queue>,
        directory: PathBuf,
        (days, chain, unclosed): (Days, Chain, Option<PathBuf>),
        how: How,
        begun: mpsc::Sender<Begun>,
    ) -> Self {
        let How { checkpoints, durability, patient_identifiers, patience } = how;
        let marker = Marker::new(&directory, checkpoints.as_ref());
        Self {
            queue,
            directory,
            file: None,
            days,
            unclosed,
            chain,
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
            marker,
            pause: patience.first_pause,
            patience,
            ending_since: None,
        }
    }

    /// Writes what is queued before anything else happens.
    ///
    /// # Errors
    /// The file that takes nothing, and why.
    pub(super) fn begin(&mut self) -> Result<(), (PathBuf, io::Error)> {
        self.queue.take(&mut self.batch, Duration::ZERO, Duration::ZERO);
        let written = self.write_batch().and_then(|()| self.sync_if_due(true));
        written.map_err(|error| {
            self.queue.set_writable(false);
            let day = || file::path_of(&self.directory, self.days.name);
            let path = self.file.as_ref().map_or_else(day, |file| file.path().to_owned());
            (self.unclosed.clone().unwrap_or(path), error)
        })
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
            self.seal(true)?;
            self.marker.at_end(self.chain);
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
        if let Some(path) = &self.unclosed {
            recovery::close_off(path)?;
            self.unclosed = None;
        }
        // Asked for even where records are there: a clock that was set is noticed within a heartbeat.
        let now = self.queue.now();
        let day = self.batch.front().map_or(now, |first| first.time).date();
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
        let days = self.file.as_ref().map_or(Days::new(day), |file| Days::new(file.days().name));
        self.file = Some(DayFile::open(&self.directory, days)?);
        tracing::error!(directory = %self.directory.display(),
            "the audit file was removed or replaced while in use; a new one is begun");
        self.own_record("audit-file-replaced", "the audit file was removed or replaced while in use", None);
        self.look_after_day(day)
    }

    /// A day's file ends with a checkpoint, and is followed by one of a later name only.
    fn look_after_day(&mut self, day: Date) -> io::Result<()> {
        let Some(days) = self.file.as_ref().map(DayFile::days) else {
            if !self.days.take(day) {
                self.days = Days::new(self.days.next(day));
            }
            self.file = Some(DayFile::open(&self.directory, self.days)?);
            return Ok(());
        };
        if !days.take(day) {
            self.seal(false)?;
            self.sync_if_due(true)?;
            self.file = Some(DayFile::open(&self.directory, Days::new(days.next(day)))?);
        }
        Ok(())
    }

    /// Appends the records of this day at the front of the batch, as many as one write takes.
    fn write_lines(&mut self, day: Date) -> io::Result<()> {
        let mut draft = std::mem::take(&mut self.draft);
        draft.begin(self.chain);
        for record in self.batch.iter_mut().take_while(|record| record.time.date() == day) {
            if draft.lines.len() >= WRITE_SIZE {
                break;
            }
            self.fields.clear();
            fields(&mut self.fields, &mut record.event, &mut self.patients);
            draft.record(record.time, record.event.name(), &self.fields);
            if let Some(checkpoints) = &self.checkpoints
                && (draft.chain.unsigned >= checkpoints.records || record.event.is_signed_at_once())
            {
                draft.checkpoint(record.time, &checkpoints.key, false);
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
            self.marker.written(chain, draft.checkpoint_within(written.whole));
            self.unsigned_since = match chain.unsigned {
                0 => None,
                _ => self.unsigned_since.or_else(|| Some(Instant::now())),
            };
            let mut room = 0_usize;
            for record in self.batch.drain(..queued) {
                room = room.saturating_add(record.cost as usize);
                file.took(record.time.date());
                self.unkept.extend(record.kept);
            }
            self.queue.written(room);
        }
        written.failure.map_or(Ok(()), Err)
    }

    fn checkpoint_if_due(&mut self) -> io::Result<()> {
        let interval = self.checkpoints.as_ref().map(|checkpoints| checkpoints.interval);
        match (interval, self.unsigned_since) {
            (Some(interval), Some(since)) if since.elapsed() >= interval => self.seal(false),
            _ => Ok(()),
        }
    }

    /// Signs what is in the file, unless that was done; the end of a run is signed all the same.
    fn seal(&mut self, last: bool) -> io::Result<()> {
        let (Some(checkpoints), Some(file)) = (&self.checkpoints, &self.file) else { return Ok(()) };
        if self.chain.unsigned == 0 && !last {
            return Ok(());
        }
        // Of a day that is over, the end: the checkpoint is in its file.
        let day_ends = file.days().name.with_hms_micro(23, 59, 59, 999_999);
        let now = self.queue.now();
        let time = day_ends.map_or(now, |end| now.min(end.assume_utc()));
        let mut draft = Draft::new(self.chain);
        draft.checkpoint(time, &checkpoints.key, last);
        self.append(&draft)
    }

    fn sync_if_due(&mut self, now: bool) -> io::Result<()> {
        if !now && self.last_sync.elapsed() < HEARTBEAT {
            return Ok(());
        }
        self.last_sync = Instant::now();
        let Some(file) = &mut self.file else { return Ok(()) };
        let (synced, days) = (file.sync()?, file.days());
        if synced && self.last_begun != Some(days.name) {
            self.last_begun = Some(days.name);
            let today = days.within.map_or(days.name, |(_, last)| last);
            // Where nobody closes files, nobody has to know.
            let _ = self.begun.send(Begun { file: days.name, today });
        }
        self.marker.kept();
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
    use crate::audit::days::Days;
    use crate::audit::file::path_of;
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
        let days = Days::new(date!(2026 - 01 - 02));
        let queue = Arc::new(Queue::new(1024));
        let (begun, told) = mpsc::channel();
        let how = How {
            checkpoints: None,
            durability: Durability::EveryRecord,
            patient_identifiers: PatientIdentifiers::None,
            patience,
        };
        let mut writer =
            Writer::new(queue, home.path().to_owned(), (days, Chain::BEGINNING, None), how, begun);
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
        while let Some(first) = writer.batch.front() {
            let day = first.time.date();
            writer.look_after_day(day).unwrap();
            writer.write_lines(day).unwrap();
        }
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
        let told: Vec<_> = told.try_iter().map(|begun| (begun.file, begun.today)).collect();
        let days = [date!(2026 - 01 - 02), date!(2026 - 01 - 03)];
        assert_eq!(told, days.map(|day| (day, day)));
    }
}
