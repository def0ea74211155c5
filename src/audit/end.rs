//! The end of the trail: chains records to it in the file of their day, signs them, and has the disk keep them.

use super::chain::{Chain, Draft};
use super::days::Days;
use super::file::{self, DayFile};
use super::keeper::Begun;
use super::marker::Marker;
use super::queue::{Kept, Pending, Queue};
use super::record::{Event, patient};
use super::recovery;
use super::settings::Checkpoints;
use crate::vocabulary::Notice;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use time::Date;

/// How often the disk is asked to keep what was written.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Most bytes of one write.
const WRITE_SIZE: usize = 256 * 1024;

pub(super) struct End {
    queue: Arc<Queue>,
    directory: PathBuf,
    file: Option<DayFile>,
    /// Of the file, before it is open.
    days: Days,
    /// A torn line of an earlier run that is still to be closed off.
    unclosed: Option<PathBuf>,
    /// Where the lines in the file end.
    chain: Chain,
    patients: patient::Renderer,
    /// Buffers for lines and for the fields of one record, empty between two uses.
    draft: Draft,
    fields: Vec<u8>,
    checkpoints: Option<Checkpoints>,
    /// Of the first record that no checkpoint is over.
    unsigned_since: Option<Instant>,
    last_sync: Instant,
    /// When the path was last seen to lead to the file.
    seen_in_place: Option<Instant>,
    /// Written, and not yet kept by the disk.
    unkept: Vec<Kept>,
    /// Told of each day of which the disk keeps a line: earlier files may be closed.
    begun: mpsc::Sender<Begun>,
    last_begun: Option<Date>,
    /// Keeps the head of the trail.
    marker: Marker,
}

impl End {
    /// Goes on with the file of these days, behind this end of the chain, after closing off a line that was torn and is not
    /// closed off. `begun` is told of each day of which the disk keeps a line.
    pub(super) fn new(
        queue: Arc<Queue>,
        directory: PathBuf,
        (days, chain, unclosed): (Days, Chain, Option<PathBuf>),
        (checkpoints, patients, tenant): (Option<Checkpoints>, patient::Renderer, Option<Arc<str>>),
        begun: mpsc::Sender<Begun>,
    ) -> Self {
        let marker = Marker::new(&directory, checkpoints.as_ref());
        Self {
            queue,
            directory,
            file: None,
            days,
            unclosed,
            chain,
            patients,
            draft: Draft::of_tenant(Chain::BEGINNING, tenant),
            fields: Vec::new(),
            checkpoints,
            unsigned_since: None,
            last_sync: Instant::now(),
            seen_in_place: None,
            unkept: Vec::new(),
            begun,
            last_begun: None,
            marker,
        }
    }

    /// The file that is written to, or would be.
    pub(super) fn path(&self) -> PathBuf {
        let day = || file::path_of(&self.directory, self.days.name);
        let path = self.file.as_ref().map_or_else(day, |file| file.path().to_owned());
        self.unclosed.clone().unwrap_or(path)
    }

