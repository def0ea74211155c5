//! An open crosswalk, as the relay and the commands use it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::{mpsc, oneshot};
use tokio::task::block_in_place;

use super::database::{Column, Database};
use super::error::{CrosswalkError, NotStored};
use super::known::Known;
use super::lock::Lock;
use super::secret::Secret;
use super::upkeep;
use super::writer::{Request, Writer};
use crate::files;
use crate::rewrite::{Correspondence, Correspondences, Kind, Unavailable};

/// Requests that may wait for the writer; those behind them wait for a place.
const QUEUE: usize = 1024;
/// How long anyone waits to be remembered. A disk that takes longer is as good as full.
const PATIENCE: Duration = Duration::from_secs(10);

/// A crosswalk that is open for writing; no other process can have it so.
pub struct Crosswalk {
    path: PathBuf,
    secret: Secret,
    reader: Mutex<Database>,
    known: Arc<Known>,
    requests: Option<mpsc::Sender<Request>>,
    writer: Option<JoinHandle<()>>,
    _lock: Lock,
}

impl Crosswalk {
    /// Opens the database, or makes it with its folder, readable by its owner only.
    ///
    /// # Errors
    /// It is in use, of another key, damaged, no crosswalk, or cannot be made.
    pub fn open(path: &Path, secret: &Secret) -> Result<Self, CrosswalkError> {
        files::make_folder_of(path).map_err(|error| CrosswalkError::open(path, error))?;
        let lock = Lock::take(path)?;
        let mut database = Database::open_or_make(path, secret)?;
        // Before anything is in it that an older version would take for damaged.
        let forgotten = upkeep::renew(&mut database)?;
        if forgotten > 0 {
            tracing::warn!(
                crosswalk = %path.display(),
                forgotten,
                "UIDs that stood for themselves were forgotten; what readers stored under them goes out under pseudonyms"
            );
        }
        let reader = Database::open_to_read(path, secret)?;
        let known = Arc::new(Known::default());
        let (requests, waiting) = mpsc::channel(QUEUE);
        let writer = Writer::new(database, known.clone());
        let thread = std::thread::Builder::new().name("crosswalk".into());
        let writer = thread.spawn(move || writer.run(waiting));
        let writer = writer.map_err(|error| CrosswalkError::open(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            secret: secret.clone(),
            reader: Mutex::new(reader),
            known,
            requests: Some(requests),
            writer: Some(writer),
            _lock: lock,
        })
    }

    /// The path of the database, as the configuration names it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is this file with this key.
    pub fn is(&self, path: &Path, secret: &Secret) -> bool {
        self.path == path && self.secret == *secret
    }

    /// Remembers correspondences. When this returns well, they outlive a crash of the machine.
    ///
    /// # Errors
    /// None of them are remembered, or nobody knows whether they are: what was made of them must not go out.
    pub async fn store(&self, made: Vec<Correspondence>) -> Result<(), NotStored> {
        if made.is_empty() {
            return Ok(());
        }
        let (done, wait) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(NotStored::Unavailable)?;
        let stored = async {
            requests.send(Request { made, done }).await.ok()?;
            wait.await.ok()
        };
        match tokio::time::timeout(PATIENCE, stored).await {
            Ok(Some(result)) => result,
            Ok(None) | Err(_) => Err(NotStored::Unavailable),
        }
    }

    /// As [`store`](Self::store), for a thread that may wait: it is blocked until the correspondences are on the disk.
    /// Panics on a thread of a runtime.
    ///
    /// # Errors
    /// As [`store`](Self::store): they are not kept, and what has these pseudonyms must not go out.
    pub fn store_blocking(&self, made: Vec<Correspondence>) -> Result<(), NotStored> {
        if made.is_empty() {
            return Ok(());
        }
        let (done, wait) = oneshot::channel();
        let requests = self.requests.as_ref().ok_or(NotStored::Unavailable)?;
        requests.blocking_send(Request { made, done }).map_err(|_| NotStored::Unavailable)?;
        wait.blocking_recv().unwrap_or(Err(NotStored::Unavailable))
    }

