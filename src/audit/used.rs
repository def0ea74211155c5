//! Who read the records (PS3.15 A.5.3.2).
//!
//! The trail has one writer, and its readers are other processes, of other accounts. So a reader leaves a note in the
//! folder `used` of the audit directory, and the process that writes takes each note into the trail, as a record like
//! any other: within about a second, or when it next starts. The folder belongs to the writer's account; its group may
//! add notes, and nobody can change those of others. Who read is not what the note says, but who owns it.

use super::event::{AuditLogUsed, Event};
use super::queue::Queue;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::oneshot;

const FOLDER: &str = "used";
/// Of a note that is whole.
const SUFFIX: &str = ".note";
/// Longest note that is read, in bytes.
const LONGEST: u64 = 16 * 1024;
/// Most notes that are taken at once, so that a flood of them is no flood of records.
const MOST: usize = 100;
/// Between two looks at the folder.
const LOOK: Duration = Duration::from_secs(1);

/// What a reader says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `search`, `show`, `report`, `verify`.
    pub command: String,
    /// The arguments of the command, without what must not be recorded.
    pub arguments: String,
    /// The machine on which the reader runs.
    pub host: Option<String>,
    pub process_id: u32,
}

/// Leaves a note, before anything is read.
///
/// # Errors
/// There is no folder for it (this is a copy of a trail, or its writer has never run), or it may not be written to.
pub fn leave(directory: &Path, note: &Note) -> io::Result<()> {
    let now = OffsetDateTime::now_utc().unix_timestamp_nanos();
    let folder = directory.join(FOLDER);
    let part = folder.join(format!("{now}-{}", note.process_id));
    let mut whole = part.clone().into_os_string();
    whole.push(SUFFIX);
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o644).open(&part).and_then(|mut file| {
            serde_json::to_writer(&mut file, note)?;
            file.flush()?;
            fs::rename(&part, whole)
        });
    written.inspect_err(|_| drop(fs::remove_file(&part)))
}

/// Makes the folder where it is missing.
pub(super) fn create_folder(directory: &Path) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    match DirBuilder::new().mode(0o770).create(&folder) {
        // The sticky bit keeps readers from each other's notes.
        Ok(()) => fs::set_permissions(&folder, Permissions::from_mode(0o1770)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Takes notes into the trail, until the sender of `over` is gone.
pub(super) fn start(directory: PathBuf, queue: Arc<Queue>, over: mpsc::Receiver<()>) -> io::Result<()> {
    let work = move || {
        while over.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
            take_all(&directory, &queue);
        }
    };
    std::thread::Builder::new().name("audit-used".into()).spawn(work).map(drop)
}

fn take_all(directory: &Path, queue: &Queue) {
    // Without a folder there are no notes.
    let Ok(entries) = fs::read_dir(directory.join(FOLDER)) else { return };
    let notes = entries.flatten().map(|entry| entry.path());
    let mut notes: Vec<PathBuf> =
        notes.filter(|path| path.to_string_lossy().ends_with(SUFFIX)).take(MOST).collect();
    notes.sort();
    for path in notes {
        let Ok(used) = read(&path, directory) else { continue };
        let (kept, on_disk) = oneshot::channel();
        queue.push_own(Event::AuditLogUsed(Box::new(used)), Some(kept));
        // A note that could not be recorded stays for the next start.
        if on_disk.blocking_recv().is_ok()
            && let Err(error) = fs::remove_file(&path)
        {
            tracing::warn!(file = %path.display(), %error, "a note of a reader is recorded, and cannot be removed");
            return;
        }
    }
}

/// What a note says, and who left it.
fn read(path: &Path, directory: &Path) -> io::Result<AuditLogUsed> {
    // Neither where a link leads nor what a pipe says is a note.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let opened = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path);
    let left = fs::symlink_metadata(path)?;
    let text = opened.and_then(|file| text_of(&file)).unwrap_or_default();
    let note: Note = serde_json::from_slice(&text).unwrap_or_else(|_| Note {
        command: "unknown".into(),
        arguments: "its note cannot be read".into(),
        ..Note::default()
    });
    Ok(AuditLogUsed {
        user: name_of(left.uid()).unwrap_or_else(|| left.uid().to_string()),
        user_id: left.uid(),
        host: note.host,
        process_id: note.process_id,
        file: directory.display().to_string(),
        command: note.command,
        arguments: note.arguments,
    })
}

fn text_of(file: &File) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if file.metadata()?.is_file() {
        file.take(LONGEST).read_to_end(&mut text)?;
    }
    Ok(text)
}

/// Of an account of this machine; those of a directory service have their number only.
fn name_of(user: u32) -> Option<String> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = accounts.lines().map(|line| line.split(':'));
    fields.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{FOLDER, Note, create_folder, leave, read};
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn note() -> Note {
        Note {
            command: "search".into(),
            arguments: "--peer lyon".into(),
            host: Some("pc7".into()),
            process_id: 9,
        }
    }

    #[test]
    fn a_note_is_read_with_its_owner_and_not_whom_it_claims() {
        let home = tempfile::tempdir().unwrap();
        assert!(leave(home.path(), &note()).is_err(), "nobody made the folder");
        create_folder(home.path()).unwrap();
        create_folder(home.path()).unwrap();
        let mode = fs::metadata(home.path().join(FOLDER)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o1770);
        leave(home.path(), &note()).unwrap();
        let path = fs::read_dir(home.path().join(FOLDER)).unwrap().next().unwrap().unwrap().path();
        let used = read(&path, home.path()).unwrap();
        assert_eq!(used.user_id, fs::metadata(home.path()).unwrap().uid());
        assert_eq!((used.command.as_str(), used.arguments.as_str()), ("search", "--peer lyon"));
        assert_eq!((used.host.as_deref(), used.process_id), (Some("pc7"), 9));
    }

    #[test]
    fn where_a_link_leads_is_not_read_and_still_told() {
        let home = tempfile::tempdir().unwrap();
        create_folder(home.path()).unwrap();
        let secret = home.path().join("secret");
        fs::write(&secret, serde_json::to_string(&note()).unwrap()).unwrap();
        let link = home.path().join(FOLDER).join("1.note");
        symlink(&secret, &link).unwrap();
        let used = read(&link, home.path()).unwrap();
        assert_eq!((used.command.as_str(), used.host), ("unknown", None));
    }
}
