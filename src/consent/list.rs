//! A list: CSV in UTF-8, with a first line that names its columns.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use aws_lc_rs::digest;
use time::Date;
use time::macros::format_description;

use super::fields::fields;
use super::said::{Said, Who};
use super::table::{FOR_EVER, Line, Table};
use crate::files::{self, Stamp};
use crate::notation::hex;

/// Bytes of a file: as much of one as is looked through for a change.
pub const MOST_BYTES: u64 = 64 << 20;
/// Lines that say something: 28 bytes of memory for each.
const MOST_LINES: usize = 2_000_000;
/// Bytes of a line.
const LONGEST_LINE: usize = 1024;

/// What a list says, of whom.
#[derive(Debug)]
pub struct List {
    table: Table,
    /// Who an identifier without an issuer is of.
    issuer: Box<str>,
    /// Of the file, in hexadecimal digits.
    pub sha256: String,
}

/// Why a list cannot be used. It names no patient.
#[derive(Debug, PartialEq, Eq)]
pub struct ListError {
    /// Counted from 1; `None`: it is about the whole file.
    pub line: Option<u32>,
    /// What is wrong, to be read behind the name of the file.
    pub problem: String,
    /// What to do.
    pub remedy: &'static str,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line} {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

/// Where each column is.
struct Columns {
    count: usize,
    identifier: usize,
    decision: usize,
    issuer: Option<usize>,
    scope: Option<usize>,
    until: Option<usize>,
}

const FEWER: &str = "leave out who is unknown anyway, or ask a server (source = \"fhir\")";
const HEADER: &str = "begin the file with the names of its columns: identifier,issuer,decision,scope,until; issuer, scope and until may be left out";

impl List {
    /// Reads a file. `issuer` is whose an identifier without one is; empty: nobody's. It waits for the disk.
    ///
    /// # Errors
    /// [`ListError`]: nothing of it counts.
    pub fn open(path: &Path, issuer: &str) -> Result<Self, ListError> {
        let cannot = |error: io::Error| {
            whole(format!("cannot be read: {error}"), "name a file that this user may read")
        };
        let before = Stamp::of(path);
        let file = files::open(path).map_err(cannot)?;
        let list = Self::read(file.take(MOST_BYTES + 1), issuer)?;
        // Half of a list would know nothing of the patients in the other half.
        if before.is_none() || Stamp::of(path) != before {
            return Err(whole(
                "was written while it was read".into(),
                "write it beside, and rename it into its place",
            ));
        }
        Ok(list)
    }

    /// The same of what was opened, or is in memory.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn read(source: impl Read, issuer: &str) -> Result<Self, ListError> {
        Self::read_most(source, issuer, MOST_LINES)
    }

    /// The same with at most so many lines that say something.
    pub(super) fn read_most(source: impl Read, issuer: &str, most: usize) -> Result<Self, ListError> {
        let mut lines = Lines {
            from: BufReader::with_capacity(1 << 16, source),
            number: 0,
            bytes: 0,
            sha256: digest::Context::new(&digest::SHA256),
        };
        let mut line = Vec::new();
        let mut columns = None;
        let mut table = Table::new();
        while lines.next(&mut line)? {
            let number = lines.number;
            let wrong =
                |problem: &str, remedy| ListError { line: Some(number), problem: problem.into(), remedy };
            let text = text_of(&line, number)?;
            if text.is_empty() {
                continue;
            }
            let fields = fields(text)
                .map_err(|problem| wrong(problem, "quote a field that has a comma or a quote in it"))?;
            let Some(columns) = &columns else {
                columns = Some(Columns::of(&fields).map_err(|problem| wrong(&problem, HEADER))?);
                continue;
            };
            if table.len() == most {
                let problem = format!("is one too many: a list may have {most}");
                return Err(wrong(&problem, FEWER));
            }
            let line = columns.line(&fields, issuer, number)?;
            table.add(&line).map_err(|problem| wrong(problem, "use the words of the agreements"))?;
        }
        if columns.is_none() {
            return Err(whole("is empty".into(), HEADER));
        }
        table.sort().map_err(|[first, second]| ListError {
            line: Some(second),
            problem: format!("is about the same patient and scope as line {first}"),
            remedy: "leave one of the two",
        })?;
        Ok(Self { table, issuer: issuer.into(), sha256: hex::encode(lines.sha256.finish().as_ref()) })
    }

    /// What it says of a patient on a day, for a purpose; `None`: nobody says what for.
    pub fn said(&self, whom: &Who, purpose: Option<&str>, today: Date) -> Said {
        let today = today.to_julian_day();
        if whom.issuer.is_empty() && !self.issuer.is_empty() {
            let whom = Who { identifier: whom.identifier.clone(), issuer: self.issuer.to_string() };
            return self.table.said(&whom, purpose, today);
        }
        self.table.said(whom, purpose, today)
    }

