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

    /// Whether what is there twice at an offset follows from something before it, which is then reported: from keys under
    /// the header of another table, or from a header that is misspelt or has too few brackets.
    pub(in crate::config) fn explain(&self, report: &Report<'_>, twice: usize) -> bool {
        let again = report.text().get(twice..).unwrap_or_default();
        let is_meant = |name: &str, place: &Place| {
            place.offset < twice && again.strip_prefix(name).is_some_and(|rest| rest.starts_with(']'))
        };
        if let Some(run) = self.runs.iter().find(|run| run.first.offset < twice) {
            run.tell(report);
        } else if let Some((place, near)) = self.misspelt.iter().find(|(place, near)| is_meant(near, place)) {
            meant(report, place, near);
        } else if let Some((part, place)) =
            self.unheaded.iter().find(|(part, place)| is_meant(part.key, place))
        {
            single(report, place, part);
        } else {
            return false;
        }
        true
    }

    /// The header of the table whose keys stand in this part of the file, under that of another one.
    pub(in crate::config) fn missing_in(&self, part: Range<usize>) -> Option<String> {
        let run = self.runs.iter().find(|run| part.contains(&run.first.offset))?;
        Some(one_of(&run.headers))
    }
}
