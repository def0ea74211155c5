//! Collects what is found while a file is read.

use std::cell::RefCell;
use std::ops::Range;
use std::path::Path;

use super::diagnostic::Diagnostic;
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
    pub files: Vec<FileDigest>,
    /// With the table that names the file.
    pub ends: Vec<(String, End)>,
}

/// Every problem and risk of one file.
pub(super) struct Report<'a> {
    path: &'a Path,
    text: &'a str,
    /// Offsets at which lines begin.
    lines: Vec<usize>,
    /// Certificates and lists that were read, each file once, and what ends in them where.
    used: RefCell<Used>,
    errors: RefCell<Vec<(usize, Diagnostic)>>,
    risks: RefCell<Vec<(usize, Diagnostic)>>,
}

impl<'a> Report<'a> {
    pub(super) fn new(path: &'a Path, text: &'a str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self {
            path,
            text,
            lines,
            used: RefCell::default(),
            errors: RefCell::default(),
            risks: RefCell::default(),
        }
    }

    pub(super) fn error(&self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        let found = self.diagnostic(place, problem.into(), remedy.into());
        self.errors.borrow_mut().push((place.offset, found));
    }

    pub(super) fn wrong(&self, place: &Place, wrong: Wrong) {
        self.error(place, wrong.problem, wrong.remedy);
    }

    pub(super) fn risk(&self, place: &Place, problem: impl Into<String>, remedy: impl Into<String>) {
        let found = self.diagnostic(place, problem.into(), remedy.into());
        self.risks.borrow_mut().push((place.offset, found));
    }

    /// Notes what a table uses: certificates and lists that count as part of the configuration.
    pub(super) fn uses(&self, place: &Place, files: &[FileDigest], ends: &[End]) {
        let mut used = self.used.borrow_mut();
        for file in files {
            if !used.files.contains(file) {
                used.files.push(file.clone());
            }
        }
        used.ends.extend(ends.iter().map(|end| (place.key.clone(), end.clone())));
    }

    pub(super) fn take_used(&self) -> Used {
        self.used.take()
    }

    /// What stands there in the file.
    pub(super) fn written(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    /// Counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset)
    }

    /// In characters, counted from 1.
    fn column(&self, offset: usize) -> usize {
        let start = self.lines.get(self.line(offset).saturating_sub(1)).copied().unwrap_or(0);
        1 + self.text.get(start..offset).map_or(0, |before| before.chars().count())
    }

    /// Errors and risks, each in the order of the file.
    pub(super) fn into_findings(self) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
        let sorted = |found: RefCell<Vec<(usize, Diagnostic)>>| {
            let mut found = found.into_inner();
            found.sort_by_key(|(offset, _)| *offset);
            found.into_iter().map(|(_, diagnostic)| diagnostic).collect()
        };
        (sorted(self.errors), sorted(self.risks))
    }

    fn diagnostic(&self, place: &Place, problem: String, remedy: String) -> Diagnostic {
        let (line, column) = (self.line(place.offset), self.column(place.offset));
        Diagnostic { path: self.path.to_path_buf(), line, column, key: place.key.clone(), problem, remedy }
    }
}