    /// Lines that say something.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether it says nothing of anybody.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that it takes up in memory.
    pub fn bytes(&self) -> usize {
        self.table.bytes()
    }
}

impl Columns {
    fn of(fields: &[impl AsRef<str>]) -> Result<Self, String> {
        let at = |name: &str| fields.iter().position(|field| field.as_ref().eq_ignore_ascii_case(name));
        let known = ["identifier", "issuer", "decision", "scope", "until"];
        let is_known = |field: &str| known.iter().any(|name| name.eq_ignore_ascii_case(field));
        if fields.iter().any(|field| !is_known(field.as_ref())) {
            return Err("names a column that a list of consents does not have".into());
        }
        let twice = known
            .iter()
            .find(|name| fields.iter().filter(|field| name.eq_ignore_ascii_case(field.as_ref())).count() > 1);
        if let Some(twice) = twice {
            return Err(format!("names column {twice} twice"));
        }
        let needed = |name: &str| at(name).ok_or_else(|| format!("names no column {name}"));
        Ok(Self {
            count: fields.len(),
            identifier: needed("identifier")?,
            decision: needed("decision")?,
            issuer: at("issuer"),
            scope: at("scope"),
            until: at("until"),
        })
    }

    fn line<'l>(
        &self,
        fields: &'l [std::borrow::Cow<'_, str>],
        issuer: &'l str,
        number: u32,
    ) -> Result<Line<'l>, ListError> {
        let wrong = |problem: String, remedy| ListError { line: Some(number), problem, remedy };
        if fields.len() != self.count {
            let problem = format!("has {} fields instead of {}", fields.len(), self.count);
            return Err(wrong(problem, "write as many as the first line names"));
        }
        let at =
            |column: Option<usize>| column.and_then(|column| fields.get(column)).map_or("", |field| &**field);
        let identifier = at(Some(self.identifier));
        if identifier.is_empty() {
            return Err(wrong("has no identifier".into(), "write the Patient ID, or remove the line"));
        }
        let decision = at(Some(self.decision));
        let is_withdrawn =
            match (decision.eq_ignore_ascii_case("granted"), decision.eq_ignore_ascii_case("withdrawn")) {
                (true, _) => false,
                (_, true) => true,
                _ => {
                    return Err(wrong("has a decision that is neither".into(), "write granted or withdrawn"));
                }
            };
        let own = at(self.issuer);
        // A withdrawal of whoever has this identifier.
        let issuer = if own.is_empty() && !is_withdrawn { issuer } else { own };
        let until = match at(self.until) {
            "" => FOR_EVER,
            day => match Date::parse(day, format_description!("[year]-[month]-[day]")) {
                Ok(day) => day.to_julian_day(),
                Err(_) => {
                    return Err(wrong(
                        "has an until that is no day".into(),
                        "write the last day, as in 2026-12-31, or nothing",
                    ));
                }
            },
        };
        Ok(Line { identifier, issuer, is_withdrawn, purpose: at(self.scope), until, number })
    }
}

fn whole(problem: String, remedy: &'static str) -> ListError {
    ListError { line: None, problem, remedy }
}

fn text_of(line: &[u8], number: u32) -> Result<&str, ListError> {
    // What some programs begin a file with.
    let line = if number == 1 { line.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(line) } else { line };
    let text = std::str::from_utf8(line).map_err(|_| ListError {
        line: Some(number),
        problem: "is not UTF-8".into(),
        remedy: "save the file as UTF-8",
    })?;
    Ok(text.trim())
}

/// Lines of a file, each bounded.
struct Lines<R> {
    from: BufReader<R>,
    number: u32,
    bytes: u64,
    sha256: digest::Context,
}

impl<R: Read> Lines<R> {
    /// The next line, with its end; `false`: there is none.
    fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, ListError> {
        line.clear();
        let number = self.number.saturating_add(1);
        let cannot = |error: io::Error| {
            whole(format!("cannot be read: {error}"), "name a file that this user may read")
        };
        let read =
            self.from.by_ref().take(LONGEST_LINE as u64 + 1).read_until(b'\n', line).map_err(cannot)?;
        self.number = number;
        self.bytes = self.bytes.saturating_add(read as u64);
        self.sha256.update(line);
        if read > LONGEST_LINE {
            return Err(ListError {
                line: Some(number),
                problem: format!("is longer than {LONGEST_LINE} bytes"),
                remedy: "write one patient a line",
            });
        }
        if self.bytes > MOST_BYTES {
            return Err(ListError {
                line: Some(number),
                problem: "is behind the first 64 MiB, of which a list may be".into(),
                remedy: FEWER,
            });
        }
        Ok(read > 0)
    }
}