    fn find(
        &self,
        kind: Kind,
        column: Column,
        value: &[u8],
    ) -> Result<Option<Correspondence>, CrosswalkError> {
        on_the_disk(|| {
            let database = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let found = database.look_up(kind, column, value)?;
            if let Some(found) = &found {
                self.known.add_if_absent(found);
            }
            Ok(found)
        })
    }
}

/// Does what may wait for the disk, and for others who do. A data set asks in the middle of an element, and cannot be left
/// there; so a runtime's thread leaves its other tasks to another thread first. A runtime of one thread has no other: there,
/// they wait.
fn on_the_disk<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => block_in_place(work),
        _ => work(),
    }
}

impl Correspondences for Crosswalk {
    fn pseudonym_of(&self, kind: Kind, real: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        if !kind.leads_forward() {
            return Ok(None);
        }
        if let Some(known) = self.known.pseudonym_of(kind, real) {
            return Ok(Some(known));
        }
        let found = self.find(kind, Column::Real, real).map_err(|error| told(&error))?;
        Ok(found.map(|found| found.pseudonym))
    }

    fn behind(&self, kind: Kind, pseudonym: &[u8]) -> Result<Option<Correspondence>, Unavailable> {
        if !kind.leads_back() {
            return Ok(None);
        }
        if let Some(known) = self.known.behind(kind, pseudonym) {
            return Ok(Some(known));
        }
        self.find(kind, Column::Pseudonym, pseudonym).map_err(|error| told(&error))
    }
}

pub(super) fn told(error: &CrosswalkError) -> Unavailable {
    tracing::error!(%error, "a crosswalk cannot be read");
    Unavailable
}

impl std::fmt::Debug for Crosswalk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crosswalk").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What was asked for is written before the lock is let go.
impl Drop for Crosswalk {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(writer) = self.writer.take() {
            // It has nothing to say that it has not logged.
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scratch::Scratch;
    use std::sync::{Arc, mpsc};
    use std::time::Duration;

    use tokio::runtime::Builder;
    use zeroize::Zeroizing;

    use super::{Crosswalk, Secret};
    use crate::rewrite::{Correspondences, Kind};

    fn crosswalk(folder: &Scratch) -> Arc<Crosswalk> {
        let secret = Secret::new(Zeroizing::new(vec![1; 48]));
        Arc::new(Crosswalk::open(&folder.path().join("crosswalk"), &secret).unwrap())
    }

    /// A disk that takes its time holds up who asks, and nobody else.
    #[test]
    fn a_look_up_leaves_the_thread_of_a_runtime_to_others() {
        let folder = Scratch::new();
        let crosswalk = crosswalk(&folder);
        let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (say, heard) = mpsc::channel();
        let disk = crosswalk.reader.lock().unwrap();
        let (asking, said) = (crosswalk.clone(), say.clone());
        let asked = runtime.spawn(async move {
            said.send("asks").unwrap();
            asking.pseudonym_of(Kind::Uid, b"1.2.3")
        });
        // The test hangs where it should fail, but not for ever.
        let next = || heard.recv_timeout(Duration::from_secs(60));
        assert_eq!(next(), Ok("asks"));
        runtime.spawn(async move { say.send("another").unwrap() });
        assert_eq!(next(), Ok("another"));
        drop(disk);
        assert_eq!(runtime.block_on(asked).unwrap(), Ok(None));
    }

    #[test]
    fn a_look_up_is_answered_without_another_thread_too() {
        let folder = Scratch::new();
        let crosswalk = crosswalk(&folder);
        assert_eq!(crosswalk.pseudonym_of(Kind::Uid, b"1.2.3"), Ok(None));
        let runtime = Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(async { crosswalk.pseudonym_of(Kind::Uid, b"1.2.3") }), Ok(None));
    }
}
