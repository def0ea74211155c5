//! What stands in a file that is not TOML.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, Error};

use super::report::{Place, Report};
use super::spelling::{Headers, Slip};

/// What the parser says of a key, or a header, that is there already.
const TWICE: &str = "duplicate key";

/// Reports syntax errors, each slip of the pen once.
pub(super) fn report(report: &Report<'_>, root: &mut Spanned<DeTable<'_>>, errors: &[Error]) {
    if errors.iter().all(|error| error.message() == TWICE) {
        return twice(report, root, errors);
    }
    // What follows a bracket or a quote that is not closed is misread, up to the next header at the most: so each table is
    // read alone, and the first error of each is told.
    for (start, table) in tables(report.text()) {
        let (_, errors) = DeTable::parse_recoverable(table);
        tell_first(report, start, &errors);
    }
    // What is wrong only with tables together, such as a key and a table of the same name.
    if report.errors() == 0 {
        tell_first(report, 0, errors);
    }
}

/// Reports keys and headers that are there twice. Several in one table are one missing header of a further one; and where
/// they follow from something that is wrong before, that is what is told.
fn twice(report: &Report<'_>, root: &mut Spanned<DeTable<'_>>, errors: &[Error]) {
    let mut offsets: Vec<usize> = errors.iter().map(offset).collect();
    offsets.sort_unstable();
    let headers = Headers::of(report, root.get_mut());
    // Of what stands behind a key that is there twice, the header was told.
    let is_told =
        |told: &[Range<usize>], slip: &Slip<'_>| told.iter().any(|part| part.contains(&slip.offset()));
    let (mut causes, mut before, mut told) = (BTreeMap::new(), None, Vec::new());
    for offset in offsets {
        let part = part_at(report.text(), offset);
        if before.replace(part.start) == Some(part.start) {
            continue;
        }
        if let Some(cause) = headers.cause(report.text(), &part, offset) {
            if !is_told(&told, &cause) {
                causes.insert(cause.offset(), cause);
            }
            continue;
        }
        problem(report, offset, TWICE, &remedy(headers.missing_in(offset..part.end)));
        told.push(offset..part.end);
    }
    let strays = headers.strays().filter(|stray| !is_told(&told, stray));
    causes.extend(strays.map(|stray| (stray.offset(), stray)));
    causes.values().for_each(|cause| cause.tell(report));
}

/// What stands under the same header.
fn part_at(text: &str, offset: usize) -> Range<usize> {
    let starts = starts(text);
    let next = starts.partition_point(|start| *start <= offset);
    let start = next.checked_sub(1).and_then(|last| starts.get(last));
    start.copied().unwrap_or(0)..starts.get(next).copied().unwrap_or(text.len())
}

/// What to write where something is there twice, before keys of a table whose header is missing, if there are any.
fn remedy(missing: Option<String>) -> String {
    match missing {
        Some(header) => format!("write {header} above it, or remove one of the two"),
        None => "remove one of the two, or write the header above it if another table begins here".into(),
    }
}

fn offset(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// Tells the first of the errors of a part of the file that begins at `start`.
fn tell_first(report: &Report<'_>, start: usize, errors: &[Error]) {
    if let Some(first) = errors.iter().min_by_key(|error| offset(error)) {
        tell(report, start + offset(first), first);
    }
}

fn tell(report: &Report<'_>, offset: usize, error: &Error) {
    let remedy = match error.message() {
        TWICE => remedy(None),
        _ => "see https://toml.io".into(),
    };
    problem(report, offset, error.message(), &remedy);
}

fn problem(report: &Report<'_>, offset: usize, message: &str, remedy: &str) {
    let place = Place { offset, key: String::new() };
    report.error(&place, format!("is not TOML: {message}"), remedy);
}

/// The parts of a file between lines that begin as a header does, each with its offset.
fn tables(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = starts(text);
    let ends: Vec<usize> = starts.iter().copied().skip(1).chain([text.len()]).collect();
    starts.into_iter().zip(ends).filter_map(|(start, end)| text.get(start..end).map(|part| (start, part)))
}

/// Where the file begins, and each further line that begins as a header does.
fn starts(text: &str) -> Vec<usize> {
    let mut starts = vec![0];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && begins_as_a_header(line) {
            starts.push(at);
        }
        at += line.len();
    }
    starts
}

fn begins_as_a_header(line: &str) -> bool {
    let name = line.strip_prefix('[').map(|rest| rest.strip_prefix('[').unwrap_or(rest));
    name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}
