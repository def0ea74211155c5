//! `[[rewrite]]`: rule sets.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::crosswalk::Crosswalks;
use super::mask;
use super::names::Names;
use super::report::Place;
use super::secrets::{self, Secrets};
use super::section::Section;
use super::suggest;
use crate::rewrite::{ProfileOption, ProfileSpec, RuleSpec, Ruleset, RulesetSpec};

const MAX_DEPTH: u32 = 256;
/// A century, either way.
const MOST_DAYS: i32 = 36_525;
/// Bounds that are nearer to each other hide little.
const FEWEST_DAYS: i32 = 365;
/// Hexadecimal digits. With 11, two of 100,000 values share a pseudonym once in some 3,500 times; with 8, mostly.
const FEWEST_DIGITS: usize = 12;
/// Keys that mean nothing without a profile.
const OF_PROFILE: [&str; 10] = [
    "options",
    "date-shift-days",
    "keep-times",
    "encapsulated-documents",
    "private-sop-classes",
    "burned-in",
    "unmasked",
    "masks",
    "compressed-pixels",
    "largest-frame",
];

#[derive(Default)]
pub(super) struct Rewrites {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<Ruleset>>,
    /// The crosswalks of those that have one, by name.
    pub remembered: BTreeMap<Arc<str>, Arc<str>>,
}

impl Rewrites {
    /// Adds what one table says.
    pub(super) fn read(&mut self, section: Section<'_>, crosswalks: &Crosswalks) {
        let name = self.names.define(&section);
        let crosswalk = crosswalk(&section, crosswalks);
        self.remembered.extend(name.clone().zip(crosswalk));
        let ruleset = ruleset(section);
        self.compiled.extend(name.zip(ruleset.map(Arc::new)));
    }

    /// Bytes that are in hand while the largest frame is decoded.
    pub(super) fn room(&self) -> u64 {
        let profiles = self.compiled.values().filter_map(|ruleset| ruleset.profile());
        profiles.map(|profile| profile.burned_in.room()).max().unwrap_or(0)
    }
}

pub(super) fn rewrites(root: &Section<'_>, crosswalks: &Crosswalks) -> Rewrites {
    let mut rewrites = Rewrites::default();
    for section in root.tables("rewrite") {
        rewrites.read(section, crosswalks);
    }
    crosswalks.warn_of_unused(root.report, &rewrites.remembered);
    rewrites
}

fn ruleset(section: Section<'_>) -> Option<Ruleset> {
    let profile = profile(&section);
    let default = RulesetSpec::default();
    let max_depth =
        section.count("max-depth", 1..=MAX_DEPTH).map_or(default.max_depth, |depth| depth as usize);
    let tolerance = section.choice("tolerance", &[("one-reading", true), ("strict", false)]);
    let is_tolerant = tolerance.unwrap_or(default.is_tolerant);
    let max_inflated = section.size("max-inflated-size", 1 << 10..=1 << 40).unwrap_or(default.max_inflated);
    let Secrets { current: key, version: secret_version, others: other_secrets } = secrets::secrets(&section);
    let (rules, places): (Vec<RuleSpec>, Vec<RulePlaces>) =
        section.inline_tables("rules").into_iter().map(rule).unzip();
    if !section.has("rules") && profile.is_none() {
        section
            .missing("rules", "list what to change, as in [{ tag = \"PatientName\", action = \"empty\" }]");
    }
    // A key that cannot be read was reported; that the rules need one is then no second problem.
    let stand_in = || secrets::are_named(&section).then(|| hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]));
    let complete = key.is_some() || !secrets::are_named(&section);
    let secret = key.or_else(stand_in);
    let spec = RulesetSpec {
        rules,
        profile,
        secret,
        secret_version,
        other_secrets,
        is_tolerant,
        max_depth,
        max_inflated,
    };
    let ruleset = compiled(&section, spec, &places);
    section.finish();
    ruleset.filter(|_| complete)
}

