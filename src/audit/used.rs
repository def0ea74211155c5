//! Who read the records (PS3.15 A.5.3.2).
//!
//! The trail has one writer, and its readers are other processes, of other accounts. So a reader leaves a note in the
//! folder `used` of the audit directory, and the process that writes takes each note into the trail, as a record like
//! any other: within about a second, or when it next starts. The folder belongs to the writer's account; its group may
//! add notes, and nobody can change those of others. Who read is not what the note says, but who owns it.

use super::inbox::{Found, Inbox, LONGEST};
use super::queue::Queue;
use super::record::{AuditLogUsed, Event, SecurityAlert};
use super::regular;
use super::reserve::disk_has_room;
use crate::vocabulary::Notice;
use serde::{Deserialize, Serialize};
use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use time::OffsetDateTime;
use tokio::sync::oneshot;

const FOLDER: &str = "used";
/// Of a note that is whole.
const SUFFIX: &str = ".note";
/// Of a note: those who may look into the folder may read it.
const MODE: u32 = 0o644;
/// Characters of what a reader says that are recorded.
pub const LONGEST_ARGUMENTS: usize = 512;
const LONGEST_COMMAND: usize = 32;
const LONGEST_HOST: usize = 255;
/// Between two looks at the folder.
const LOOK: Duration = Duration::from_secs(1);

/// What a reader says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `search`, `show`, `report`, `verify`, `backup`, `restore`.
    pub command: String,
    /// The arguments of the command, without what must not be recorded.
    pub arguments: String,
    /// The machine on which the reader runs.
    pub host: Option<String>,
    /// The reader's own process id.
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
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part).and_then(|mut file| {
            serde_json::to_writer(&mut file, note)?;
            // Whatever the umask of the reader is: the account that takes it into the trail is another one.
            file.set_permissions(Permissions::from_mode(MODE))?;
            fs::rename(&part, whole)
        });
    written.inspect_err(|_| drop(fs::remove_file(&part)))
}

/// As [`leave`], for a trail that is still to begin: its writer takes the note when it first starts.
///
/// # Errors
/// The folders cannot be made, or not written to.
pub fn leave_for_the_first_run(directory: &Path, note: &Note) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    create_folder(directory)?;
    leave(directory, note)
}

