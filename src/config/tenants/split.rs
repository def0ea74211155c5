//! One text into several: of each tenant, and of the machine. Each has the lines of the file, and they are empty where something
//! stands that is not its own.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use super::super::diagnostic::Diagnostics;
use super::super::names::Names;
use super::super::report::{Place, Report};
use super::super::section::Section;
use super::super::share::Share;
use super::regions::{Owner, Regions};
use super::table::{self, Named, TABLES, Tenant};

/// Tables of which each is one tenant's, and says so by `tenant`.
const OWNED: [&str; 10] = [
    "listener",
    "upstream",
    "route",
    "peer",
    "role",
    "agreement",
    "crosswalk",
    "rewrite",
    "issuer",
    "notify",
];
/// Tables that say the same of all.
const OF_ALL: [&str; 3] = ["limits", "policy", "automatic-blocks"];
/// What `tenant` says of something that is the machine's.
const MACHINE: &str = "*";

/// The text of one tenant.
pub(in crate::config) struct Part {
    pub name: Arc<str>,
    /// Of its header, in the whole file.
    pub place: Place,
    pub share: Share,
    pub server_names: Vec<Named>,
    pub text: Arc<str>,
}

/// A file with tenants, split.
pub(in crate::config) struct Parts {
    /// What belongs to none of them.
    pub machine: Arc<str>,
    /// In the order of the file.
    pub tenants: Vec<Part>,
}

/// `None` of a file without a `[[tenant]]`, and of one that is no TOML: that is told by whoever reads it next.
///
/// # Errors
/// Everything that belongs to no tenant and has to, or to one that is not there.
pub(in crate::config) fn parts(path: &Path, text: &str) -> Result<Option<Parts>, Diagnostics> {
    if !text.contains("tenant") {
        return Ok(None);
    }
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    if !syntax_errors.is_empty() || !root.get_ref().contains_key("tenant") {
        return Ok(None);
    }
    let report = Report::new(path, text);
    let parts = Splitting::new(&report, root.get_ref()).split();
    let (errors, _) = report.into_findings();
    match parts {
        Some(parts) if errors.is_empty() => Ok(Some(parts)),
        _ => Err(Diagnostics { errors, warnings: Vec::new() }),
    }
}

/// Whose a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Tenant(usize),
    Machine,
    All,
    /// A problem was reported.
    Nobody,
}

/// Each table of an array, with where it says whose it is, which then must not be read.
type Owners = Vec<(Whose, Option<Range<usize>>)>;

struct Splitting<'r, 'f> {
    report: &'r Report<'f>,
    root: &'r DeTable<'r>,
    regions: Regions<'f>,
    tenants: Vec<Option<Tenant>>,
    names: Names,
}

impl<'r, 'f> Splitting<'r, 'f> {
    fn new(report: &'r Report<'f>, root: &'r DeTable<'r>) -> Self {
        let regions = Regions::of(report.text(), root);
        let (tenants, names) = table::tenants(&Section::root(report, root));
        Self { report, root, regions, tenants, names }
    }

    /// `None` after a problem was reported.
    fn split(&self) -> Option<Parts> {
        self.headless();
        let owned: Vec<Owners> = OWNED.iter().map(|key| self.owners(key)).collect();
        let mut machine = Masked::of(self.report.text(), self.report.lines());
        let mut tenants: Vec<Masked> = self.tenants.iter().map(|_| machine.clone()).collect();
        for part in tenants.iter_mut().chain([&mut machine]) {
            part.show(self.regions.above());
        }
        for (range, owner) in self.regions.each() {
            match self.whose(owner, &range, &owned) {
                Whose::Tenant(index) => tenants.get_mut(index)?.show(range),
                Whose::Machine => machine.show(range),
                Whose::All => {
                    tenants.iter_mut().chain([&mut machine]).for_each(|part| part.show(range.clone()));
                }
                Whose::Nobody => {}
            }
        }
        let named = owned.iter().flatten().filter_map(|(whose, named)| Some((*whose, named.clone()?)));
        for (whose, named) in named {
            match whose {
                Whose::Tenant(index) => tenants.get_mut(index)?.hide(named),
                _ => machine.hide(named),
            }
        }
        for (index, part) in tenants.iter_mut().enumerate() {
            self.own_headers(index).into_iter().for_each(|prefix| part.hide(prefix));
        }
        let tenants = self.tenants.iter().zip(tenants).map(|(tenant, text)| {
            let Tenant { name, place, share, server_names } = tenant.as_ref()?;
            let (name, share, server_names) = (name.clone(), *share, server_names.clone());
            Some(Part { name, place: place.clone(), share, server_names, text: text.into_text().into() })
        });
        let tenants = tenants.collect::<Option<Vec<_>>>()?;
        Some(Parts { machine: machine.into_text().into(), tenants })
    }

