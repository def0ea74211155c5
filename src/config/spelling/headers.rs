//! Which header is wrong where something is in a file twice.

use std::ops::Range;

use toml::de::DeTable;

use super::super::report::{Place, Report};
use super::super::shape::Part;
use super::{Mending, Run, meant, one_of, single};

/// What is wrong with the headers of a file that has keys or headers twice.
pub(in crate::config) struct Headers {
    runs: Vec<Run>,
    unheaded: Vec<(&'static Part, Place)>,
    misspelt: Vec<(Place, &'static str)>,
}

impl Headers {
    /// Of what could be read of it.
    pub(in crate::config) fn of(report: &Report<'_>, root: &mut DeTable<'_>) -> Self {
        let apart = report.apart();
        let Mending { runs, unheaded, misspelt, .. } = Mending::of(&apart, root);
        Self { runs, unheaded, misspelt }
    }

    /// What is there twice at an offset, in a part of the file under one header, may follow from something before it: from
    /// keys under the header of another table, or from a header that is misspelt or has too few brackets.
    pub(in crate::config) fn cause(&self, text: &str, part: &Range<usize>, twice: usize) -> Option<Slip<'_>> {
        let again = text.get(twice..).unwrap_or_default();
        let is_meant = |name: &str, place: &Place| {
            place.offset < twice && again.strip_prefix(name).is_some_and(|rest| rest.starts_with(']'))
        };
        let run = self.runs.iter().filter(|run| run.first.offset < twice);
        let run = run.map(Slip::Run).find(|run| run.explains(text, part));
        let mut misspelt = self.misspelt.iter().filter(|(place, near)| is_meant(near, place));
        let mut unheaded = self.unheaded.iter().filter(|(table, place)| is_meant(table.key, place));
        run.or_else(|| misspelt.next().map(|(place, near)| Slip::Misspelt(place, near)))
            .or_else(|| unheaded.next().map(|(table, place)| Slip::Unheaded(table, place)))
    }

    /// Keys under the header of another table.
    pub(in crate::config) fn strays(&self) -> impl Iterator<Item = Slip<'_>> {
        self.runs.iter().map(Slip::Run)
    }

    /// The header of the table whose keys stand in this part of the file, under that of another one.
    pub(in crate::config) fn missing_in(&self, part: Range<usize>) -> Option<String> {
        let run = self.runs.iter().find(|run| part.contains(&run.first.offset))?;
        Some(one_of(&run.headers))
    }
}

/// Why something else is wrong.
pub(in crate::config) enum Slip<'h> {
    Run(&'h Run),
    Misspelt(&'h Place, &'static str),
    Unheaded(&'static Part, &'h Place),
}

impl Slip<'_> {
    pub(in crate::config) fn offset(&self) -> usize {
        match self {
            Self::Run(run) => run.first.offset,
            Self::Misspelt(place, _) | Self::Unheaded(_, place) => place.offset,
        }
    }

    pub(in crate::config) fn tell(&self, report: &Report<'_>) {
        match self {
            Self::Run(run) => run.tell(report),
            Self::Misspelt(place, near) => meant(report, place, near),
            Self::Unheaded(part, place) => single(report, place, part),
        }
    }

    /// Whether keys come twice in a later part of the file for want of the header of these: in the same part, or in a table
    /// inside the one that has none, or in the next of its kind.
    fn explains(&self, text: &str, part: &Range<usize>) -> bool {
        let Self::Run(run) = self else { return false };
        let first = run.first.offset;
        let header = lines(text).find(|(at, _)| *at == part.start).map_or("", |(_, line)| line);
        let is_inside = |outer: &&str| {
            let name = bare(outer);
            let rest = bare(header).strip_prefix(name);
            let inside = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            let begun = lines(text).any(|(at, line)| (first..part.start).contains(&at) && is(line, outer));
            inside && outer.starts_with("[[") && !begun
        };
        part.contains(&first) || first < part.start && run.headers.iter().any(is_inside)
    }
}

/// Where the table is already that a header would begin at an offset, if there may be no second one.
pub(super) fn there(text: &str, header: &str, offset: usize) -> Option<usize> {
    if header.starts_with("[[") || header.is_empty() {
        return None;
    }
    // Of a table inside others there may be one in each.
    let outer = bare(header).rsplit_once('.').map(|(outer, _)| format!("[[{outer}]]"));
    let begins = |line: &str| outer.as_ref().is_some_and(|outer| is(line, outer));
    let starts = || lines(text).filter(|(_, line)| begins(line)).map(|(at, _)| at);
    let start = starts().take_while(|at| *at <= offset).last().unwrap_or(0);
    let end = starts().find(|at| *at > offset).unwrap_or(text.len());
    lines(text).find(|(at, line)| (start..end).contains(at) && is(line, header)).map(|(at, _)| at)
}

/// Lines, and where they begin.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_inclusive('\n').scan(0, |at, line| {
        let start = *at;
        *at += line.len();
        Some((start, line))
    })
}

/// Whether a line is this header, and perhaps a comment.
fn is(line: &str, header: &str) -> bool {
    let rest = line.trim_start().strip_prefix(header);
    rest.is_some_and(|rest| rest.trim_start().is_empty() || rest.trim_start().starts_with('#'))
}

/// What stands between the brackets of a header.
fn bare(header: &str) -> &str {
    let inside = header.trim_start_matches('[');
    inside.split(']').next().unwrap_or(inside)
}
