//! The folder of what outlives a restart: one process writes there. Two would take a token twice, and each would undo
//! the blocks of the other.

use std::io;
use std::path::Path;

use super::StartError;
use crate::config::Settings;
use crate::files::{self, Lock, NotLocked};

/// In that folder. Commands only read there, and take no lock.
const NAME: &str = "state.lock";

/// Takes a folder for as long as what it gives lives, and makes it where it is missing. `None` where nothing will be written there,
/// or cannot be locked without doing harm by that.
///
/// # Errors
/// Another process has it; or it cannot be locked, and tokens are taken there.
pub(super) fn lock(folder: &Path, settings: &Settings) -> Result<Option<Lock>, StartError> {
    let takes_tokens = !settings.issuers.is_empty();
    if settings.admin.is_none() && !takes_tokens {
        return Ok(None);
    }
    let path = folder.join(NAME);
    match files::make_folder_of(&path).map_err(NotLocked::Io).and_then(|()| Lock::take(&path)) {
        Ok(lock) => Ok(Some(lock)),
        Err(NotLocked::Taken(process)) => Err(StartError::StateInUse { folder: folder.to_owned(), process }),
        Err(NotLocked::Io(error)) if takes_tokens && error.kind() != io::ErrorKind::Unsupported => {
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
    use crate::config::{self, Settings};
    use crate::daemon::StartError;
    use crate::scratch::Scratch;
    use std::fs;
    use std::path::Path;

    const CONFIGURATION: &str = r#"
[audit]
directory = "records"
[[listener]]
name = "remote"
address = "127.0.0.1:0"
upstream = "pacs"
[[upstream]]
name = "pacs"
addresses = ["127.0.0.1:104"]
"#;
    const INTERFACE: &str = "[admin]\nlisten = \"unix:admin.sock\"\n";

    fn settings(home: &Path, more: &str) -> Settings {
        let file = home.join("dimsegate.toml");
        fs::write(&file, format!("{more}{CONFIGURATION}")).unwrap();
        config::load(&file).unwrap().settings
    }

    #[test]
    fn who_writes_there_has_the_folder_alone_and_who_does_not_makes_none() {
        let home = Scratch::new();
        let folder = home.path().join("state");
        assert!(lock(&folder, &settings(home.path(), "")).unwrap().is_none());
        assert!(!folder.exists());
        let writing = settings(home.path(), INTERFACE);
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