    /// Reports values above all headers that would be somebody's, and tables that are written in line.
    fn headless(&self) {
        let remedy =
            "write it under a header of its own: where there are tenants, everything is of one of them";
        for (key, value) in self.root {
            let has_header = match value.get_ref() {
                DeValue::Array(items) => items.iter().all(|item| self.regions.has(item.span().start)),
                // Its own header, or those of tables inside it.
                DeValue::Table(_) => self.text_at(value.span().start).starts_with('['),
                _ => key.get_ref() == "relative-to",
            };
            if !has_header {
                let place = Place { offset: key.span().start, key: key.get_ref().to_string() };
                self.report.error(&place, "has no header", remedy);
            }
        }
        Section::root(self.report, self.root).tables("tenant").iter().for_each(|one| self.headless_in(one));
    }

    /// The same of a tenant's own tables: of what is written inside `[[tenant]]` nothing would be in any text.
    fn headless_in(&self, tenant: &Section<'_>) {
        for key in TABLES {
            let Some(span) = tenant.span_of(key) else { continue };
            let place = tenant.place_of(key);
            if !self.regions.has(place.offset) {
                let remedy = format!("write it as a table with a header of its own: [tenant.{key}]");
                self.report.error(&Place { offset: span.start, ..place }, "has no header", remedy);
            }
        }
    }

    /// Whose each table of an array is, with where it says so and what then must not be read.
    fn owners(&self, key: &'static str) -> Owners {
        let root = Section::root(self.report, self.root);
        root.tables(key).iter().map(|section| self.owner(key, section)).collect()
    }

    fn owner(&self, key: &str, section: &Section<'_>) -> (Whose, Option<Range<usize>>) {
        if !section.has("tenant") {
            section.report.error(
                &section.place_of("tenant"),
                "is missing",
                "name the [[tenant]] that it belongs to: where there are any, everything does",
            );
            return (Whose::Nobody, None);
        }
        // What peers say of it stays, for values that name the tenant.
        let named = (key != "peer").then(|| section.span_of("tenant")).flatten();
        if key == "notify" && section.text("tenant") == Some(MACHINE) {
            return (Whose::Machine, named);
        }
        let tenant = self.names.refer(section, "tenant").and_then(|name| {
            self.tenants.iter().position(|tenant| tenant.as_ref().is_some_and(|one| one.name == name.value))
        });
        (tenant.map_or(Whose::Nobody, Whose::Tenant), named)
    }

    fn whose(&self, owner: &Owner, range: &Range<usize>, owned: &[Owners]) -> Whose {
        let key = owner.key.as_str();
        if let Some(at) = OWNED.iter().position(|known| *known == key) {
            let whose = owner.item.and_then(|item| owned.get(at)?.get(item));
            return whose.map_or(Whose::Nobody, |(whose, _)| *whose);
        }
        match owner.item {
            Some(_) if key == "tenant" && owner.is_its_own => Whose::Nobody,
            Some(item) if key == "tenant" => Whose::Tenant(item),
            _ if OF_ALL.contains(&key) => Whose::All,
            _ if key == "users" => {
                let place = Place { offset: range.start, key: key.into() };
                let remedy = "write [tenant.users] below the [[tenant]] whose people they are";
                self.report.error(&place, "is nobody's", remedy);
                Whose::Nobody
            }
            // What is no table at all is told with the machine's.
            _ => Whose::Machine,
        }
    }

    /// `tenant.` in the headers of a tenant's own tables: without it they are those of a file without tenants.
    fn own_headers(&self, tenant: usize) -> Vec<Range<usize>> {
        let is_its = |owner: &Owner| owner.key == "tenant" && owner.item == Some(tenant) && !owner.is_its_own;
        self.regions
            .each()
            .filter(|(_, owner)| is_its(owner))
            .filter_map(|(range, _)| self.prefix(&range))
            .collect()
    }

    /// Where `tenant.` stands in a header. One that is written otherwise is a problem.
    fn prefix(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let header = self.report.written(range.clone());
        let behind = |text: &str, sign: &str| {
            let trimmed = text.trim_start_matches([' ', '\t']);
            Some(header.len() - trimmed.strip_prefix(sign)?.len())
        };
        let begins = header.len() - header.trim_start_matches('[').len();
        let named = header
            .get(begins..)
            .and_then(|rest| ["tenant", "\"tenant\"", "'tenant'"].iter().find_map(|name| behind(rest, name)));
        let ends = named.and_then(|end| behind(header.get(end..)?, "."));
        match ends {
            Some(end) => Some(range.start + begins..range.start + end),
            None => {
                let place = Place { offset: range.start, key: "tenant".into() };
                let tables: Vec<String> = TABLES.iter().map(|table| format!("[tenant.{table}]")).collect();
                self.report.error(
                    &place,
                    "has a table that cannot be told",
                    format!("write {}", tables.join(" or ")),
                );
                None
            }
        }
    }

    fn text_at(&self, at: usize) -> &str {
        self.report.written(at..self.report.text().len())
    }
}

