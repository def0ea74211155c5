//! One destination: read, render, send, and remember how far it is.

use super::backlog::Backlog;
use super::backoff;
use super::cursor::Cursor;
use super::destination::Destination;
use super::hold::Hold;
use super::sender::{Parcel, Sender, Taken};
use super::status::Status;
use crate::audit::SecurityAlert;
use crate::audit::messages::{Record, Renderer};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// How fast, and how patient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at the trail when there was nothing new.
    pub poll: Duration,
    /// For a connection, a request, a write.
    pub patience: Duration,
    /// How long TCP lets anything stay unacknowledged.
    pub unacknowledged: Duration,
    /// After which a message on an open connection counts as delivered; longer than `unacknowledged`.
    pub settling: Duration,
    /// A record that is older and not delivered is an alert.
    pub alarm: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(250),
            patience: Duration::from_secs(20),
            unacknowledged: Duration::from_secs(20),
            settling: Duration::from_secs(30),
            alarm: Duration::from_secs(10 * 60),
        }
    }
}

/// Between two looks at the backlog while nothing fails.
const LOOK: Duration = Duration::from_secs(5);
/// Between two stored cursors while there is much to send.
const CHECKPOINT: Duration = Duration::from_secs(1);

pub(super) struct Forwarder {
    directory: PathBuf,
    to: Destination,
    pace: Pace,
    status: Arc<Status>,
    hold: Hold,
    alert: Alert,
    stop: watch::Receiver<bool>,
    /// When the backlog was looked at.
    looked: Option<Instant>,
    /// An alert told of the backlog that there is.
    alarmed: bool,
    /// Of the next record to be read.
    cursor: Cursor,
    renderer: Renderer,
    /// What counts as delivered, as it is on the disk.
    settled: Cursor,
    /// Sent, and not yet settled; in the order of time.
    sent: VecDeque<(Instant, Cursor)>,
    last_checkpoint: Option<Instant>,
    /// Number of the last message that the destination itself said it took: not sent again after a failure.
    taken: u64,
}

/// Hands an alert to the trail.
pub(super) type Alert = Arc<dyn Fn(SecurityAlert) + Send + Sync>;

/// What there was to send.
struct Batch {
    parcels: Vec<Parcel>,
    /// Whether any line was read.
    progress: bool,
}

impl Forwarder {
    /// Loads or makes the cursor, and stores it: what comes from now on is not missed.
    pub(super) fn new(
        directory: PathBuf,
        to: Destination,
        pace: Pace,
        status: Arc<Status>,
        (hold, alert): (Hold, Alert),
        stop: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        let cursor = Cursor::load(&directory, &to.name, to.begin)?;
        cursor.store(&directory, &to.name)?;
        hold.needs(&to.name, cursor.position.day());
        let renderer = Renderer::new(to.source.clone(), cursor.state.clone());
        let settled = cursor.clone();
        let (sent, last_checkpoint) = (VecDeque::new(), None);
        Ok(Self {
            directory,
            to,
            pace,
            status,
            hold,
            alert,
            stop,
            looked: None,
            alarmed: false,
            cursor,
            renderer,
            settled,
            sent,
            last_checkpoint,
            taken: 0,
        })
    }

