//! Where events are handed in.

use super::event::Event;
use super::file::{self, DayFile};
use super::keeper::Keeper;
use super::lock::{Lock, NotLocked};
use super::queue::Queue;
use super::settings::{AuditSettings, Durability, OnFailure};
use super::writer::{How, Patience, Writer};
use super::{recovery, used};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// Why records cannot be kept from the start.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(
        "cannot use the audit directory {}: {source}; give the account that runs dimsegate write access to it, or set audit.directory to another one",
        directory.display()
    )]
    Directory { directory: PathBuf, source: io::Error },
    #[error(
        "cannot go on with the audit file {}: {source}; give the account that runs dimsegate write access to it, or move it away",
        file.display()
    )]
    File { file: PathBuf, source: io::Error },
    #[error(
        "{} writes to the audit directory {}; stop it, or give this one a directory of its own: audit.directory",
        match process { Some(id) => format!("process {id}"), None => "another process".to_owned() },
        directory.display()
    )]
    InUse { directory: PathBuf, process: Option<u32> },
    #[error("cannot start the thread that writes audit records: {0}")]
    Thread(io::Error),
}

/// The way into the audit trail; cheap to clone.
#[derive(Clone, Debug)]
pub struct Audit {
    queue: Arc<Queue>,
    on_failure: OnFailure,
    durability: Durability,
    recovered: bool,
}

/// The writing side. Dropping it without [`close`](Self::close) ends it too, but waits for nothing.
#[derive(Debug)]
pub struct AuditTask {
    queue: Arc<Queue>,
    finished: oneshot::Receiver<()>,
}

/// Bytes that may wait to be written: about eight thousand operations.
const CAPACITY: u32 = 8 * 1024 * 1024;
const PATIENCE: Patience = Patience {
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(5),
    at_end: Duration::from_secs(5),
};

impl Audit {
    /// Makes the directory where it is missing, closes off a torn line, and starts the thread that writes.
    ///
    /// # Errors
    /// [`AuditError`] where the directory or a file in it cannot be read or written.
    pub fn start(settings: AuditSettings) -> Result<(Self, AuditTask), AuditError> {
        Self::start_with(settings, CAPACITY, PATIENCE)
    }

    pub(super) fn start_with(
        settings: AuditSettings,
        capacity: u32,
        patience: Patience,
    ) -> Result<(Self, AuditTask), AuditError> {
        let AuditSettings { directory, on_failure, patient_identifiers, durability, checkpoints, keeping } =
            settings;
        let unusable = |source| AuditError::Directory { directory: directory.clone(), source };
        file::create_directory(&directory).map_err(unusable)?;
        let lock = Lock::take(&directory).map_err(|why| match why {
            NotLocked::Taken(process) => AuditError::InUse { directory: directory.clone(), process },
            NotLocked::Io(error) => unusable(error),
        })?;
        used::create_folder(&directory).map_err(unusable)?;
        let recovered =
            recovery::recover(&directory).map_err(|(file, source)| AuditError::File { file, source })?;
        let today = OffsetDateTime::now_utc().date();
        let day = recovered.not_before.map_or(today, |day| day.max(today));
        let file = DayFile::open(&directory, day).map_err(unusable)?;
        let queue = Arc::new(Queue::new(capacity));
        let (begun, days) = mpsc::channel();
        Keeper::new(directory.clone(), keeping, queue.clone()).start(days).map_err(AuditError::Thread)?;
        let (open, over) = mpsc::channel();
        used::start(directory.clone(), queue.clone(), over).map_err(AuditError::Thread)?;
        let how = How { checkpoints, durability, patient_identifiers, patience };
        let writer = Writer::new(queue.clone(), directory, file, recovered.chain, how, begun);
        let (finish, finished) = oneshot::channel();
        let work = move || {
            writer.run();
            drop((open, lock));
            // Nobody waits where the task was dropped.
            let _ = finish.send(());
        };
        std::thread::Builder::new().name("audit".into()).spawn(work).map_err(AuditError::Thread)?;
        let task = AuditTask { queue: queue.clone(), finished };
        let recovered = recovered.torn;
        Ok((Self { queue, on_failure, durability, recovered }, task))
    }

    /// Gives the event its time and its place in the sequence, and queues it.
    ///
    /// With [`OnFailure::Block`] this waits for room, without a bound; dropping the future before it is done drops the
    /// event. With [`Durability::EveryRecord`] it then waits until the disk has kept the record; dropping the future
    /// drops nothing any more. With [`OnFailure::Allow`] it never waits.
    pub async fn record(&self, mut event: Event) {
        if let Event::Started(started) = &mut event {
            started.recovered = self.recovered;
        }
        let name = event.name();
        let queued = match self.on_failure {
            OnFailure::Block if self.durability == Durability::EveryRecord => {
                let (kept, on_disk) = oneshot::channel();
                let queued = self.queue.push(event, Some(kept)).await;
                // An error is the end of the trail, which its writer has told.
                let _ = on_disk.await;
                queued
            }
            OnFailure::Block => self.queue.push(event, None).await,
            OnFailure::Allow => self.queue.push_or_lose(event),
        };
        if queued.is_err() {
            tracing::error!(event = name, "an audit record came after the audit trail was closed");
        }
    }

    /// False from the first write that fails until one succeeds again.
    pub fn writable(&self) -> bool {
        self.queue.is_writable()
    }

    /// Whether new associations may be let in, as far as the audit trail is concerned.
    pub fn admits(&self) -> bool {
        self.writable() || self.on_failure == OnFailure::Allow
    }
}

impl AuditTask {
    /// Writes out what is queued and waits for the disk to keep it, for some seconds at most.
    pub async fn close(mut self) {
        self.queue.end();
        // The writer's own patience ends before; this is for a disk that hangs.
        let bound = PATIENCE.at_end + Duration::from_secs(2);
        if tokio::time::timeout(bound, &mut self.finished).await.is_err() {
            tracing::error!("the audit trail could not be closed in time");
        }
    }
}

impl Drop for AuditTask {
    fn drop(&mut self) {
        self.queue.end();
    }
}
