//! Where a trace is written, as it comes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::geteuid;
use serde_json::{Value, json};

use super::story;

/// Bytes that are left for the last line.
const LAST_LINE: u64 = 256;

/// A trace that is being written.
pub(super) struct Output {
    to: Box<dyn Write>,
    /// As somebody named it.
    name: String,
    json: bool,
    written: u64,
    most: u64,
    /// What is to become of the file before the first line: nothing is left of one that was made for nothing.
    fresh: Option<Fresh>,
}

enum Fresh {
    Made(PathBuf),
    WasThere(File),
}

/// Why something is not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotWritten {
    #[error("{0} is there already; nothing is overwritten without --overwrite")]
    Exists(String),
    #[error("{name} cannot be written: {error}")]
    Io { name: String, error: io::Error },
    /// It would be longer than it may be.
    #[error("it is as long as it may be")]
    Full,
}

impl NotWritten {
    pub(super) fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl Output {
    /// Opens a file that only its owner may read, or standard output. What a file had stays until the first line is there.
    pub(super) fn open(
        path: Option<&Path>,
        overwrite: bool,
        json: bool,
        most: u64,
    ) -> Result<Self, NotWritten> {
        let Some(path) = path else {
            let (to, name) = (Box::new(io::stdout()), "standard output".into());
            return Ok(Self { to, name, json, written: 0, most, fresh: None });
        };
        let name = path.display().to_string();
        let (file, is_new) = match opened(path, overwrite) {
            Ok(opened) => opened,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(NotWritten::Exists(name));
            }
            Err(error) => return Err(NotWritten::Io { name, error }),
        };
        let fresh = match file.try_clone() {
            Ok(file) if !is_new => Fresh::WasThere(file),
            _ => Fresh::Made(path.to_owned()),
        };
        Ok(Self { to: Box::new(file), name, json, written: 0, most, fresh: Some(fresh) })
    }

    /// What is traced.
    pub(super) fn begin(&mut self, beginning: &Value) -> Result<(), NotWritten> {
        if let Some(Fresh::WasThere(file)) = self.fresh.take() {
            let emptied =
                file.set_permissions(fs::Permissions::from_mode(0o600)).and_then(|()| file.set_len(0));
            emptied.map_err(|error| NotWritten::Io { name: self.name.clone(), error })?;
        }
        self.line("trace-started", beginning, story::beginning)
    }

    /// Something that was seen.
    pub(super) fn event(&mut self, event: &Value) -> Result<(), NotWritten> {
        match self.json {
            true => self.write(&format!("{event}\n"), LAST_LINE),
            false => self.write(&story::event(event), LAST_LINE),
        }
    }

    /// So many are missing here.
    pub(super) fn lost(&mut self, count: u64) -> Result<(), NotWritten> {
        self.line("lost", &json!({ "count": count }), story::lost)
    }

    /// The last line. Where it cannot be written, those before it could not either.
    pub(super) fn end(&mut self, why: &str) {
        match self.fresh.take() {
            Some(Fresh::Made(path)) => drop(fs::remove_file(path)),
            Some(Fresh::WasThere(_)) => {}
            None => {
                let ended = json!({ "why": why });
                let last = match self.json {
                    true => format!("{}\n", named("trace-ended", &ended)),
                    false => story::ended(&ended),
                };
                drop(self.write(&last, 0));
            }
        }
    }

    fn line(&mut self, name: &str, value: &Value, in_words: fn(&Value) -> String) -> Result<(), NotWritten> {
        let line = if self.json { format!("{}\n", named(name, value)) } else { in_words(value) };
        self.write(&line, LAST_LINE)
    }

    fn write(&mut self, text: &str, left: u64) -> Result<(), NotWritten> {
        let written = self.written.saturating_add(text.len() as u64);
        if left > 0 && written.saturating_add(left) > self.most {
            return Err(NotWritten::Full);
        }
        self.written = written;
        let done = self.to.write_all(text.as_bytes()).and_then(|()| self.to.flush());
        done.map_err(|error| NotWritten::Io { name: self.name.clone(), error })
    }
}

/// A file that is there already: neither a link to elsewhere, nor somebody else's, who could read what is written.
fn own(path: &Path) -> io::Result<File> {
    let no_link = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let file = OpenOptions::new().write(true).custom_flags(no_link).open(path)?;
    if file.metadata()?.uid() != geteuid().as_raw() {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the file belongs to another user"));
    }
    Ok(file)
}

/// The file, and whether it is new.
fn opened(path: &Path, overwrite: bool) -> io::Result<(File, bool)> {
    let new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match new {
        Err(error) if overwrite && error.kind() == io::ErrorKind::AlreadyExists => {
            own(path).map(|file| (file, false))
        }
        new => new.map(|file| (file, true)),
    }
}

/// An event of the command's own.
fn named(name: &str, value: &Value) -> Value {
    let mut event = value.clone();
    event["what"] = json!(name);
    event
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use serde_json::{Value, json};

    use super::{NotWritten, Output};
    use crate::scratch::Scratch;

    #[test]
    fn a_file_is_written_over_only_when_that_is_asked_and_only_once_there_is_something_to_write() {
        let folder = Scratch::new();
        let path = folder.path().join("trace.txt");
        fs::write(&path, "of yesterday").unwrap();
        let again = Output::open(Some(&path), false, true, 1 << 20);
        assert!(matches!(again, Err(NotWritten::Exists(_))));
        let mut refused = Output::open(Some(&path), true, true, 1 << 20).unwrap();
        refused.end("nobody answers");
        assert_eq!(fs::read_to_string(&path).unwrap(), "of yesterday");
        let mut output = Output::open(Some(&path), true, true, 1 << 20).unwrap();
        output.begin(&json!({ "trace": 1 })).unwrap();
        output.end("enough");
        let lines = fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["what"], &lines[1]["why"]), (&json!("trace-started"), &json!("enough")));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_made_for_nothing_goes_and_none_is_longer_than_it_may_be() {
        let folder = Scratch::new();
        let path = folder.path().join("trace.txt");
        Output::open(Some(&path), false, true, 1 << 20).unwrap().end("nobody answers");
        assert!(!path.exists());
        let mut output = Output::open(Some(&path), false, true, 1_000).unwrap();
        output.begin(&json!({ "trace": 1 })).unwrap();
        let mut count = 0;
        while output.event(&json!({ "what": "pdu", "text": "A-RELEASE-RQ" })).is_ok() {
            count += 1;
        }
        assert!(count > 5);
        output.end("it is full");
        assert!(fs::metadata(&path).unwrap().len() <= 1_000);
        assert!(fs::read_to_string(&path).unwrap().ends_with("\"why\":\"it is full\"}\n"));
    }
}
