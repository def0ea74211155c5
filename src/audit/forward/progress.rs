//! How far a destination is: what was read and rendered, and what it has had for good.

use super::cursor::{self, Cursor};
use super::destination::Destination;
use super::failing::Failing;
use super::parcel::Parcel;
use super::position::Position;
use super::reader::Reader;
use super::seal::Seal;
use super::status::{Backlog, Status};
use crate::audit::hold::Hold;
use crate::audit::messages::{self, Renderer};
use crate::audit::record::Record;
use crate::audit::unsent;
use crate::files::is_full;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

/// Reads on from the cursor, and moves it.
pub(super) struct Progress {
    directory: PathBuf,
    to: Destination,
    hold: Hold,
    status: Arc<Status>,
    reader: Reader,
    renderer: Renderer,
    /// Of the last record that was read.
    sequence: u64,
    /// Made of what was read.
    messages: u64,
    /// The first record that was read and is not settled.
    oldest: Option<(u64, OffsetDateTime)>,
    /// What the destination has had for good.
    settled: Cursor,
    seal: Seal,
    /// When `settled` was last stored, and whether it is.
    stored: (Instant, bool),
    /// That it cannot be stored, and that what was sent cannot be deleted.
    unstored: Failing,
    undiscarded: Failing,
    /// Number of the last message of which the destination itself said that it took it: not made again.
    taken: u64,
}

impl Progress {
    /// Loads or makes the cursor, and stores it: what comes from now on is not missed.
    pub(super) fn new(
        directory: PathBuf,
        to: Destination,
        hold: Hold,
        status: Arc<Status>,
    ) -> io::Result<Self> {
        let seal = Seal::of(&directory)?;
        let mut settled = Cursor::load(&directory, &to.name, to.begin, &seal)?;
        if settled.position.is_beyond(&directory)? {
            // A trail that began anew after a clock had leapt would else be passed over for years, in silence.
            tracing::error!(repository = %to.name, file = %settled.position.file,
                "the trail ends before what a repository has had of another; it is sent from its beginning");
            settled = Cursor { messages: settled.messages, ..Cursor::default() };
        }
        let is_stored = match settled.store(&directory, &to.name, &seal) {
            // It is stored later; until then a crash forgets where a new destination began.
            Err(error) if is_full(&error) => {
                tracing::error!(repository = %to.name, %error, "cannot store how far a repository has come");
                false
            }
            Err(error) => {
                let path = cursor::path_of(&directory, &to.name);
                return Err(io::Error::new(
                    error.kind(),
                    format!("cannot write {}: {error}", path.display()),
                ));
            }
            Ok(()) => true,
        };
        hold.is_at(&to.name, settled.position.day(), settled.position.offset);
        let (sequence, messages) = (settled.sequence, settled.messages);
        let reader = Reader::new(&directory, settled.position.clone());
        let renderer = Renderer::new(to.source.clone(), settled.state.clone());
        let mut all = Self {
            directory,
            to,
            hold,
            status,
            reader,
            renderer,
            sequence,
            messages,
            oldest: None,
            settled,
            seal,
            stored: (Instant::now(), is_stored),
            unstored: Failing::default(),
            undiscarded: Failing::default(),
            taken: 0,
        };
        all.discard_sent();
        Ok(all)
    }

    /// The messages of the next record, none for many; `None` while there is no record.
    ///
    /// # Errors
    /// The trail cannot be read.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<Parcel>>> {
        let Some(line) = self.reader.next()? else { return Ok(None) };
        if line.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let record = match messages::read(line) {
            Ok(record) => record,
            Err(error) => {
                let file = &self.reader.position().file;
                tracing::warn!(%file, %error, "a line of the audit trail is not forwarded");
                return Ok(Some(Vec::new()));
            }
        };
        self.oldest.get_or_insert((record.sequence, messages::time_of(&record)));
        self.sequence = record.sequence;
        Ok(Some(self.render(&record)))
    }

    fn render(&mut self, record: &Record) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        for message in self.renderer.render(record) {
            self.messages = self.messages.saturating_add(1);
            if self.messages > self.taken {
                let process_id = self.renderer.process_id();
                parcels.push(Parcel::new(&message, &self.to, process_id, self.messages));
            }
        }
        parcels
    }

    /// The destination itself said that it took this, or never will.
    pub(super) fn took(&mut self, parcel: &Parcel) {
        self.taken = self.taken.max(parcel.number);
    }

    /// Everything that was read has arrived for good.
    pub(super) fn settle(&mut self) {
        if *self.reader.position() == self.settled.position {
            return;
        }
        self.settled = Cursor {
            position: self.reader.position().clone(),
            sequence: self.sequence,
            messages: self.messages,
            state: self.renderer.state().clone(),
        };
        self.oldest = None;
        self.stored.1 = false;
        self.status.delivered(self.sequence);
    }

    /// When what is settled may be stored again; `None` where it is.
    pub(super) fn store_due(&self, between: Duration) -> Option<Instant> {
        let (at, stored) = self.stored;
        (!stored).then(|| at + between)
    }

    /// Keeps what is settled, whatever happens to this process.
    pub(super) fn store(&mut self) {
        if self.stored.1 {
            return;
        }
        let stored = self.settled.store(&self.directory, &self.to.name, &self.seal);
        self.stored = (Instant::now(), stored.is_ok());
        match stored {
            // Only what a crash from now on sends twice grows by it.
            Err(error) => {
                if let Some(times) = self.unstored.again(self.stored.0) {
                    tracing::warn!(repository = %self.to.name, %error, times, "cannot store how far a repository has come");
                }
                return;
            }
            Ok(()) if self.unstored.over() => {
                tracing::info!(repository = %self.to.name, "how far a repository has come is stored again");
            }
            Ok(()) => {}
        }
        let Position { offset, .. } = self.settled.position;
        self.hold.is_at(&self.to.name, self.settled.position.day(), offset);
        self.discard_sent();
    }

    fn discard_sent(&mut self) {
        match unsent::discard(&self.directory, &self.hold) {
            Ok(()) => drop(self.undiscarded.over()),
            Err(error) => {
                if let Some(times) = self.undiscarded.again(Instant::now()) {
                    tracing::error!(directory = %self.directory.display(), %error, times, "what is sent cannot be deleted");
                }
            }
        }
    }

    /// Back to what is settled.
    pub(super) fn rewind(&mut self) {
        self.reader = Reader::new(&self.directory, self.settled.position.clone());
        self.renderer = Renderer::new(self.to.source.clone(), self.settled.state.clone());
        (self.sequence, self.messages) = (self.settled.sequence, self.settled.messages);
        self.oldest = None;
    }

    /// Everything in the trail after what is settled.
    pub(super) fn backlog(&mut self) -> io::Result<Backlog> {
        let bytes = self.settled.position.behind(&self.directory)?;
        let following = self.reader.peek()?.and_then(|line| messages::read(line).ok());
        let oldest = self.oldest.or(following.map(|record| (record.sequence, messages::time_of(&record))));
        let Some((first, oldest)) = oldest else { return Ok(Backlog::default()) };
        let newest = Position::last_lines(&self.directory)?;
        let newest = newest.rsplit(|&byte| byte == b'\n').find_map(|line| messages::read(line).ok());
        let last = newest.map_or(first, |record| record.sequence);
        let records = last.saturating_sub(first).saturating_add(1);
        Ok(Backlog { records, bytes, first, oldest: Some(oldest) })
    }
}
