//! Names, and what refers to them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::report::{Located, Place, Report, Wrong};
use super::section::Section;
use super::suggest;
use crate::policy::is_name;

/// What to write where a table has no name.
pub(super) const NAME: (&str, &str) =
    ("name", "write name = \"…\", by which records and other tables call it");

/// How many names that nothing has are compared with those that there are; the rest are told without.
const MOST_COMPARED: u32 = 100;

/// Names that are told, so that a line stays one.
const MOST_TOLD: usize = 8;

/// The names of one kind of table, each with the place that defines it. A table whose other keys are wrong still has its
/// name here, so that one mistake is reported once.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// As in `[[kind]]`.
    kind: &'static str,
    places: BTreeMap<Arc<str>, Place>,
    /// Whether there is a table whose name could not be read, so that any name may be right.
    incomplete: bool,
    used: RefCell<BTreeSet<Arc<str>>>,
    compared: Cell<u32>,
}

/// Some names, for people: not more than fit into a line.
pub(super) fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names = names.map(|name| format!("{name:?}"));
    let told = names.by_ref().take(MOST_TOLD).collect::<Vec<_>>().join(", ");
    match names.count() {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

impl Names {
    /// Of `[[kind]]` in `table`.
    pub(super) fn of(kind: &'static str, table: &Section<'_>) -> Self {
        let incomplete = table.report.lacks(&format!("[[{kind}]]")) || !table.has_only_tables(kind);
        Self { kind, incomplete, ..Self::default() }
    }

    /// The `name` of a table, reported if it is unfit or taken. That it is missing is the caller's to report.
    pub(super) fn define(&mut self, section: &Section<'_>) -> Option<Arc<str>> {
        let Some(name) = section.parsed("name", fit) else {
            self.incomplete = true;
            return None;
        };
        if let Some(first) = self.places.get(&name.value) {
            let problem = format!("is taken by the table in line {}", section.report.line(first.offset));
            section.report.error(&name.place, problem, "give each its own name");
            return None;
        }
        self.places.insert(name.value.clone(), section.place.clone());
        Some(name.value)
    }

    /// The name that a key refers to, reported if nothing is called so.
    pub(super) fn refer(&self, section: &Section<'_>, key: &'static str) -> Option<Located<Arc<str>>> {
        self.resolve(section.report, section.string(key)?)
    }

    /// As [`Names::refer`], for a list. The good ones, if the key is there.
    pub(super) fn refer_all(
        &self,
        section: &Section<'_>,
        key: &'static str,
    ) -> Option<Vec<Located<Arc<str>>>> {
        let named = section.strings(key)?;
        Some(named.into_iter().filter_map(|one| self.resolve(section.report, one)).collect())
    }

    /// As [`Names::refer`], for what stands before a sign in a text.
    pub(super) fn refer_before(&self, report: &Report<'_>, text: Located<&str>, sign: char) {
        let name = text.value.split_once(sign).map_or(text.value, |(name, _)| name);
        self.resolve(report, Located { value: name, place: text.place });
    }

    /// Whether something is called so, which is then used by a file beside the configuration.
    pub(super) fn uses(&self, name: &str) -> bool {
        let known = self.places.get_key_value(name).map(|(name, _)| name.clone());
        let is_known = known.is_some();
        self.used.borrow_mut().extend(known);
        is_known || self.incomplete
    }

    /// Tells of those that nothing refers to.
    pub(super) fn warn_of_unused(&self, report: &Report<'_>, problem: &str, remedy: &str) {
        let used = self.used.borrow();
        for (_, place) in self.places.iter().filter(|(name, _)| !used.contains(*name)) {
            report.risk(place, problem, remedy);
        }
    }

    fn resolve(&self, report: &Report<'_>, text: Located<&str>) -> Option<Located<Arc<str>>> {
        if let Some((name, _)) = self.places.get_key_value(text.value) {
            self.used.borrow_mut().insert(name.clone());
            return Some(Located { value: name.clone(), place: text.place });
        }
        if !self.incomplete {
            let problem = format!("no [[{}]] is called {:?}", self.kind, text.value);
            report.wrong(&text.place, Wrong::new(problem, self.remedy(text.value)));
        }
        None
    }

    fn remedy(&self, text: &str) -> String {
        let compared = self.compared.replace(self.compared.get().saturating_add(1));
        if compared < MOST_COMPARED {
            suggest::or_list(text, self.places.keys().map(|name| &**name))
        } else {
            format!("write the name of a [[{}]]", self.kind)
        }
    }
}

pub(super) fn fit(text: &str) -> Result<Arc<str>, Wrong> {
    if !is_name(text) {
        let problem = format!("{text:?} is not a name");
        return Err(Wrong::new(problem, "write 1 to 64 letters, digits, dots, hyphens and underscores"));
    }
    Ok(text.into())
}
