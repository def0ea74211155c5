//! Where events are handed in.

use super::clock;
use super::days::Days;
use super::file;
use super::keeper::Keeper;
use super::lock::{Lock, NotLocked};
use super::queue::{Flow, Queue};
use super::record::{ClockStepped, Event, SecurityAlert, TrailContinued};
use super::recovery::Recovered;
use super::settings::{AuditSettings, Durability, OnFailure};
use super::tap::Following;
use super::writer::{How, Patience, Writer};
use super::{recovery, used};
use crate::files::{full, is_full};
use crate::vocabulary::Notice;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tokio::sync::oneshot;

/// Why records cannot be kept from the start.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The directory cannot be made, listed or locked.
    #[error(
        "cannot use the audit directory {}: {source}; give the account that runs dimsegate write access to it, or set audit.directory to another one",
        full(directory)
    )]
    Directory {
        /// `audit.directory`.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file of the trail cannot be read, or opened to be gone on with.
    #[error(
        "cannot go on with the audit file {}: {source}; give the account that runs dimsegate write access to it, or move it away",
        full(file)
    )]
    File {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The first record of the run cannot be written.
    #[error(
        "cannot write to the audit file {}: {source}; make room or give the account that runs dimsegate write access, or start without records with audit.on-failure = \"allow\"",
        full(file)
    )]
    Write {
        /// The file of the day.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Another run writes there, and two would break the chain of each other.
    #[error(
        "{} writes to the audit directory {}; {}",
        match process { Some(id) => format!("process {id}"), None => "another process".to_owned() },
        full(directory),
        in_use(*process)
    )]
    InUse {
        /// `audit.directory`.
        directory: PathBuf,
        /// Its process id, where its lock tells one.
        process: Option<u32>,
    },
    /// What is there is of another one.
    #[error(
        "the last record in the audit directory {} is of another tenant; give each tenant a directory of its own, also where one takes the place of another: audit.directory",
        full(directory)
    )]
    OfAnother {
        /// `audit.directory`.
        directory: PathBuf,
    },
    /// With what the system says.
    #[error("cannot start the thread that writes audit records: {0}")]
    Thread(io::Error),
}

/// What to do about it. Whoever reads a file with tenants again may be the one that writes there.
fn in_use(process: Option<u32>) -> &'static str {
    if process == Some(std::process::id()) {
        "that is this process itself, for another tenant of the configuration in force or for one whose last associations end: \
         give a tenant that comes, or that has another name now, a directory of its own: audit.directory"
    } else {
        "stop it, or give this one a directory of its own: audit.directory"
    }
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

/// A record that somebody waited for is not on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept {
    /// It is in its place in the sequence, and written as soon as that can be.
    pub queued: bool,
}

/// Longest wait of somebody who is to get an answer, where a disk hangs rather than fails.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// Bytes that may wait to be written: about eight thousand operations.
const CAPACITY: u32 = 8 * 1024 * 1024;
const PATIENCE: Patience = Patience {
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(5),
    at_end: Duration::from_secs(5),
};

