//! The thread that takes records from the queue to the [end](super::end) of the trail, keeps those that it cannot write, and
//! tries again.

use super::chain::Chain;
use super::days::Days;
use super::end::End;
use super::keeper::Begun;
use super::queue::{Pending, Queue};
use super::record::patient::{self, PatientIdentifiers};
use super::settings::{Checkpoints, Durability};
use crate::vocabulary::Notice;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How often an idle file is looked after.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long records wait for others to be written with. It is short beside the second for which the disk may be behind, and
/// long beside what a wake-up of the thread and its look at the file cost: of a CT slice every two milliseconds each was a
/// batch, and the thread took a tenth of the CPU.
const GATHERING: Duration = Duration::from_millis(25);

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
    /// In each line, where it is one of several trails.
    pub tenant: Option<Arc<str>>,
    pub checkpoints: Option<Checkpoints>,
    pub durability: Durability,
    pub patient_identifiers: PatientIdentifiers,
    pub patience: Patience,
}

pub(super) struct Writer {
    queue: Arc<Queue>,
    directory: PathBuf,
    /// Taken from the queue, not yet in the file.
    batch: VecDeque<Pending>,
    end: End,
    durability: Durability,
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
        at: (Days, Chain, Option<PathBuf>),
        how: How,
        begun: mpsc::Sender<Begun>,
    ) -> Self {
        let How { tenant, checkpoints, durability, patient_identifiers, patience } = how;
        let patients = patient::Renderer::new(patient_identifiers);
        let end = End::new(queue.clone(), directory.clone(), at, (checkpoints, patients, tenant), begun);
        let (batch, pause) = (VecDeque::new(), patience.first_pause);
        Self { queue, directory, batch, end, durability, patience, pause, ending_since: None }
    }

    /// Writes what is queued before anything else happens.
    ///
    /// # Errors
    /// The file that takes nothing, and why.
    pub(super) fn begin(&mut self) -> Result<(), (PathBuf, io::Error)> {
        self.queue.take(&mut self.batch, Duration::ZERO, Duration::ZERO);
        let written = self.end.write_batch(&mut self.batch).and_then(|()| self.end.sync_if_due(true));
        written.map_err(|error| {
            self.queue.set_writable(false);
            (self.end.path(), error)
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
        self.end.write_batch(&mut self.batch)?;
        self.end.checkpoint_if_due()?;
        self.end.sync_if_due(self.durability == Durability::EveryRecord)
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.batch.is_empty() {
            self.end.finish()?;
        }
        self.end.sync_if_due(true)
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

    fn succeeded(&mut self) {
        self.pause = self.patience.first_pause;
        if !self.queue.set_writable(true) {
            tracing::warn!(directory = %self.directory.display(), "audit records are written again");
        }
        match self.queue.take_lost() {
            0 => (),
            lost => self.queue.push_alert(
                Notice::RecordsLost,
                "records came while none could be written",
                Some(lost),
            ),
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
}
