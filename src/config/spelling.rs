//! Keys and headers that no table has: told once, and then read as what they were probably meant for.
//!
//! So one slip of the pen is one problem. A misspelt key is read as the one that it is near to, and a key whose header is
//! missing is told with the header that it belongs to, instead of as one thing too many here and one too few there.

mod headers;

use toml::Spanned;
use toml::de::{DeArray, DeString, DeTable, DeValue};

use super::report::{Place, Report};
use super::shape::{Kind, Part, ROOT, Shape};
use super::suggest::nearest;
pub(super) use headers::{Headers, Slip};

/// Reports every key that no table has, and takes it out of the file or gives it the name that was meant.
pub(super) fn mend(report: &Report<'_>, root: &mut DeTable<'_>) {
    let Mending { unheaded, runs, has_unknown, .. } = Mending::of(report, root);
    runs.iter().for_each(|run| run.tell(report));
    for (part, place) in unheaded {
        let told = runs.iter().any(|run| run.headers.contains(&part.shape.header));
        if !told && !has_unknown {
            single(report, &place, part);
        }
    }
}

/// Tells of a single table where there may be several.
fn single(report: &Report<'_>, place: &Place, part: &Part) {
    report.error(place, "is a table", format!("write tables, each under its own {}", part.shape.header));
}

/// Tells of a key that is near to one that there is.
fn meant(report: &Report<'_>, place: &Place, near: &str) {
    report.error(place, "is not a key of this table", format!("did you mean \"{near}\"?"));
}

struct Mending<'r, 'f> {
    report: &'r Report<'f>,
    /// Single tables where there may be several. Perhaps only the header of one is missing.
    unheaded: Vec<(&'static Part, Place)>,
    runs: Vec<Run>,
    /// Keys that were told, with those that they are near to.
    misspelt: Vec<(Place, &'static str)>,
    /// Whether there is a table that may have been any.
    has_unknown: bool,
}

/// Keys of one other table, one after the other.
pub(super) struct Run {
    first: Place,
    /// Of the tables that have all of them.
    headers: Vec<&'static str>,
    /// How many come behind the first.
    more: usize,
}

impl Run {
    fn tell(&self, report: &Report<'_>) {
        let named = one_of(&self.headers);
        let more = match self.more {
            0 => String::new(),
            1 => ", as is one key after it".into(),
            more => format!(", as are {more} keys after it"),
        };
        report.error(&self.first, format!("is a key of {named}{more}"), self.remedy(report));
    }

    /// A header of which there may be one only is not to be written a second time.
    fn remedy(&self, report: &Report<'_>) -> String {
        let [header] = self.headers.as_slice() else { return "write it there".into() };
        match headers::there(report.text(), header, self.first.offset) {
            Some(at) => {
                let what = if self.more == 0 { "it" } else { "them" };
                format!("move {what} under the {header} of line {}", report.line(at))
            }
            None => "write that header above it".into(),
        }
    }

    /// A table inside this one is meant before any other.
    fn narrow(&mut self, inside: &[&str]) {
        if self.headers.iter().any(|header| inside.contains(header)) {
            self.headers.retain(|header| inside.contains(header));
        }
    }

    fn common<'h>(&'h self, headers: &'h [&'static str]) -> impl Iterator<Item = &'static str> + 'h {
        self.headers.iter().copied().filter(|header| headers.contains(header))
    }

    /// Whether these are headers of the same table.
    fn joins(&self, headers: &[&'static str]) -> bool {
        self.common(headers).next().is_some()
    }
}

impl<'r, 'f> Mending<'r, 'f> {
    fn of(report: &'r Report<'f>, root: &mut DeTable<'_>) -> Self {
        let (unheaded, runs, misspelt) = (Vec::new(), Vec::new(), Vec::new());
        let mut mending = Mending { report, unheaded, runs, misspelt, has_unknown: false };
        mending.table(root, &ROOT, "");
        for run in &mending.runs {
            report.miss(run.headers.iter().copied());
        }
        mending
    }