impl Audit {
    /// Makes the directory where it is missing, closes off a torn line, records what was found, and starts the thread that
    /// writes. With [`OnFailure::Allow`] a disk that is full hinders nothing of it.
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
        let tenant = settings.tenant.clone();
        let AuditSettings {
            directory,
            on_failure,
            patient_identifiers,
            durability,
            checkpoints,
            keeping,
            ..
        } = settings;
        let unusable = |source| AuditError::Directory { directory: directory.clone(), source };
        let allowed = |error: &io::Error| on_failure == OnFailure::Allow && is_full(error);
        file::create_directory(&directory).map_err(unusable)?;
        let lock = match Lock::take(&directory) {
            Ok(lock) => Some(lock),
            Err(NotLocked::Taken(process)) => return Err(AuditError::InUse { directory, process }),
            Err(NotLocked::Io(file, source)) if allowed(&source) => {
                tracing::error!(file = %file.display(), error = %source, "records begin without a lock");
                None
            }
            Err(NotLocked::Io(file, source)) => return Err(AuditError::Write { file, source }),
        };
        make_folder_for_notes(&directory).map_err(unusable)?;
        let recovered = recovery::recover(&directory, checkpoints.as_ref())
            .map_err(|(file, source)| AuditError::File { file, source })?;
        if tenant.is_some() && recovered.tenant.as_deref().is_some_and(|of| Some(of) != tenant.as_deref()) {
            return Err(AuditError::OfAnother { directory });
        }
        let queue = Arc::new(Queue::new(capacity));
        let is_torn = recovered.found.recovered;
        tell(&recovered, &directory);
        let step = recovered.last_time.and_then(|last| clock::behind(last, queue.now()));
        tell_queue(&queue, recovered.found.explained(), step);
        let days = recovered.newest.unwrap_or_else(|| Days::new(queue.now().date()));
        let (begun, of_days) = mpsc::channel();
        let how = How { tenant, checkpoints, durability, patient_identifiers, patience };
        let at = (days, recovered.chain, recovered.unclosed);
        let mut writer = Writer::new(queue.clone(), directory.clone(), at, how, begun);
        if let Err((file, source)) = writer.begin() {
            if !allowed(&source) {
                return Err(AuditError::Write { file, source });
            }
            tracing::error!(file = %file.display(), error = %source, "audit records cannot be written");
        }
        Keeper::new(directory.clone(), keeping, queue.clone()).start(of_days).map_err(AuditError::Thread)?;
        let (open, over) = mpsc::channel();
        let used = used::start(directory, queue.clone(), over).map_err(AuditError::Thread)?;
        let (finish, finished) = oneshot::channel();
        let work = move || {
            writer.run();
            drop(open);
            // One that panicked has nothing left to wait for.
            let _ = used.join();
            drop(lock);
            // Nobody waits where the task was dropped.
            let _ = finish.send(());
        };
        std::thread::Builder::new().name("audit".into()).spawn(work).map_err(AuditError::Thread)?;
        let task = AuditTask { queue: queue.clone(), finished };
        Ok((Self { queue, on_failure, durability, recovered: is_torn }, task))
    }

    /// Gives the event its time and its place in the sequence, and queues it.
    ///
    /// With [`OnFailure::Block`] this waits for room, without a bound but for [`hurry`](Self::hurry); dropping the future before it is done drops the
    /// event. With [`Durability::EveryRecord`] it then waits until the disk has kept the record; dropping the future
    /// drops nothing any more. With [`OnFailure::Allow`] it never waits.
    pub async fn record(&self, mut event: Event) {
        if let Event::Started(started) = &mut event {
            started.recovered = self.recovered;
        }
        let name = event.known_name();
        let queued = match self.on_failure {
            OnFailure::Block if self.durability == Durability::EveryRecord => {
                let (kept, on_disk) = oneshot::channel();
                let queued = self.queue.push(event, Some(kept)).await;
                tokio::select! {
                    // An error is the end of the trail, which its writer has told.
                    _ = on_disk => {}
                    () = self.queue.hurried() => {}
                }
                queued
            }
            OnFailure::Block => self.queue.push(event, None).await,
            OnFailure::Allow => self.queue.push_or_lose(event),
        };
        if queued.is_err() {
            too_late(name);
        }
    }

    /// As [`record`](Self::record), for somebody who waits for an answer: not longer than [`ANSWERED_WITHIN`], and not while
    /// writing fails.
    ///
    /// # Errors
    /// [`NotKept`]: nothing may be done as if the record were there.
    pub async fn record_for_answer(&self, event: Event) -> Result<(), NotKept> {
        if self.on_failure == OnFailure::Allow {
            self.record(event).await;
            return Ok(());
        }
        let (kept, on_disk) = oneshot::channel();
        let waits = self.durability == Durability::EveryRecord;
        let in_vain = async {
            tokio::select! {
                () = self.queue.unwritable() => {}
                () = tokio::time::sleep(ANSWERED_WITHIN) => {}
            }
        };
        let mut in_vain = std::pin::pin!(in_vain);
        let name = event.known_name();
        tokio::select! {
            // What is in the queue already need not be withdrawn.
            biased;
            queued = self.queue.push(event, waits.then_some(kept)) => {
                if queued.is_err() {
                    too_late(name);
                }
            }
            () = &mut in_vain => return Err(NotKept { queued: false }),
        }
        if !waits {
            return Ok(());
        }
        tokio::select! {
            biased;
            // An error is the end of the trail, which its writer has told.
            _ = on_disk => Ok(()),
            () = self.queue.hurried() => Ok(()),
            () = in_vain => Err(NotKept { queued: true }),
        }
    }

    /// Records from now on, as they are written.
    pub fn follow(&self) -> Following {
        self.queue.tap.follow()
    }

    /// Records that somebody was turned away, and never waits: whoever is turned away gets an answer. Where there is no
    /// room it is counted, and `records-lost` tells how many.
    pub fn record_refusal(&self, event: Event) {
        let name = event.known_name();
        if self.queue.push_or_lose(event).is_err() {
            too_late(name);
        }
    }

    /// The process is about to end: from now on nobody waits for room or for the disk, which may never take anything
    /// again. What is queued is still written within [`AuditTask::close`].
    pub fn hurry(&self) {
        self.queue.hurry();
    }

    /// How many records wait, were written and were lost.
    pub fn flow(&self) -> Flow {
        self.queue.flow()
    }

    /// False from the first write that fails until one succeeds again.
    pub fn writable(&self) -> bool {
        self.queue.is_writable()
    }

    /// Whether records of refusals may be added: half of the room is kept for those of operations.
    pub fn has_room_for_refusals(&self) -> bool {
        self.queue.is_calm()
    }

    /// Whether new associations may be let in, as far as the audit trail is concerned.
    pub fn admits(&self) -> bool {
        self.on_failure == OnFailure::Allow || (self.writable() && !self.queue.is_stuck())
    }
}

