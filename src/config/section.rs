//! One table of the file, read by typed getters that go on after a problem.

mod numbers;

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::report::{Located, Place, Report, Wrong};
use super::{spelling, suggest, units};
use crate::policy::{KeyLines, Stated};

/// A table, without what [`spelling`] found in it that it does not have.
pub(super) struct Section<'a> {
    pub report: &'a Report<'a>,
    /// The table's header, under the name by which problems mention it.
    pub place: Place,
    /// What stands before the name of a key.
    prefix: String,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    pub(super) fn root(report: &'a Report<'a>, table: &'a DeTable<'a>) -> Self {
        let place = Place { offset: 0, key: String::new() };
        Self { report, place, prefix: String::new(), table }
    }

    fn new(report: &'a Report<'a>, place: Place, separator: char, table: &'a DeTable<'a>) -> Self {
        let prefix = format!("{}{separator}", place.key);
        Self { report, place, prefix, table }
    }

    /// Where the table begins, counted from 1.
    pub(super) fn line(&self) -> usize {
        self.report.line(self.place.offset)
    }

    /// Where those of the keys are that the table has.
    pub(super) fn lines_of(&self, keys: &[&'static str]) -> KeyLines {
        let shown = |offset| if self.report.hides_lines() { 0 } else { self.report.line(offset) };
        let line = |key: &str| self.table.get_key_value(key).map(|(at, _)| shown(at.span().start));
        keys.iter().filter_map(|key| line(key).map(|line| Stated { key, line })).collect()
    }

    /// The name of the table, as it stands there.
    pub(super) fn called(&self) -> Option<&'a str> {
        self.text("name")
    }

    /// What a key holds, where it is a string. What else it is is for the getters to say.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.table.get(key)?.get_ref().as_str()
    }

    /// The place of a key, or of the table where the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Place {
        let value = self.table.get(key);
        Place { offset: value.map_or(self.place.offset, |value| value.span().start), key: self.join(key) }
    }

    /// Reports a key that has to be there. A table that holds nothing was reported as such.
    pub(super) fn missing(&self, key: &str, remedy: &str) {
        if self.table.is_empty() {
            return;
        }
        self.report.error(&self.place_of(key), "is missing", remedy);
    }

    /// Reports each of these keys that is not there, with what to write. Of a table that holds nothing, all at once.
    pub(super) fn require(&self, keys: &[(&'static str, &str)]) {
        if self.table.is_empty() && !self.report.is_faulty(self.place.offset..self.place.offset + 1) {
            let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
            let remedy = format!("write {}, or remove it", names.join(", "));
            self.report.error(&self.place, "holds nothing", remedy);
        }
        for (key, remedy) in keys.iter().filter(|(key, _)| !self.has(key)) {
            self.missing(key, remedy);
        }
    }

    /// Reports the keys of some that are there and should not be, once, at the first in the file.
    pub(super) fn refuse(&self, keys: &[&str], problem: &str, remedy: &str) {
        let mut found: Vec<Place> =
            keys.iter().filter(|key| self.has(key)).map(|key| self.place_of(key)).collect();
        found.sort_by_key(|place| place.offset);
        let Some((first, others)) = found.split_first() else { return };
        let others: Vec<&str> =
            others.iter().map(|place| place.key.strip_prefix(&*self.prefix).unwrap_or_default()).collect();
        let others = match others.as_slice() {
            [] => String::new(),
            [one] => format!(", as does {one}"),
            [before @ .., last] => format!(", as do {} and {last}", before.join(", ")),
        };
        self.report.error(first, format!("{problem}{others}"), remedy);
    }

    /// Whether nothing is wrong with the value of a key, if it has one. What follows from a value that cannot be read is no
    /// further problem.
    pub(super) fn is_sound(&self, key: &str) -> bool {
        self.table.get(key).is_none_or(|value| !self.report.is_faulty(value.span()))
    }

    /// Whether the key, where it is there, holds tables as it should.
    pub(super) fn has_only_tables(&self, key: &str) -> bool {
        let tables = |value: &DeValue<'_>| {
            value.as_array().is_some_and(|array| array.iter().all(|item| item.get_ref().is_table()))
        };
        self.table.get(key).is_none_or(|value| tables(value.get_ref()))
    }

    /// From where the name of a key begins to where its value ends.
    pub(super) fn span_of(&self, key: &str) -> Option<Range<usize>> {
        let (name, value) = self.table.get_key_value(key)?;
        Some(name.span().start..value.span().end)
    }

    /// Reports every key but these, for a table that is read before it is known which tables there are.
    pub(super) fn refuse_others(&self, known: &[&'static str]) {
        for (key, _) in self.table.iter().filter(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
            let place = Place { offset: key.span().start, key: self.join(key.get_ref()) };
            let remedy = suggest::or_list(key.get_ref(), known.iter().copied());
            self.report.error(&place, "is not a key of this table", remedy);
        }
    }

    /// Whether the key is there, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The keys and values of this table as they are written, but for some keys.
    pub(super) fn written(&self, except: &[&str]) -> String {
        let kept = self.table.iter().filter(|(key, _)| !except.contains(&key.get_ref().as_ref()));
        kept.map(|(key, value)| format!("{} = {}\n", key.get_ref(), self.report.written(value.span())))
            .collect()
    }

    pub(super) fn string(&self, key: &'static str) -> Option<Located<&'a str>> {
        let value = self.value(key)?;
        self.text_of(&value)
    }

    /// A string that is read by `parse`.
    pub(super) fn parsed<T>(
        &self,
        key: &'static str,
        parse: impl FnOnce(&'a str) -> Result<T, Wrong>,
    ) -> Option<Located<T>> {
        let text = self.string(key)?;
        match parse(text.value) {
            Ok(value) => Some(Located { value, place: text.place }),
            Err(wrong) => {
                self.report.wrong(&text.place, wrong);
                None
            }
        }
    }

    /// The strings of an array. `None` if absent, and also where it is no array of strings or is empty, which is
    /// reported: an empty list would match nothing.
    pub(super) fn strings(&self, key: &'static str) -> Option<Vec<Located<&'a str>>> {
        let strings = self.strings_or_none(key)?;
        if strings.is_empty() {
            self.report.error(
                &self.place_of(key),
                "is empty, so that nothing matches",
                "list at least one, or remove the key",
            );
            return None;
        }
        Some(strings)
    }

    /// As [`Section::strings`], where an empty array is right too.
    pub(super) fn strings_or_none(&self, key: &'static str) -> Option<Vec<Located<&'a str>>> {
        let value = self.value(key)?;
        let DeValue::Array(array) = value.value else {
            self.wrong_type(&value, "an array of strings, as in [\"…\"]");
            return None;
        };
        let items = array.iter().enumerate().map(|(index, item)| {
            let place = Place { offset: item.span().start, key: format!("{}[{index}]", value.place.key) };
            self.text_of(&Located { value: item.get_ref(), place })
        });
        // Every item is looked at before the first bad one ends it.
        let items: Vec<_> = items.collect();
        items.into_iter().collect()
    }

    /// An array of strings, each read by `parse`. The good ones, if the key is there.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        parse: impl Fn(&'a str) -> Result<T, Wrong>,
    ) -> Option<Vec<Located<T>>> {
        let strings = self.strings(key)?;
        Some(self.parse_all(strings, parse))
    }

    /// Each string read by `parse`; those that cannot be are reported and left out.
    pub(super) fn parse_all<T>(
        &self,
        strings: Vec<Located<&'a str>>,
        parse: impl Fn(&'a str) -> Result<T, Wrong>,
    ) -> Vec<Located<T>> {
        let read = |text: Located<&'a str>| match parse(text.value) {
            Ok(value) => Some(Located { value, place: text.place }),
            Err(wrong) => {
                self.report.wrong(&text.place, wrong);
                None
            }
        };
        strings.into_iter().filter_map(read).collect()
    }

    pub(super) fn path(&self, key: &'static str) -> Option<Located<PathBuf>> {
        self.parsed(key, |text| self.file(text))
    }

    pub(super) fn paths(&self, key: &'static str) -> Vec<Located<PathBuf>> {
        let strings = self.strings_or_none(key).unwrap_or_default();
        self.parse_all(strings, |text| self.file(text))
    }

    /// One path, or an array of them that is not empty. None only where the key is absent, or after a problem was reported.
    pub(super) fn path_or_paths(&self, key: &'static str) -> Vec<Located<PathBuf>> {
        match self.value(key).map(|value| value.value) {
            None => Vec::new(),
            Some(DeValue::Array(_)) => self.list(key, |text| self.file(text)).unwrap_or_default(),
            Some(DeValue::String(_)) => self.path(key).into_iter().collect(),
            Some(other) => {
                let value = Located { value: other, place: self.place_of(key) };
                self.wrong_type(&value, "the name of a file in a string, or several in an array");
                Vec::new()
            }
        }
    }

    /// One string, or an array of them that is not empty. None only where the key is absent, or after a problem was reported.
    pub(super) fn string_or_strings(&self, key: &'static str) -> Vec<Located<&'a str>> {
        match self.value(key).map(|value| value.value) {
            Some(DeValue::Array(_)) => self.strings(key).unwrap_or_default(),
            _ => self.string(key).into_iter().collect(),
        }
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let parse = |text: &str| {
            let chosen = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
            let names = choices.iter().map(|(name, _)| *name);
            chosen.ok_or_else(|| Wrong::new(format!("{text:?} is not known"), suggest::or_list(text, names)))
        };
        self.parsed(key, parse).map(|located| located.value)
    }

    /// A duration longer than zero.
    pub(super) fn duration(&self, key: &'static str, default: Duration) -> Duration {
        let above_zero = |text: &str| match units::duration(text)? {
            Duration::ZERO => Err(Wrong::new("is zero", "write a longer time, as in \"10s\"")),
            duration => Ok(duration),
        };
        self.duration_by(key, default, above_zero)
    }

    /// A duration longer than zero, where the key is there.
    pub(super) fn optional_duration(&self, key: &'static str) -> Option<Duration> {
        let duration = self.duration(key, Duration::MAX);
        self.has(key).then_some(duration)
    }

    /// A duration that may be zero.
    pub(super) fn duration_or_zero(&self, key: &'static str, default: Duration) -> Duration {
        self.duration_by(key, default, units::duration)
    }

    /// A duration longer than zero, or the word `off`.
    pub(super) fn duration_or_off(&self, key: &'static str, default: Duration) -> Option<Duration> {
        match self.text(key) {
            Some("off") => None,
            _ => Some(self.duration(key, default)),
        }
    }

    fn duration_by(
        &self,
        key: &'static str,
        default: Duration,
        parse: impl Fn(&str) -> Result<Duration, Wrong>,
    ) -> Duration {
        if let Some(value) = self.value(key)
            && let DeValue::Integer(number) = value.value
        {
            self.report.error(&value.place, "has no unit", format!("write a string such as \"{number}s\""));
            return default;
        }
        self.parsed(key, parse).map_or(default, |located| located.value)
    }

    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        if let DeValue::Boolean(flag) = value.value {
            return Some(*flag);
        }
        self.wrong_type(&value, "true or false");
        None
    }

    /// The table that stands under this key; `None` where there is none, or where what stands there is none, which is
    /// reported.
    pub(super) fn table(&self, key: &'static str) -> Option<Section<'a>> {
        let value = self.value(key)?;
        if let DeValue::Table(table) = value.value {
            return Some(Section::new(self.report, value.place, '.', table));
        }
        self.wrong_type(&value, &format!("a table, [{key}]"));
        None
    }

    /// `[[key]]`, each called by its name, or by its number where it has none.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(array) = value.value else {
            self.wrong_type(&value, &format!("tables, each under its own [[{key}]]"));
            return Vec::new();
        };
        let section = |(index, item): (usize, &'a toml::Spanned<DeValue<'a>>)| {
            let called = spelling::called(item.get_ref(), index);
            let place = Place { offset: item.span().start, key: format!("[[{}]] {called}", self.join(key)) };
            if let DeValue::Table(table) = item.get_ref() {
                return Some(Section::new(self.report, place, ' ', table));
            }
            self.wrong_type(&Located { value: item.get_ref(), place }, &format!("a table under [[{key}]]"));
            None
        };
        array.iter().enumerate().filter_map(section).collect()
    }

    /// The tables of an array that is written in line, `[{ … }, { … }]`.
    pub(super) fn inline_tables(&self, key: &'static str) -> Vec<Section<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let DeValue::Array(array) = value.value else {
            self.wrong_type(&value, "an array of tables, as in [{ … }]");
            return Vec::new();
        };
        let section = |(index, item): (usize, &'a toml::Spanned<DeValue<'a>>)| {
            let place = Place { offset: item.span().start, key: format!("{}[{index}]", value.place.key) };
            if let DeValue::Table(table) = item.get_ref() {
                return Some(Section::new(self.report, place, '.', table));
            }
            self.wrong_type(&Located { value: item.get_ref(), place }, "a table, { … }");
            None
        };
        array.iter().enumerate().filter_map(section).collect()
    }

    fn value(&self, key: &'static str) -> Option<Located<&'a DeValue<'a>>> {
        let value = self.table.get(key)?;
        Some(Located { value: value.get_ref(), place: self.place_of(key) })
    }

    fn text_of(&self, value: &Located<&'a DeValue<'a>>) -> Option<Located<&'a str>> {
        if let DeValue::String(text) = value.value {
            return Some(Located { value: text, place: value.place.clone() });
        }
        self.wrong_type(value, "a string, as in \"…\"");
        None
    }

    fn wrong_type(&self, value: &Located<&DeValue<'_>>, expected: &str) {
        let found = value.value.type_str();
        let article = if found.starts_with(['a', 'i']) { "an" } else { "a" };
        self.report.error(&value.place, format!("is {article} {found}"), format!("write {expected}"));
    }

    fn join(&self, key: &str) -> String {
        format!("{}{}", self.prefix, spelling::shown(key))
    }

    fn file(&self, text: &str) -> Result<PathBuf, Wrong> {
        if text.is_empty() || text.contains('\0') {
            let remedy =
                "write the name of a file, relative to the working directory, or as relative-to says";
            return Err(Wrong::new("is not a path", remedy));
        }
        Ok(self.report.resolved(text))
    }
}