    /// `prefix` is what stands before the names of its keys.
    fn table<'t>(&mut self, table: &mut DeTable<'t>, shape: &Shape, prefix: &str) {
        self.keys(table, shape, prefix);
        for part in shape.parts {
            let Some(value) = table.get_mut(part.key) else { continue };
            let name = format!("{prefix}{}", part.key);
            match part.kind {
                Kind::One => self.one(value, part, &name),
                Kind::Many => self.many(value, part, &name),
                Kind::Inline => self.inline(value, part, &name),
            }
        }
    }

    fn keys<'t>(&mut self, table: &mut DeTable<'t>, shape: &Shape, prefix: &str) {
        let unknown = table.keys().filter(|key| !shape.has(key.get_ref()));
        let mut unknown: Vec<Spanned<DeString<'t>>> = unknown.cloned().collect();
        unknown.sort_by_key(|key| key.span().start);
        let mut runs: Vec<Run> = Vec::new();
        for key in unknown {
            let Some(value) = table.remove(&key) else { continue };
            let place = Place { offset: key.span().start, key: format!("{prefix}{}", shown(key.get_ref())) };
            let near = nearest(key.get_ref(), shape.keys());
            let headers = ROOT.headers_with(key.get_ref());
            let joins = runs.last().is_some_and(|run| run.joins(&headers));
            match near {
                Some(near) if !joins && !table.contains_key(near) => {
                    self.meant(place, near);
                    table.insert(Spanned::new(key.span(), near.into()), value);
                }
                _ if !headers.is_empty() => stray(&mut runs, place, headers),
                None if ROOT.has_value(key.get_ref()) => {
                    self.report.error(
                        &place,
                        "is a key of the whole file",
                        "write it above the first header",
                    );
                }
                Some(near) => {
                    self.meant(place, near);
                    // What stands in it may be what the other one lacks.
                    let alone = shape.part(near).filter(|part| part.kind == Kind::One);
                    self.report.miss(alone.map(|part| part.shape.header));
                    if let Some(existing) = table.get_mut(near) {
                        join(existing, value);
                    }
                }
                None => self.unknown(&place, shape, value.get_ref()),
            }
        }
        let inside = shape.headers();
        runs.iter_mut().for_each(|run| run.narrow(&inside));
        self.runs.extend(runs);
    }

    fn meant(&mut self, place: Place, near: &'static str) {
        meant(self.report, &place, near);
        self.misspelt.push((place, near));
    }

    fn unknown(&mut self, place: &Place, shape: &Shape, value: &DeValue<'_>) {
        let headed = shape.parts.iter().filter(|part| part.kind != Kind::Inline);
        let headed: Vec<&str> = headed.map(|part| part.shape.header).collect();
        if headed.is_empty() || !holds_tables(value) {
            return self.report.error(place, "is not a key of this table", "remove it");
        }
        let remedy = format!("write one of {}, or remove it", headed.join(", "));
        self.report.error(place, "is not a table that there is", remedy);
        self.has_unknown = true;
        self.report.miss(ROOT.headers());
    }

    fn one(&mut self, value: &mut Spanned<DeValue<'_>>, part: &Part, name: &str) {
        let place = Place { offset: value.span().start, key: name.to_owned() };
        if let DeValue::Array(array) = value.get_mut()
            && array.iter().any(|item| item.get_ref().is_table())
        {
            self.report.error(&place, "is an array", format!("write a table, {}", part.shape.header));
            let first =
                std::mem::replace(array, DeArray::new()).into_iter().find(|item| item.get_ref().is_table());
            *value = first.unwrap_or_else(|| Spanned::new(0..0, DeValue::Table(DeTable::new())));
        }
        if let DeValue::Table(table) = value.get_mut() {
            self.table(table, part.shape, &format!("{name}."));
        }
    }

    fn many(&mut self, value: &mut Spanned<DeValue<'_>>, part: &'static Part, name: &str) {
        let span = value.span();
        if let DeValue::Table(table) = value.get_mut() {
            self.unheaded.push((part, Place { offset: span.start, key: name.to_owned() }));
            // Of one that only has a table inside, all else is missing.
            let only = match table.keys().any(|key| part.shape.part(key.get_ref()).is_none()) {
                true => Some(std::mem::replace(value.get_mut(), DeValue::Boolean(false))),
                false => None,
            };
            self.report.miss(only.is_none().then_some(part.shape.header));
            *value.get_mut() =
                DeValue::Array(only.map(|only| Spanned::new(span, only)).into_iter().collect());
        }
        let DeValue::Array(array) = value.get_mut() else { return };
        for (index, item) in array.iter_mut().enumerate() {
            let prefix = format!("[[{name}]] {} ", called(item.get_ref(), index));
            if let DeValue::Table(table) = item.get_mut() {
                self.table(table, part.shape, &prefix);
            }
        }
    }

    fn inline(&mut self, value: &mut Spanned<DeValue<'_>>, part: &Part, name: &str) {
        let DeValue::Array(array) = value.get_mut() else { return };
        for (index, item) in array.iter_mut().enumerate() {
            if let DeValue::Table(table) = item.get_mut() {
                self.table(table, part.shape, &format!("{name}[{index}]."));
            }
        }
    }
}