    /// Until it is told to stop and has sent everything, or cannot.
    pub(super) async fn run(mut self) {
        let mut failures = 0_u32;
        while let Err(error) = self.session(&mut failures).await {
            failures = failures.saturating_add(1);
            self.status.failed();
            self.rewind();
            let backlog = self.measure();
            let oldest = backlog.oldest.map(tracing::field::display);
            let pause = backoff::pause(failures);
            tracing::warn!(repository = %self.to.name, %error, records = backlog.records, bytes = backlog.bytes,
                oldest, ?pause, "audit messages wait for their repository");
            if *self.stop.borrow() {
                return;
            }
            // A stop makes it try once more at once.
            tokio::select! {
                () = sleep(pause) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    /// One connection, until it breaks. Ok when it was told to stop and nothing is left.
    async fn session(&mut self, failures: &mut u32) -> io::Result<()> {
        let mut sender = Sender::open(&self.to, &self.pace).await?;
        let opened = Instant::now();
        loop {
            alive(&mut sender).await?;
            self.settle();
            // Looked at before reading: the trail is whole by the time it is set.
            let stopping = *self.stop.borrow();
            let batch = self.next_batch()?;
            let taken = self.send(&mut sender, &batch.parcels).await?;
            if (sender.confirms() && taken.sent > 0) || opened.elapsed() >= self.pace.settling / 10 {
                self.reached(failures);
            }
            if self.has_moved() && (!batch.progress || self.checkpoint_due()) {
                self.checkpoint(sender.confirms());
            }
            if batch.progress {
                continue;
            }
            if self.looked.is_none_or(|looked| looked.elapsed() >= LOOK) {
                self.measure();
            }
            if stopping {
                return self.finish(sender).await;
            }
            tokio::select! {
                error = sender.broken() => return Err(error),
                () = sleep(self.pace.poll) => {}
                _ = self.stop.changed() => {}
            }
        }
    }

    async fn send(&mut self, sender: &mut Sender, parcels: &[Parcel]) -> io::Result<Taken> {
        let mut taken = Taken::default();
        let sent = sender.send(parcels, &mut taken).await;
        if sender.confirms() {
            self.taken = self.taken.max(taken.through);
        }
        if taken != Taken::default() {
            self.status.sent(taken.sent, taken.refused);
        }
        sent.map(|()| taken)
    }

    /// A connection that broke as soon as it was there was no success: the pauses go on growing.
    fn reached(&self, failures: &mut u32) {
        if !self.status.connected(true) && *failures > 0 {
            tracing::info!(repository = %self.to.name, "audit messages reach their repository again");
        }
        *failures = 0;
    }

    /// The messages of the lines that follow.
    fn next_batch(&mut self) -> io::Result<Batch> {
        let chunk = self.cursor.position.read(&self.directory)?;
        let mut parcels = Vec::new();
        for line in chunk.lines.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
            match Record::read(line) {
                Ok(record) => self.render(&record, &mut parcels),
                Err(error) => {
                    tracing::warn!(file = %chunk.end.file, %error, "a line of the audit trail is not forwarded");
                }
            }
        }
        let progress = chunk.end != self.cursor.position;
        self.cursor.position = chunk.end;
        Ok(Batch { parcels, progress })
    }

    fn render(&mut self, record: &Record, parcels: &mut Vec<Parcel>) {
        for message in self.renderer.render(record) {
            self.cursor.messages = self.cursor.messages.saturating_add(1);
            if self.cursor.messages <= self.taken {
                continue;
            }
            let process_id = self.renderer.process_id();
            parcels.push(Parcel::new(&message, &self.to, process_id, self.cursor.messages));
        }
        self.cursor.sequence = record.sequence;
    }

    /// Whether anything was read since the last checkpoint.
    fn has_moved(&self) -> bool {
        let last = self.sent.back().map_or(&self.settled, |(_, cursor)| cursor);
        last.position != self.cursor.position
    }

    fn checkpoint_due(&self) -> bool {
        self.last_checkpoint.is_none_or(|last| last.elapsed() >= CHECKPOINT)
    }

    /// Remembers what has been sent by now.
    fn checkpoint(&mut self, confirmed: bool) {
        let cursor = Cursor { state: self.renderer.state().clone(), ..self.cursor.clone() };
        self.last_checkpoint = Some(Instant::now());
        if confirmed {
            self.keep(cursor);
        } else {
            self.sent.push_back((Instant::now(), cursor));
        }
    }

    /// Keeps what was sent long enough ago.
    fn settle(&mut self) {
        let mut settled = None;
        while self.sent.front().is_some_and(|(at, _)| at.elapsed() >= self.pace.settling) {
            settled = self.sent.pop_front();
        }
        if let Some((_, cursor)) = settled {
            self.keep(cursor);
        }
    }

    fn keep(&mut self, cursor: Cursor) {
        if let Err(error) = cursor.store(&self.directory, &self.to.name) {
            // Only what a crash from now on sends twice grows by it.
            tracing::warn!(repository = %self.to.name, %error, "cannot store how far a repository has come");
        } else {
            self.hold.needs(&self.to.name, cursor.position.day());
        }
        self.status.delivered(cursor.sequence);
        self.settled = cursor;
    }

    /// Back to what counts as delivered.
    fn rewind(&mut self) {
        self.sent.clear();
        self.cursor = self.settled.clone();
        self.renderer = Renderer::new(self.to.source.clone(), self.settled.state.clone());
    }

    async fn finish(&mut self, sender: Sender) -> io::Result<()> {
        if sender.finish().await {
            let last = self.sent.pop_back().map(|(_, cursor)| cursor);
            self.sent.clear();
            if let Some(cursor) = last {
                self.keep(cursor);
            }
        }
        Ok(())
    }

    /// What waits; an alert where it waits too long.
    fn measure(&mut self) -> Backlog {
        self.looked = Some(Instant::now());
        let backlog = Backlog::after(&self.settled.position, &self.directory).unwrap_or_default();
        self.status.backlog(&backlog);
        let age = backlog.oldest.map(|oldest| OffsetDateTime::now_utc() - oldest);
        match age.is_some_and(|age| age > self.pace.alarm) {
            true if !self.alarmed && !*self.stop.borrow() => self.alarm(&backlog),
            true => {}
            false => self.alarmed = false,
        }
        backlog
    }

    fn alarm(&mut self, backlog: &Backlog) {
        self.alarmed = true;
        let oldest = backlog.oldest.map_or_else(String::new, |oldest| format!(", the oldest of {oldest}"));
        let explanation = format!(
            "repository \"{}\" has not had {} records ({} bytes){oldest}; they are kept and sent when it takes them",
            self.to.name, backlog.records, backlog.bytes
        );
        tracing::error!(repository = %self.to.name, "{explanation}");
        (self.alert)(SecurityAlert {
            reason: "repository-behind".into(),
            explanation,
            records: Some(backlog.records),
            ..SecurityAlert::default()
        });
    }
}

/// Whether nothing says that the way is broken.
async fn alive(sender: &mut Sender) -> io::Result<()> {
    tokio::select! {
        biased;
        error = sender.broken() => Err(error),
        () = std::future::ready(()) => Ok(()),
    }
}