/// What remembers the pseudonyms, where something is to.
fn crosswalk(section: &Section<'_>, crosswalks: &Crosswalks) -> Option<Arc<str>> {
    let named = crosswalks.names.refer(section, "crosswalk", "crosswalk")?;
    if !secrets::are_named(section) {
        let remedy = "name a secret-file, or remove the crosswalk";
        section.report.error(&named.place, "has no pseudonyms to remember without a secret", remedy);
    }
    let key_file = crosswalks.compiled.get(&named.value).map(|crosswalk| &crosswalk.key_file);
    let secret = section.string("secret-file").map(|secret| secret.value);
    if key_file.is_some_and(|key_file| secret.is_some_and(|secret| key_file == Path::new(secret))) {
        let problem = "is encrypted with the secret of the pseudonyms";
        section.report.risk(
            &named.place,
            problem,
            "give it a key-file of its own, so that each can be rotated",
        );
    }
    Some(named.value)
}

/// The profile of PS3.15 Annex E with its options, where one is wanted.
fn profile(section: &Section<'_>) -> Option<ProfileSpec> {
    let wanted = section.choice("profile", &[("none", false), ("basic", true)]).unwrap_or(false);
    let default = ProfileSpec::default();
    let refuse = |key, otherwise| section.choice(key, &[("refuse", true), (otherwise, false)]);
    let spec = ProfileSpec {
        options: options(section),
        date_shift_days: date_shift_days(section).unwrap_or(default.date_shift_days),
        keep_times: section.flag("keep-times").unwrap_or(default.keep_times),
        refuse_documents: refuse("encapsulated-documents", "replace").unwrap_or(default.refuse_documents),
        refuse_private_classes: refuse("private-sop-classes", "pass")
            .unwrap_or(default.refuse_private_classes),
        burned_in: mask::burned_in(section).unwrap_or(default.burned_in),
    };
    if !wanted {
        let empty = section.has("options") && spec.options.is_empty();
        for key in OF_PROFILE.into_iter().filter(|key| section.has(key) && !(empty && *key == "options")) {
            section.report.error(&section.place_of(key), "needs a profile", "write profile = \"basic\"");
        }
        return None;
    }
    if !secrets::are_named(section) {
        section.missing("secret-file", "the profile makes UIDs with it");
    }
    let modified = spec.has(ProfileOption::RetainLongitudinalModifiedDates);
    for key in ["date-shift-days", "keep-times"].into_iter().filter(|key| section.has(key) && !modified) {
        let remedy = "add the option, or remove the key";
        section.report.error(
            &section.place_of(key),
            "is for retain-longitudinal-modified-dates only",
            remedy,
        );
    }
    Some(spec)
}

fn options(section: &Section<'_>) -> Vec<ProfileOption> {
    let mut options = Vec::new();
    for written in section.strings_or_none("options").unwrap_or_default() {
        let known = ProfileOption::ALL.into_iter().find(|option| option.name() == written.value);
        match known {
            Some(option) if options.contains(&option) => {
                section.report.error(&written.place, "stands here twice", "remove one");
            }
            Some(option) => options.push(option),
            None => {
                let names = ProfileOption::ALL.map(ProfileOption::name);
                let problem = format!("{:?} is not known", written.value);
                section.report.error(&written.place, problem, suggest::or_list(written.value, names));
            }
        }
    }
    let both = [ProfileOption::RetainLongitudinalFullDates, ProfileOption::RetainLongitudinalModifiedDates];
    if both.iter().all(|option| options.contains(option)) {
        let problem = "full dates and modified dates exclude each other (PS3.15 E.3.6)";
        section.report.error(&section.place_of("options"), problem, "choose one");
    }
    options.sort();
    options
}

