//! The files of the trail: one a day, as it is written or closed, in the order of the days.

use super::regular;
pub use super::reviewers::OpenError;
use super::reviewers::{self, Identity};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use time::Date;
use time::macros::format_description;

/// The file of the trail with the records of one day, in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrailFile {
    /// Where it is.
    pub path: PathBuf,
    /// The day (UTC) in its name: that on which its first record was to be written.
    pub day: Date,
    /// How its lines lie in it.
    pub form: Form,
}

/// How the lines lie in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Form {
    /// With Zstandard (RFC 8878): `.zst`.
    pub compressed: bool,
    /// For reviewers, with age: `.age`.
    pub encrypted: bool,
}

const READ_SIZE: usize = 1 << 18;

impl Form {
    pub(super) fn suffix(self) -> &'static str {
        match (self.compressed, self.encrypted) {
            (false, false) => ".jsonl",
            (true, false) => ".jsonl.zst",
            (false, true) => ".jsonl.age",
            (true, true) => ".jsonl.zst.age",
        }
    }

    pub(super) const ALL: [Self; 4] = [
        Self { compressed: false, encrypted: false },
        Self { compressed: true, encrypted: false },
        Self { compressed: false, encrypted: true },
        Self { compressed: true, encrypted: true },
    ];
}

impl TrailFile {
    /// `audit-YYYY-MM-DD.jsonl`, `.zst` and `.age` behind it as the form says.
    pub fn new(directory: &Path, day: Date, form: Form) -> Self {
        let path = directory.join(format!("{}{}", stem(day), form.suffix()));
        Self { path, day, form }
    }

    fn from_path(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let form = Form::ALL.into_iter().find(|form| {
            let day = name.strip_suffix(form.suffix());
            day.is_some_and(|day| !day.contains(".jsonl"))
        })?;
        let day = name.strip_suffix(form.suffix())?.strip_prefix("audit-")?;
        let day = read_date(day)?;
        let file = Self::new(path.parent()?, day, form);
        (file.path == path).then_some(file)
    }

    /// Whether nothing is added to it any more.
    pub fn is_closed(&self) -> bool {
        self.form != Form::default()
    }

    /// Whether only a reviewer's identity opens it.
    pub fn is_encrypted(&self) -> bool {
        self.form.encrypted
    }

    /// Its lines.
    ///
    /// # Errors
    /// [`OpenError`]; reading on may find that a closed file was changed, too.
    pub fn open(&self, identities: &[Identity]) -> Result<Box<dyn BufRead + Send>, OpenError> {
        open(&self.path, self.form, identities)
    }
}

/// The lines of a file of the form.
pub(super) fn open(
    path: &Path,
    form: Form,
    identities: &[Identity],
) -> Result<Box<dyn BufRead + Send>, OpenError> {
    let file = BufReader::with_capacity(READ_SIZE, regular::follow(path)?);
    let opened: Box<dyn BufRead + Send> = match form.encrypted {
        true => Box::new(BufReader::with_capacity(READ_SIZE, reviewers::decrypt(file, identities)?)),
        false => Box::new(file),
    };
    Ok(match form.compressed {
        true => Box::new(BufReader::with_capacity(READ_SIZE, zstd::Decoder::with_buffer(opened)?)),
        false => opened,
    })
}

/// The name of a day's file without its extension: `audit-YYYY-MM-DD`.
pub(super) fn stem(day: Date) -> String {
    format!("audit-{}", date(day))
}

/// A day as names of files have it: `YYYY-MM-DD`.
pub(super) fn date(day: Date) -> String {
    format!("{:04}-{:02}-{:02}", day.year(), u8::from(day.month()), day.day())
}

/// The day that a text `YYYY-MM-DD` names; `None` where it is no day of the calendar.
pub(super) fn read_date(text: &str) -> Option<Date> {
    Date::parse(text, &format_description!("[year]-[month]-[day]")).ok()
}

/// Every file of the trail, oldest first. Of a day that is there in several forms the one closest to its lines counts:
/// a crash while it was closed leaves both.
///
/// # Errors
/// The directory cannot be read.
pub fn list(directory: &Path) -> io::Result<Vec<TrailFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        files.extend(TrailFile::from_path(&entry?.path()));
    }
    files.sort_by_key(|file| (file.day, file.form));
    files.dedup_by_key(|file| file.day);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::{Form, list};
    use crate::scratch::Scratch;

    #[test]
    fn only_files_of_the_trail_are_listed_one_a_day() {
        let home = Scratch::new();
        let names = [
            "audit-2026-01-01.jsonl.zst.age",
            "audit-2026-01-02.jsonl.zst",
            "audit-2026-01-03.jsonl.age",
            "audit-2026-01-04.jsonl",
        ];
        let others = [
            "audit-2026-01-04.jsonl.zst",
            "audit-2026-01-04.jsonl.zst.part",
            "audit-2026-1-05.jsonl",
            "audit-2026-02-30.jsonl",
            "audit-2026-01-06.jsonl.jsonl",
            "audit-2026-01-06.closed",
            "x-2026-01-06.jsonl",
        ];
        for name in names.iter().chain(&others) {
            std::fs::write(home.path().join(name), "").unwrap();
        }
        let found = list(home.path()).unwrap();
        let shown: Vec<_> =
            found.iter().map(|file| file.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(shown, names);
        assert_eq!(found[0].form, Form { compressed: true, encrypted: true });
        assert!(!found[3].is_closed());
    }
}