/// Makes the folder where it is missing, and sees to it that nobody can touch the notes of others.
pub(super) fn create_folder(directory: &Path) -> io::Result<()> {
    let folder = directory.join(FOLDER);
    match DirBuilder::new().mode(0o770).create(&folder) {
        Ok(()) => fs::set_permissions(&folder, Permissions::from_mode(0o1770)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = fs::symlink_metadata(&folder)?.mode() & 0o7777;
            // The sticky bit keeps readers from each other's notes.
            let kept = mode & 0o1000 != 0
                || fs::set_permissions(&folder, Permissions::from_mode(mode | 0o1000)).is_ok();
            if !kept {
                tracing::warn!(folder = %folder.display(),
                    "who can write here can remove the notes of others: it has no sticky bit, and is not ours");
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Takes notes into the trail, until the sender of `over` is gone. Whoever ends it waits for the thread: notes whose records the
/// disk keeps are removed by then, or the next run would take them once more.
pub(super) fn start(
    directory: PathBuf,
    queue: Arc<Queue>,
    over: mpsc::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let work = move || {
        let mut inbox = Inbox::new(directory.join(FOLDER));
        while over.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
            let (now, room) = (Instant::now(), queue.is_calm() && disk_has_room(&directory));
            // Without a folder there are no notes.
            if let Ok(found) = inbox.look(now, room) {
                for (owner, counted) in take(&found, &directory, &queue) {
                    inbox.untold(owner, counted, now);
                }
            }
        }
    };
    std::thread::Builder::new().name("audit-used".into()).spawn(work)
}

/// Records what was found, and removes it when the disk keeps the records: what could not be recorded stays for another
/// look. Gives what was counted and could not be told.
fn take(found: &Found, directory: &Path, queue: &Queue) -> Vec<(u32, u64)> {
    let record = |event: Event| {
        let (told, on_disk) = oneshot::channel();
        queue.push_own(event, Some(told));
        on_disk
    };
    let used = |used: AuditLogUsed| record(Event::AuditLogUsed(Box::new(used)));
    let mut kept = Vec::new();
    for (owner, path) in
        found.notes.iter().flat_map(|(owner, paths)| paths.iter().map(move |path| (owner, path)))
    {
        kept.push((used(read(path, *owner, directory)), path));
    }
    let counted = found.counted.iter().map(|(owner, count)| {
        let text = format!("{count} more notes within a minute, not read");
        (used(unread(*owner, directory, &text)), (*owner, *count))
    });
    let counted: Vec<_> = counted.collect();
    if let Some(explanation) = &found.alert {
        tracing::warn!(reason = Notice::NotANote.label(), "{explanation}");
        let (reason, explanation) = (Notice::NotANote.label().into(), explanation.clone());
        let alert = SecurityAlert { reason, explanation, ..SecurityAlert::default() };
        drop(record(Event::SecurityAlert(Box::new(alert))));
    }
    for (on_disk, path) in kept {
        if on_disk.blocking_recv().is_ok() {
            let _ = fs::remove_file(path);
        }
    }
    let lost =
        counted.into_iter().filter_map(|(on_disk, told)| on_disk.blocking_recv().is_err().then_some(told));
    lost.collect()
}

/// What the note of an owner says.
fn read(path: &Path, owner: u32, directory: &Path) -> AuditLogUsed {
    let text = regular::read(path, LONGEST).unwrap_or_default();
    match serde_json::from_slice::<Note>(&text) {
        Ok(note) => AuditLogUsed {
            host: note.host.map(|host| cut(&host, LONGEST_HOST)),
            process_id: note.process_id,
            command: cut(&note.command, LONGEST_COMMAND),
            ..unread(owner, directory, &cut(&note.arguments, LONGEST_ARGUMENTS))
        },
        Err(_) => unread(owner, directory, "its note cannot be read"),
    }
}

/// That somebody read, and what is known of it.
fn unread(owner: u32, directory: &Path, arguments: &str) -> AuditLogUsed {
    AuditLogUsed {
        user: name_of(owner).unwrap_or_else(|| owner.to_string()),
        user_id: owner,
        host: None,
        process_id: 0,
        file: directory.display().to_string(),
        command: "unknown".into(),
        arguments: arguments.to_owned(),
    }
}

/// A text that a reader wrote, which is no longer than it has to be.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Of an account of this machine; those of a directory service have their number only.
pub fn name_of(user: u32) -> Option<String> {
    let accounts = fs::read_to_string("/etc/passwd").ok()?;
    let mut fields = accounts.lines().map(|line| line.split(':'));
    fields.find_map(|mut fields| {
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::{
        FOLDER, Found, Inbox, LONGEST_ARGUMENTS, LONGEST_COMMAND, LONGEST_HOST, Note, create_folder, leave,
        read, take,
    };
    use crate::audit::queue::{Pending, Queue};
    use crate::scratch::Scratch;
    use std::collections::VecDeque;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn note() -> Note {
        Note {
            command: "search".into(),
            arguments: "--peer lyon".into(),
            host: Some("pc7".into()),
            process_id: 9,
        }
    }

    fn look(directory: &Path) -> Found {
        Inbox::new(directory.join(FOLDER)).look(Instant::now(), true).unwrap()
    }

    #[test]
    fn what_a_reader_writes_of_itself_is_no_longer_than_it_has_to_be() {
        let home = Scratch::new();
        let long = |text: &str| text.repeat(1000);
        let path = home.path().join("1.note");
        let note = Note { command: long("c"), arguments: long("ä"), host: Some(long("h")), process_id: 9 };
        fs::write(&path, serde_json::to_vec(&note).unwrap()).unwrap();
        let used = read(&path, 7, home.path());
        let lengths =
            [&used.command, &used.arguments, used.host.as_ref().unwrap()].map(|text| text.chars().count());
        assert_eq!(lengths, [LONGEST_COMMAND + 1, LONGEST_ARGUMENTS + 1, LONGEST_HOST + 1]);
        assert!(used.arguments.ends_with("ä…"));
    }

    #[test]
    fn a_note_is_read_with_its_owner_and_not_whom_it_claims() {
        let home = Scratch::new();
        assert!(leave(home.path(), &note()).is_err(), "nobody made the folder");
        create_folder(home.path()).unwrap();
        let mode = || fs::metadata(home.path().join(FOLDER)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(), 0o1770);
        fs::set_permissions(home.path().join(FOLDER), fs::Permissions::from_mode(0o770)).unwrap();
        create_folder(home.path()).unwrap();
        assert_eq!(mode(), 0o1770, "without the sticky bit readers could remove the notes of others");
        leave(home.path(), &note()).unwrap();
        let found = look(home.path());
        let (owner, notes) = found.notes.iter().next().unwrap();
        assert_eq!(*owner, fs::metadata(home.path()).unwrap().uid());
        let mode = fs::metadata(&notes[0]).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o644, "another account reads it, whatever the reader's umask is");
        let used = read(&notes[0], *owner, home.path());
        assert_eq!((used.command.as_str(), used.arguments.as_str()), ("search", "--peer lyon"));
        assert_eq!((used.host.as_deref(), used.process_id), (Some("pc7"), 9));
    }

    #[test]
    fn what_is_no_note_is_a_line_of_the_log_too() {
        let home = Scratch::new();
        let found = Found { alert: Some("a pipe".into()), ..Found::default() };
        let log = crate::logged::during(|| drop(take(&found, home.path(), &Queue::new(1 << 20))));
        assert!(log.contains("WARN") && log.contains("a pipe reason=\"not-a-note\""), "{log}");
    }

    #[test]
    fn notes_are_removed_when_the_disk_keeps_their_records_and_stay_otherwise() {
        let home = Scratch::new();
        create_folder(home.path()).unwrap();
        let left = || fs::read_dir(home.path().join(FOLDER)).unwrap().count();
        for keeps in [false, true] {
            (0..3).for_each(|_| leave(home.path(), &note()).unwrap());
            let queue = Arc::new(Queue::new(1 << 20));
            let writer = std::thread::spawn({
                let queue = queue.clone();
                move || {
                    let mut batch: VecDeque<Pending> = VecDeque::new();
                    while batch.len() < 4 {
                        queue.take(&mut batch, Duration::from_secs(10), Duration::ZERO);
                    }
                    for record in batch.drain(..).filter(|_| keeps) {
                        record.kept.unwrap().send(()).unwrap();
                    }
                }
            });
            let mut found = look(home.path());
            assert_eq!(found.notes.values().flatten().count(), 3);
            found.counted.insert(7, 50);
            let lost = take(&found, home.path(), &queue);
            assert_eq!(lost, if keeps { vec![] } else { vec![(7, 50)] }, "it is told later");
            writer.join().unwrap();
            assert_eq!(left(), if keeps { 0 } else { 3 });
            fs::remove_dir_all(home.path().join(FOLDER)).unwrap();
            create_folder(home.path()).unwrap();
        }
    }
}