/// By its name, or by its number where it has none.
pub(super) fn called(table: &DeValue<'_>, index: usize) -> String {
    let name = table.get("name").and_then(|name| name.get_ref().as_str());
    name.map_or_else(|| format!("#{}", index + 1), |name| format!("{name:?}"))
}

/// As much of a key as fits a line.
pub(super) fn shown(key: &str) -> String {
    key.chars().take(64).flat_map(char::escape_debug).collect()
}

/// One more key of other tables.
fn stray(runs: &mut Vec<Run>, place: Place, headers: Vec<&'static str>) {
    match runs.last_mut() {
        Some(run) if run.joins(&headers) => {
            run.headers = run.common(&headers).collect();
            run.more += 1;
        }
        _ => runs.push(Run { first: place, headers, more: 0 }),
    }
}

fn one_of(headers: &[&str]) -> String {
    match headers {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        _ => headers.concat(),
    }
}

fn holds_tables(value: &DeValue<'_>) -> bool {
    value.is_table()
        || value.as_array().is_some_and(|array| array.iter().any(|item| item.get_ref().is_table()))
}

/// What is under a misspelt header joins what is under the right one, as it would have if both were right.
fn join<'t>(existing: &mut Spanned<DeValue<'t>>, misspelt: Spanned<DeValue<'t>>) {
    let at = misspelt.span().start;
    match (existing.get_mut(), misspelt.into_inner()) {
        (DeValue::Table(table), DeValue::Table(more)) => add(table, more),
        (DeValue::Array(array), DeValue::Array(more)) if are_tables(array) && are_tables(&more) => {
            let all = std::mem::replace(array, DeArray::new()).into_iter().chain(more);
            let mut all: Vec<_> = all.collect();
            all.sort_by_key(|item| item.span().start);
            *array = all.into_iter().collect();
        }
        (DeValue::Array(array), DeValue::Table(inside)) if are_tables(array) => {
            let before = array.iter_mut().rfind(|item| item.span().start < at);
            if let Some(DeValue::Table(table)) = before.map(Spanned::get_mut) {
                add(table, inside);
            }
        }
        // Of the last of these, the other holds what stands under headers of its own.
        (DeValue::Table(inside), DeValue::Array(mut array)) if are_tables(&array) => {
            let inside = std::mem::replace(inside, DeTable::new());
            if let Some(DeValue::Table(table)) = array.iter_mut().last().map(Spanned::get_mut) {
                add(table, inside);
            }
            *existing.get_mut() = DeValue::Array(array);
        }
        _ => {}
    }
}

fn are_tables(array: &DeArray<'_>) -> bool {
    array.iter().all(|item| item.get_ref().is_table())
}

fn add<'t>(table: &mut DeTable<'t>, more: DeTable<'t>) {
    for (key, value) in more {
        table.entry(key).or_insert(value);
    }
}