    /// The run ends in good order: says so, signed, where records are.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.seal(true)?;
        self.marker.at_end(self.chain);
        Ok(())
    }

    /// Appends a batch, each record to the file of its day; what is in a file leaves the batch.
    pub(super) fn write_batch(&mut self, batch: &mut VecDeque<Pending>) -> io::Result<()> {
        if let Some(path) = &self.unclosed {
            recovery::close_off(path)?;
            self.unclosed = None;
        }
        // Asked for even where records are there: a clock that was set is noticed within a heartbeat.
        let now = self.queue.now();
        let day = batch.front().map_or(now, |first| first.time).date();
        self.look_after_file(day)?;
        while let Some(first) = batch.front() {
            let day = first.time.date();
            self.look_after_day(day)?;
            self.write_lines(batch, day)?;
        }
        Ok(())
    }

    /// Opens the file again where its path no longer leads to it.
    fn look_after_file(&mut self, day: Date) -> io::Result<()> {
        if self.is_there() {
            return self.look_after_day(day);
        }
        let days = self.file.as_ref().map_or(Days::new(day), |file| Days::new(file.days().name));
        self.file = Some(DayFile::open(&self.directory, days)?);
        tracing::error!(directory = %self.directory.display(),
            "the audit file was removed or replaced while in use; a new one is begun");
        self.queue.push_alert(
            Notice::AuditFileReplaced,
            "the audit file was removed or replaced while in use",
            None,
        );
        self.look_after_day(day)
    }

    /// Whether records are found where they belong. That nothing is written into a file that was removed is seen to each time;
    /// that nobody has moved it, whose records are there all the same, once in a heartbeat.
    fn is_there(&mut self) -> bool {
        let Some(file) = &self.file else { return true };
        if self.seen_in_place.is_some_and(|seen| seen.elapsed() < HEARTBEAT) {
            return file.is_linked();
        }
        self.seen_in_place = Some(Instant::now());
        file.in_place()
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
    fn write_lines(&mut self, batch: &mut VecDeque<Pending>, day: Date) -> io::Result<()> {
        let mut draft = self.draft.take();
        draft.begin(self.chain);
        for record in batch.iter_mut().take_while(|record| record.time.date() == day) {
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
        let appended = self.append(&draft, batch);
        self.draft = draft;
        appended
    }

    fn append(&mut self, draft: &Draft, batch: &mut VecDeque<Pending>) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        let written = file.append(&draft.lines);
        self.queue.tap.written(draft.lines.get(..written.whole).unwrap_or_default());
        if let Some((chain, queued)) = draft.after(written.whole) {
            self.chain = chain;
            self.marker.written(chain, draft.checkpoint_within(written.whole));
            self.unsigned_since = match chain.unsigned {
                0 => None,
                _ => self.unsigned_since.or_else(|| Some(Instant::now())),
            };
            let mut room = 0_usize;
            for record in batch.drain(..queued) {
                room = room.saturating_add(record.cost as usize);
                file.took(record.time.date());
                self.unkept.extend(record.kept);
            }
            self.queue.written(queued as u64, room);
        }
        written.failure.map_or(Ok(()), Err)
    }

    /// Signs what waits for it for long enough.
    pub(super) fn checkpoint_if_due(&mut self) -> io::Result<()> {
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
        let mut draft = self.draft.another(self.chain);
        draft.checkpoint(time, &checkpoints.key, last);
        self.append(&draft, &mut VecDeque::new())
    }

    /// Has the disk keep what was written, at once or when it is time.
    pub(super) fn sync_if_due(&mut self, now: bool) -> io::Result<()> {
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
}

/// The fields of a record. One without a form keeps its place in the sequence.
fn fields(to: &mut Vec<u8>, event: &mut Event, patients: &mut patient::Renderer) {
    if let Event::Operation(operation) = event {
        operation.patient = operation.patient.take().and_then(|patient| patients.render(patient));
        patients.render_originals(operation);
        if let Some(query) = &mut operation.query {
            query.render(patients.how());
        }
    }
    if let Err(error) = event.fields(to) {
        tracing::error!(event = event.name(), %error, "an audit record has no JSON form");
        to.clear();
        to.extend_from_slice(b"{}");
    }
}

#[cfg(test)]
mod tests {
    use super::{Begun, End, HEARTBEAT};
    use crate::audit::LineHash;
    use crate::audit::chain::Chain;
    use crate::audit::days::Days;
    use crate::audit::file::path_of;
    use crate::audit::queue::{Pending, Queue};
    use crate::audit::record::patient;
    use crate::audit::{Event, PatientIdentifiers, RecordsDeleted};
    use crate::scratch::Scratch;
    use std::collections::VecDeque;
    use std::sync::{Arc, mpsc};
    use std::time::Instant;
    use time::OffsetDateTime;
    use time::macros::{date, datetime};

    /// The end of an empty trail, and what is told of its days.
    fn end(home: &Scratch) -> (End, mpsc::Receiver<Begun>) {
        let days = Days::new(date!(2026 - 01 - 02));
        let queue = Arc::new(Queue::new(1 << 20));
        let (begun, told) = mpsc::channel();
        let patients = patient::Renderer::new(PatientIdentifiers::None);
        let at = (days, Chain::BEGINNING, None);
        (End::new(queue, home.path().to_owned(), at, (None, patients, None), begun), told)
    }

    fn pending(time: OffsetDateTime) -> Pending {
        let event =
            Event::RecordsDeleted(RecordsDeleted { file: "f".into(), lines: None, reason: "x".into() });
        Pending { time, event, cost: 0, kept: None }
    }

    /// Lines where they belong, behind one more batch of one record.
    fn lines_after_one_more(end: &mut End, home: &Scratch) -> usize {
        end.write_batch(&mut VecDeque::from([pending(datetime!(2026-01-02 08:00 UTC))])).unwrap();
        let text = std::fs::read_to_string(path_of(home.path(), date!(2026 - 01 - 02)));
        text.map_or(0, |text| text.lines().count())
    }

    #[test]
    fn nothing_is_written_into_a_file_that_was_removed_and_one_that_was_moved_is_missed_within_a_heartbeat() {
        let home = Scratch::new();
        let (mut end, _told) = end(&home);
        let path = path_of(home.path(), date!(2026 - 01 - 02));
        assert_eq!(lines_after_one_more(&mut end, &home), 1);
        assert_eq!(lines_after_one_more(&mut end, &home), 2);
        end.seen_in_place = Some(Instant::now());
        std::fs::remove_file(&path).unwrap();
        assert_eq!(lines_after_one_more(&mut end, &home), 1, "at once");
        let aside = home.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        end.seen_in_place = Instant::now().checked_sub(HEARTBEAT);
        assert_eq!(lines_after_one_more(&mut end, &home), 1, "within a heartbeat");
        assert_eq!(std::fs::read_to_string(&aside).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_record_goes_to_the_file_of_its_own_day() {
        let home = Scratch::new();
        let (mut end, told) = end(&home);
        let mut batch = VecDeque::new();
        let times = [
            datetime!(2026-01-02 23:59:59.999999 UTC),
            datetime!(2026-01-03 00:00:00 UTC),
            datetime!(2026-01-03 00:00:01 UTC),
        ];
        batch.extend(times.map(pending));
        while let Some(first) = batch.front() {
            let day = first.time.date();
            end.look_after_day(day).unwrap();
            end.write_lines(&mut batch, day).unwrap();
        }
        end.sync_if_due(true).unwrap();
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