/// A text of which only some can be seen. What cannot is not there, but for the lines that it has: with many tenants, each
/// would have as many blanks as all of them have text.
#[derive(Clone)]
struct Masked<'t> {
    whole: &'t str,
    /// Offsets at which lines begin.
    lines: &'t [usize],
    shown: Vec<Range<usize>>,
    hidden: Vec<Range<usize>>,
}

impl<'t> Masked<'t> {
    fn of(whole: &'t str, lines: &'t [usize]) -> Self {
        Self { whole, lines, shown: Vec::new(), hidden: Vec::new() }
    }

    /// Ranges that do not overlap, in any order.
    fn show(&mut self, range: Range<usize>) {
        self.shown.push(range);
    }

    /// What is shown, and yet not to be seen.
    fn hide(&mut self, range: Range<usize>) {
        self.hidden.push(range);
    }

    /// Every line is the one that it was, and has at its place what is left of it.
    fn into_text(mut self) -> String {
        self.shown.sort_by_key(|range| range.start);
        self.hidden.sort_by_key(|range| range.start);
        let mut text = String::new();
        let mut at = 0;
        for range in &self.shown {
            text.extend(self.gap(at..range.start));
            let hidden: Vec<_> = self.hidden.iter().filter(|one| range.contains(&one.start)).collect();
            at = range.start;
            for one in hidden {
                text.push_str(self.whole.get(at..one.start).unwrap_or_default());
                let blank = |sign: char| if matches!(sign, '\n' | '\r') { sign } else { ' ' };
                text.extend(self.whole.get(one.clone()).unwrap_or_default().chars().map(blank));
                at = one.end;
            }
            text.push_str(self.whole.get(at..range.end).unwrap_or_default());
            at = range.end;
        }
        text.extend(self.gap(at..self.whole.len()));
        text
    }

    /// The ends of the lines of what is not shown, and what stands before the next thing that is.
    fn gap(&self, range: Range<usize>) -> impl Iterator<Item = char> + use<> {
        let line_of = |offset: usize| self.lines.partition_point(|start| *start <= offset);
        let (first, last) = (line_of(range.start), line_of(range.end));
        let begins = last.checked_sub(1).and_then(|line| self.lines.get(line)).copied().unwrap_or_default();
        let before = self.whole.get(begins.max(range.start)..range.end).unwrap_or_default().chars().count();
        let ends = std::iter::repeat_n('\n', last.saturating_sub(first));
        ends.chain(std::iter::repeat_n(' ', before))
    }
}

#[cfg(test)]
mod tests {
    use super::parts;
    use std::path::Path;

    const FILE: &str = "relative-to = \"file\"\n[limits]\ngrace = \"5s\"\n[audit]\ndirectory = \"machine\"\n\
        [[tenant]]\nname = \"lyon\"\nshare = 0.5\n[tenant.audit]\ndirectory = \"lÿon\"\n[[ tenant.audit.repository]]\nname = \"r\"\n\
        [[tenant]]\nname = \"paris\"\nshare = 0.5\n[tenant.audit]\ndirectory = \"paris\"\n\
        [[role]]\nname = \"r\"\ntenant = \"paris\"\n[[role]]\nname = \"r\"\ntenant = \"lyon\"\n[[peer]]\nname = \"p\"\ntenant = \"lyon\"\n\
        [[listener]]\ntenant = \"paris\"\n[listener.tls]\npins = [\n\"tenant\"]\n[[notify]]\nname = \"n\"\ntenant = \"*\"\n";

    fn lines(text: &str) -> Vec<&str> {
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
    }

    #[test]
    fn each_text_has_its_own_tables_alone_and_each_where_it_stood() {
        let parts = parts(Path::new("d.toml"), FILE).unwrap().unwrap();
        let [lyon, paris] = parts.tenants.as_slice() else { panic!("two") };
        let all = ["relative-to = \"file\"", "[limits]", "grace = \"5s\""];
        let with = |more: &[&'static str]| [&all[..], more].concat();
        let own = ["[       audit]", "directory = \"lÿon\"", "[[        audit.repository]]", "name = \"r\""];
        let rest = ["[[role]]", "name = \"r\"", "[[peer]]", "name = \"p\"", "tenant = \"lyon\""];
        assert_eq!(lines(&lyon.text), [with(&own), rest.to_vec()].concat());
        let rest = ["[       audit]", "directory = \"paris\"", "[[role]]", "name = \"r\"", "[[listener]]"];
        let tls = ["[listener.tls]", "pins = [", "\"tenant\"]"];
        assert_eq!(lines(&paris.text), [with(&rest), tls.to_vec()].concat());
        let rest = ["[audit]", "directory = \"machine\"", "[[notify]]", "name = \"n\""];
        assert_eq!(lines(&parts.machine), with(&rest));
        for text in [&lyon.text, &paris.text, &parts.machine] {
            assert_eq!(text.matches('\n').count(), FILE.matches('\n').count());
            for (own, whole) in text.lines().zip(FILE.lines()) {
                assert!(
                    own.chars().zip(whole.chars()).all(|(own, whole)| own == whole || own == ' '),
                    "{own}"
                );
            }
        }
    }
}
