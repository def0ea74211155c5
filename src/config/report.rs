//! Collects what is found while a file is read.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::diagnostic::Diagnostic;
use crate::files::Stamp;
use crate::tls::{End, FileDigest};

/// Where something stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Byte offset.
    pub offset: usize,
    /// As [`Diagnostic::key`].
    pub key: String,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Located<T> {
    pub value: T,
    pub place: Place,
}

/// The values of a list without the places that they had in the file.
pub(super) fn values<T>(located: Vec<Located<T>>) -> Vec<T> {
    located.into_iter().map(|item| item.value).collect()
}

/// What is wrong with a value, and what would be right.
pub(super) struct Wrong {
    pub problem: String,
    pub remedy: String,
}

impl Wrong {
    pub(super) fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// What a configuration is made of besides its file.
#[derive(Default)]
pub(super) struct Used {
    /// Of private keys, and of what opens them.
    pub keys: Vec<PathBuf>,
    pub files: Vec<FileDigest>,
    /// With the table that names the file.
    pub ends: Vec<(String, End)>,
}

/// What is wrong or risky at a place.
struct Found {
    place: Place,
    problem: String,
    remedy: String,
}

/// What settings of tenants say of where they stand in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// The lines: for whoever has the file.
    Shown,
    /// None: how many there are before is another tenant's matter.
    Hidden,
}

/// Every problem and risk of one file.
pub(super) struct Report<'a> {
    path: &'a Path,
    text: &'a str,
    /// Offsets at which lines begin.
    lines: Vec<usize>,
    /// What relative paths begin with; empty: nothing, they are relative to the working directory.
    base: RefCell<PathBuf>,
    /// Certificates and lists that were read, each file once, and what ends in them where.
    used: RefCell<Used>,
    /// Every file that is read, as it was before that.
    watched: RefCell<BTreeMap<PathBuf, Option<Stamp>>>,
    errors: RefCell<Vec<Found>>,
    /// Where errors are.
    faults: RefCell<BTreeSet<usize>>,
    risks: RefCell<Vec<Found>>,
    /// Whether what is kept of the file names no lines.
    hides_lines: Cell<bool>,
    /// Headers of tables that are there, but could not be told.
    missed: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            path,
            text,
            lines,
            base: RefCell::default(),
            used: RefCell::default(),
            watched: RefCell::default(),
            errors: RefCell::default(),
            faults: RefCell::default(),
            risks: RefCell::default(),
            missed: RefCell::default(),
            hides_lines: Cell::new(false),
        }
    }

    /// From here on what is kept of the file names no lines. Problems do.
    pub(super) fn hide_lines(&self) {
        self.hides_lines.set(true);
    }

    pub(super) fn hides_lines(&self) -> bool {
        self.hides_lines.get()
    }

    /// An empty one of the same file.
    pub(super) fn apart(&self) -> Self {
        let apart = Self::new(self.path, self.text);
        apart.base.replace(self.base.borrow().clone());
        apart
    }

    /// From here on relative paths are relative to the file's folder.
    pub(super) fn begin_paths_beside_the_file(&self) {
        self.base.replace(self.path.parent().unwrap_or(Path::new("")).to_owned());
    }

    /// A path as the file means it.
    pub(super) fn resolved(&self, path: &str) -> PathBuf {
        self.base.borrow().join(path)
    }

    pub(super) fn error(&self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        self.faults.borrow_mut().insert(place.offset);
        let found = Found { place: place.clone(), problem: problem.into(), remedy: remedy.into() };
        self.errors.borrow_mut().push(found);
    }

    pub(super) fn wrong(&self, place: &Place, wrong: Wrong) {
        self.error(place, wrong.problem, wrong.remedy);
    }

    pub(super) fn risk(&self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        let found = Found { place: place.clone(), problem: problem.into(), remedy: remedy.into() };
        self.risks.borrow_mut().push(found);
    }

    /// How many errors there are by now.
    pub(super) fn errors(&self) -> usize {
        self.errors.borrow().len()
    }

    /// Whether there is an error in this part of the file.
    pub(super) fn is_faulty(&self, span: Range<usize>) -> bool {
        self.faults.borrow().range(span).next().is_some()
    }

    /// Notes that what is under these headers was not found, because of an error that was reported.
    pub(super) fn miss(&self, headers: impl IntoIterator<Item = &'static str>) {
        self.missed.borrow_mut().extend(headers);
    }

    /// Whether a table of this header may be there, unread.
    pub(super) fn lacks(&self, header: &str) -> bool {
        self.missed.borrow().contains(header)
    }

    /// Notes what a table uses: certificates and lists that count as part of the configuration.
    pub(super) fn uses(&self, place: &Place, files: &[FileDigest], ends: &[End]) {
        let mut used = self.used.borrow_mut();
        used.files.extend(files.iter().cloned());
        used.ends.extend(ends.iter().map(|end| (place.key.clone(), end.clone())));
    }

    /// Notes files of private keys, and of passphrases.
    pub(super) fn uses_keys<'p>(&self, files: impl Iterator<Item = &'p PathBuf>) {
        self.used.borrow_mut().keys.extend(files.cloned());
    }

    /// Notes a file that is about to be read, so that a change of it can be seen: certificates, lists, keys and secrets.
    pub(super) fn reads(&self, file: &Path) {
        let mut watched = self.watched.borrow_mut();
        if !watched.contains_key(file) {
            watched.insert(file.to_owned(), Stamp::of(file));
        }
    }

    pub(super) fn take_watched(&self) -> BTreeMap<PathBuf, Option<Stamp>> {
        self.watched.take()
    }

    /// Each file once, where it was first used.
    pub(super) fn take_used(&self) -> Used {
        let Used { keys, mut files, ends } = self.used.take();
        let mut seen = BTreeSet::new();
        files.retain(|file| seen.insert((file.file.clone(), file.sha256.clone())));
        Used { keys, files, ends }
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// What stands there in the file.
    pub(super) fn written(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// Offsets at which lines begin.
    pub(super) fn lines(&self) -> &[usize] {
        &self.lines
    }

    /// The line of the file that a byte offset lies in, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// Errors and risks, each in the order of the file. Risks are told of a file without errors only: what is risky in one
    /// that says something else than it should is anybody's guess.
    pub(super) fn into_findings(self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let (errors, risks) = (self.errors.take(), self.risks.take());
        let risks = if errors.is_empty() { risks } else { Vec::new() };
        (self.placed(errors), self.placed(risks))
    }

    /// One walk through the text, however many there are on one line.
    fn placed(&self, mut found: Vec<Found>) -> Vec<Diagnostic> {
        found.sort_by_key(|found| found.place.offset);
        let (mut at, mut line, mut column) = (0, 1, 1);
        let diagnostic = |Found { place: Place { offset, key }, problem, remedy }| {
            for passed in self.text.get(at..offset).unwrap_or_default().chars() {
                (line, column) = if passed == '\n' { (line + 1, 1) } else { (line, column + 1) };
            }
            at = at.max(offset);
            Diagnostic { path: self.path.to_path_buf(), line, column, key, problem, remedy }
        };
        found.into_iter().map(diagnostic).collect()
    }
}
