//! The folder of what outlives a restart: one process writes there. Two would take a token twice, each would undo
//! the blocks of the other, and neither would know of all patients.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::StartError;
use crate::config::Settings;
use crate::files::{self, Lock, NotLocked};

/// In that folder. Commands only read there, and take no lock.
const NAME: &str = "state.lock";

/// As [`lock`], on a thread for that.
///
/// # Errors
/// As [`lock`].
pub(super) async fn lock_soon(folder: &Path, settings: &Arc<Settings>) -> Result<Option<Lock>, StartError> {
    let (own, settings) = (folder.to_owned(), settings.clone());
    let locked = tokio::task::spawn_blocking(move || lock(&own, &settings)).await;
    let defect = |error| StartError::State { folder: folder.to_owned(), error: io::Error::other(error) };
    locked.unwrap_or_else(|error| Err(defect(error)))
}

/// Takes a folder for as long as what it gives lives, and makes it where it is missing. `None` where nothing will be written there,
/// or cannot be locked without doing harm by that.
///
/// # Errors
/// Another process has it; or it cannot be locked, and tokens are taken or patients counted there.
fn lock(folder: &Path, settings: &Settings) -> Result<Option<Lock>, StartError> {
    let counts = !settings.issuers.is_empty() || settings.policy.counts_patients();
    if settings.admin.is_none() && !counts {
        return Ok(None);
    }
    let path = folder.join(NAME);
    match files::make_folder_of(&path).map_err(NotLocked::Io).and_then(|()| Lock::take(&path)) {
        Ok(lock) => Ok(Some(lock)),
        Err(NotLocked::Taken(process)) => Err(StartError::StateInUse { folder: folder.to_owned(), process }),
        Err(NotLocked::Io(error)) if counts && error.kind() != io::ErrorKind::Unsupported => {
            Err(StartError::State { folder: folder.to_owned(), error })
        }
        Err(NotLocked::Io(error)) => {
            tracing::warn!(file = %path.display(), %error,
                "the state-directory cannot be locked: nothing keeps a second process from using it, too");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lock;
    use crate::config::sample::{self, COUNTING, INTERFACE, ISSUER};
    use crate::daemon::{Daemon, StartError};
    use crate::scratch::Scratch;
    use std::fs;
    use std::future::{pending, ready};

    #[test]
    fn who_writes_there_has_the_folder_alone_and_who_does_not_makes_none() {
        let home = Scratch::new();
        let folder = home.path().join("state");
        assert!(lock(&folder, &sample::read(home.path(), "").settings).unwrap().is_none());
        assert!(!folder.exists());
        for more in [INTERFACE, ISSUER, COUNTING] {
            let writing = sample::read(home.path(), more).settings;
            let first = lock(&folder, &writing).unwrap();
            assert!(first.is_some());
            let second = lock(&folder, &writing).unwrap_err();
            assert!(matches!(second, StartError::StateInUse { process: Some(_), .. }), "{second}");
            let told = second.to_string();
            assert!(
                told.contains(folder.to_str().unwrap()) && told.contains("a state-directory of its own"),
                "{told}"
            );
            drop(first);
            assert!(lock(&folder, &writing).unwrap().is_some());
        }
    }

    #[test]
    fn a_folder_that_cannot_be_locked_is_an_error_where_tokens_or_patients_are_kept_there_and_else_a_warning()
    {
        let home = Scratch::new();
        let folder = home.path().join("state");
        fs::create_dir_all(folder.join("state.lock")).unwrap();
        let locked = |more: &str| lock(&folder, &sample::read(home.path(), more).settings);
        assert!(locked(INTERFACE).unwrap().is_none());
        for more in [ISSUER.to_owned(), format!("{INTERFACE}{ISSUER}"), COUNTING.to_owned()] {
            let refused = locked(&more).unwrap_err();
            assert!(matches!(refused, StartError::State { .. }), "{refused}");
            let told = refused.to_string();
            assert!(told.contains(folder.to_str().unwrap()) && told.contains("is a folder"), "{told}");
        }
    }

    #[tokio::test]
    async fn the_first_issuer_of_a_reload_takes_the_folder_or_is_refused_where_another_process_has_it() {
        let home = Scratch::new();
        let folder = home.path().join("state");
        let mut daemon = Daemon::start(sample::read(home.path(), ""), pending()).await.unwrap().unwrap();
        let taking = || sample::read(home.path(), ISSUER);
        let another = lock(&folder, &taking().settings).unwrap();
        let before = daemon.settings().digest.clone();
        let refused = daemon.reload(taking(), None).await.unwrap_err();
        assert!(matches!(refused, StartError::StateInUse { .. }), "{refused}");
        assert_eq!(daemon.settings().digest, before, "everything stayed as it was");
        drop(another);
        daemon.reload(taking(), None).await.unwrap();
        assert!(matches!(lock(&folder, &taking().settings), Err(StartError::StateInUse { .. })));
        // It is held as long as the process runs, whatever comes into force.
        daemon.reload(sample::read(home.path(), ""), None).await.unwrap();
        assert!(matches!(lock(&folder, &taking().settings), Err(StartError::StateInUse { .. })));
        daemon.stop("the test ended", ready(())).await;
        assert!(lock(&folder, &taking().settings).unwrap().is_some());
    }
}