fn date_shift_days(section: &Section<'_>) -> Option<(i32, i32)> {
    let (min, max) = section.bounds("date-shift-days", -MOST_DAYS..=MOST_DAYS)?;
    if (min, max) == (0, 0) {
        let place = section.place_of("date-shift-days");
        section.report.error(&place, "0 moves nothing", "write bounds such as [-3650, -30]");
        return None;
    }
    if max - min < FEWEST_DAYS {
        let problem = "lies within less than a year, so that it is nearly known when something was done";
        let remedy = "write bounds further apart, such as [-3650, -30]";
        section.report.risk(&section.place_of("date-shift-days"), problem, remedy);
    }
    Some((min, max))
}

/// Where the keys of a rule stand.
struct RulePlaces {
    /// Whether tag and action are there; where they are not, that was reported.
    readable: bool,
    table: Place,
    keys: Vec<(&'static str, Place)>,
}

fn rule(section: Section<'_>) -> (RuleSpec, RulePlaces) {
    for key in ["tag", "action"].into_iter().filter(|key| !section.has(key)) {
        section.missing(key, "write { tag = \"…\", action = \"…\" }");
    }
    let text = |key| section.string(key).map(|text| text.value.to_owned());
    let (tag, action) = (text("tag"), text("action"));
    let readable = tag.is_some() && action.is_some();
    let spec = RuleSpec {
        tag: tag.unwrap_or_default(),
        action: action.unwrap_or_default(),
        value: text("value"),
        find: text("find"),
        length: section.count("length", 8..=64).map(|length| length as usize),
    };
    if spec.length.is_some_and(|length| length < FEWEST_DIGITS) {
        let problem = "is short enough for two values to share a pseudonym where there are many";
        section.report.risk(&section.place_of("length"), problem, format!("write {FEWEST_DIGITS} or more"));
    }
    let keys = ["tag", "action", "value", "find", "length"].map(|key| (key, section.place_of(key)));
    let places = RulePlaces { readable, table: section.place.clone(), keys: keys.into() };
    section.finish();
    (spec, places)
}

fn compiled(section: &Section<'_>, spec: RulesetSpec, places: &[RulePlaces]) -> Option<Ruleset> {
    match Ruleset::compile(spec) {
        Ok(ruleset) => {
            risks(section, &ruleset, places);
            Some(ruleset)
        }
        Err(problems) => {
            for problem in problems {
                let rule = places.get(problem.rule_index);
                // That a profile lacks its secret was reported.
                if rule.map_or(problem.rule_index != usize::MAX, |rule| rule.readable) {
                    let place = rule.map_or(&section.place, |rule| rule.place_of(problem.key));
                    section.report.error(place, problem.message, "");
                }
            }
            None
        }
    }
}

fn risks(section: &Section<'_>, ruleset: &Ruleset, places: &[RulePlaces]) {
    for (rule, earlier) in ruleset.unreachable() {
        let place = places.get(rule).map_or(&section.place, |rule| &rule.table);
        let problem = format!("never matches: rules[{earlier}] decides on all of its elements");
        section.report.risk(place, problem, "put the narrower rule first, or remove it");
    }
    if ruleset.makes_one_patient_of_all() {
        let problem = "makes one patient of all: every Patient ID becomes the same value";
        let remedy =
            "add { tag = \"PatientID\", action = \"replace\", value = \"{pseudonym}\" } to its rules";
        section.report.risk(&section.place, problem, remedy);
    }
    let probe = "1.2.826.0.1";
    let kept = ruleset.profile().is_some_and(|profile| profile.has(ProfileOption::RetainUids));
    if !kept && !ruleset.is_empty() && ruleset.map_sop_instance_uid(probe) == probe {
        let problem = "changes objects that keep their SOP Instance UID";
        section.report.risk(&section.place, problem, "add { tag = \"SOPInstanceUID\", action = \"uid\" }");
    }
}

impl RulePlaces {
    fn place_of(&self, key: &str) -> &Place {
        self.keys.iter().find(|(name, _)| *name == key).map_or(&self.table, |(_, place)| place)
    }
}