/// On a disk that takes nothing there is none.
fn make_folder_for_notes(directory: &Path) -> io::Result<()> {
    match used::create_folder(directory) {
        Err(error) if is_full(&error) => {
            tracing::error!(directory = %directory.display(), %error, "no folder for who reads the records");
            Ok(())
        }
        made => made,
    }
}

fn too_late(event: &str) {
    tracing::error!(event, "an audit record came after the audit trail was closed");
}

/// What the run found of those before, in its first records.
fn tell_queue(queue: &Queue, found: TrailContinued, step: Option<ClockStepped>) {
    let alert = found.is_wrong().then(|| SecurityAlert {
        reason: Notice::TrailChanged.label().into(),
        explanation: found.explanation.clone(),
        ..SecurityAlert::default()
    });
    queue.push_own(Event::TrailContinued(Box::new(found)), None);
    alert.into_iter().for_each(|alert| queue.push_own(Event::SecurityAlert(Box::new(alert)), None));
    step.into_iter().for_each(|step| queue.push_own(Event::ClockStepped(step), None));
}

/// Where the trail goes on, for the log: it may be kept on another machine than the trail.
fn tell(recovered: &Recovered, directory: &Path) {
    let TrailContinued { unsigned, head, ended, .. } = &recovered.found;
    let head = head.label();
    let last = recovered.chain.last();
    if recovered.found.is_wrong() {
        tracing::error!(directory = %directory.display(), %last, unsigned, ended, head,
            "the audit trail is not as the last run left it; dimsegate audit verify says where");
    } else {
        tracing::info!(directory = %directory.display(), %last, unsigned, ended, "the audit trail goes on");
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
