//! Names, and what refers to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::report::{Located, Wrong};
use super::section::Section;
use super::suggest;

/// The names of one kind of table, each with the line that defines it. A table whose other keys are wrong still has its
/// name here, so that one mistake is reported once.
#[derive(Debug, Default)]
pub(super) struct Names {
    lines: BTreeMap<Arc<str>, usize>,
}

impl Names {
    /// The `name` of a table, reported if it is missing, unfit, or taken.
    pub(super) fn define(&mut self, section: &Section<'_>) -> Option<Arc<str>> {
        if !section.has("name") {
            section.missing("name", "write name = \"…\", by which records and other tables call it");
        }
        let name = section.parsed("name", fit)?;
        if let Some(line) = self.lines.get(&name.value) {
            let problem = format!("is taken by the table in line {line}");
            section.report.error(&name.place, problem, "give each its own name");
            return None;
        }
        self.lines.insert(name.value.clone(), section.line());
        Some(name.value)
    }

    /// The name that a key refers to, reported if nothing is called so.
    pub(super) fn refer(
        &self,
        section: &Section<'_>,
        key: &'static str,
        kind: &str,
    ) -> Option<Located<Arc<str>>> {
        section.parsed(key, |text| self.resolve(text, kind))
    }

    /// As [`Names::refer`], for a list.
    pub(super) fn refer_all(
        &self,
        section: &Section<'_>,
        key: &'static str,
        kind: &str,
    ) -> Option<Vec<Located<Arc<str>>>> {
        section.list(key, |text| self.resolve(text, kind))
    }

    fn resolve(&self, text: &str, kind: &str) -> Result<Arc<str>, Wrong> {
        let found = self.lines.get_key_value(text).map(|(name, _)| name.clone());
        let names = self.lines.keys().map(|name| &**name);
        found.ok_or_else(|| {
            Wrong::new(format!("no [[{kind}]] is called {text:?}"), suggest::or_list(text, names))
        })
    }
}

pub(super) fn fit(text: &str) -> Result<Arc<str>, Wrong> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if text.is_empty() || text.len() > 64 || !text.bytes().all(legal) {
        let problem = format!("{text:?} is not a name");
        return Err(Wrong::new(problem, "write 1 to 64 letters, digits, dots, hyphens and underscores"));
    }
    Ok(text.into())
}
