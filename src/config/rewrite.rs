//! `[[rewrite]]`: rule sets.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::crosswalk::Crosswalks;
use super::mask;
use super::names::{NAME, Names};
use super::report::Place;
use super::secrets::{self, Secrets};
use super::section::Section;
use super::{suggest, words};
use crate::rewrite::{self, ProfileOption, ProfileSpec, RuleSpec, Ruleset, RulesetSpec};

const MAX_DEPTH: u32 = 256;
/// A century, either way.
const MOST_DAYS: i32 = 36_525;
/// Bounds that are nearer to each other hide little.
const FEWEST_DAYS: i32 = 365;
/// Hexadecimal digits. With 11, two of 100,000 values share a pseudonym once in some 3,500 times; with 8, mostly.
const FEWEST_DIGITS: usize = 12;
/// Keys that mean nothing without a profile.
const OF_PROFILE: [&str; 15] = [
    "options",
    "vocabulary",
    "date-shift-days",
    "keep-times",
    "encapsulated-documents",
    "private-sop-classes",
    "burned-in",
    "unmasked",
    "masks",
    "ultrasound-regions",
    "known-devices",
    "compressed-pixels",
    "largest-frame",
    "clean-identifiers",
    "identifiers",
];

/// A rewrite, and the crosswalk that remembers what it makes.
type Domain = (Arc<str>, Option<Arc<str>>);

#[derive(Default)]
pub(super) struct Rewrites {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<Ruleset>>,
    /// The crosswalks of those that have one, by name.
    pub remembered: BTreeMap<Arc<str>, Arc<str>>,
    /// Of the secrets that pseudonyms are made with, to compare them: made with each, so that none can be told from it.
    pub fingerprints: BTreeMap<Arc<str>, hmac::Tag>,
    /// By fingerprint, who had the secret first, and which crosswalk remembers it there.
    domains: BTreeMap<Vec<u8>, Domain>,
    /// What peers were told of them.
    told: RefCell<BTreeSet<String>>,
}

impl Rewrites {
    /// Adds what one table says.
    pub(super) fn read(&mut self, section: &Section<'_>, crosswalks: &Crosswalks) {
        let before = section.report.errors();
        section.require(&[NAME]);
        let name = self.names.define(section);
        let crosswalk = crosswalk(section, crosswalks);
        self.remembered.extend(name.clone().zip(crosswalk.clone()));
        let (ruleset, secret) = ruleset(section);
        // A crosswalk that was not found may be one whose name could not be read.
        let found = crosswalk.is_some() || !section.has("crosswalk");
        let ruleset = ruleset.filter(|_| found && section.report.errors() == before);
        if let (Some(name), Some(secret)) = (&name, &secret) {
            self.warn_of_one_secret(section, name, secret, crosswalk);
        }
        if let (Some(name), Some(ruleset)) = (name, ruleset) {
            self.fingerprints.extend(secret.map(|secret| (name.clone(), secret)));
            self.compiled.insert(name, Arc::new(ruleset));
        }
    }

    /// Two crosswalks are two domains; with one secret for both, each tells who somebody is in the other.
    fn warn_of_one_secret(
        &mut self,
        section: &Section<'_>,
        name: &Arc<str>,
        secret: &hmac::Tag,
        crosswalk: Option<Arc<str>>,
    ) {
        let own = (Arc::clone(name), crosswalk);
        let (first, theirs) = self.domains.entry(secret.as_ref().to_vec()).or_insert_with(|| own.clone());
        if *theirs == own.1 {
            return;
        }
        let key = if section.has("secrets") { "secrets" } else { "secret-file" };
        let problem = format!(
            "is the secret of [[rewrite]] \"{first}\", whose crosswalk is not this one\'s: a patient or UID has the same \
             pseudonym in both, so that they can be linked"
        );
        section.report.risk(&section.place_of(key), problem, "give each domain a secret of its own");
    }

    /// Whether no peer was told so yet: what one rewrite lacks is one problem, however many peers have it.
    pub(super) fn is_news(&self, problem: &str) -> bool {
        self.told.borrow_mut().insert(problem.to_owned())
    }

    /// Bytes of the largest frame that is decoded, its pixels; 0 where none are.
    pub(super) fn largest_frame(&self) -> u64 {
        let profiles = self.compiled.values().filter_map(|ruleset| ruleset.profile());
        profiles.map(|profile| profile.burned_in.largest_frame()).max().unwrap_or(0)
    }
}

pub(super) fn rewrites(root: &Section<'_>, crosswalks: &Crosswalks) -> Rewrites {
    let mut rewrites = Rewrites { names: Names::of("rewrite", root), ..Rewrites::default() };
    for section in root.tables("rewrite") {
        rewrites.read(&section, crosswalks);
    }
    let remedy = "write crosswalk = \"…\" in one, or remove it";
    crosswalks.names.warn_of_unused(root.report, "no [[rewrite]] names it", remedy);
    rewrites
}

/// With the fingerprint of its secret.
fn ruleset(section: &Section<'_>) -> (Option<Ruleset>, Option<hmac::Tag>) {
    let profile = profile(section);
    let default = RulesetSpec::default();
    let max_depth =
        section.count("max-depth", 1..=MAX_DEPTH).map_or(default.max_depth, |depth| depth as usize);
    let tolerance = section.choice("tolerance", &[("one-reading", true), ("strict", false)]);
    let is_tolerant = tolerance.unwrap_or(default.is_tolerant);
    let max_inflated = section.size("max-inflated-size", 1 << 10..=1 << 40).unwrap_or(default.max_inflated);
    let with_issuer = patient_key(section).unwrap_or(default.with_issuer);
    let Secrets { current: key, version: secret_version, others: other_secrets } = secrets::secrets(section);
    let (rules, places): (Vec<RuleSpec>, Vec<RulePlaces>) =
        section.inline_tables("rules").iter().map(rule).unzip();
    if profile.is_none() && section.is_sound("profile") {
        let remedy = "list what to change, as in [{ tag = \"PatientName\", action = \"empty\" }]";
        section.require(&[("rules", remedy)]);
    }
    // That there is none, or that it cannot be read, was reported; that the rules need one is then no second problem.
    let wanted = secrets::are_named(section) || profile.is_some() || section.has("crosswalk");
    let stand_in = || wanted.then(|| hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]));
    let fingerprint = key.as_ref().map(|key| hmac::sign(key, b"the same secret"));
    let secret = key.or_else(stand_in);
    let spec = RulesetSpec {
        rules,
        profile,
        secret,
        secret_version,
        other_secrets,
        with_issuer,
        is_tolerant,
        max_depth,
        max_inflated,
    };
    (compiled(section, spec, &places), fingerprint)
}

/// Whether the issuer says with the Patient ID who a patient is.
fn patient_key(section: &Section<'_>) -> Option<bool> {
    let written = section.strings_or_none("patient-key")?;
    let mut names: Vec<&str> = written.iter().map(|name| name.value).collect();
    names.sort_unstable();
    match names.as_slice() {
        ["IssuerOfPatientID", "PatientID"] => Some(true),
        ["PatientID"] => Some(false),
        _ => {
            let remedy = "write [\"IssuerOfPatientID\", \"PatientID\"], or [\"PatientID\"] alone";
            let problem = "does not say who a patient is";
            section.report.error(&section.place_of("patient-key"), problem, remedy);
            None
        }
    }
}

/// What remembers the pseudonyms, where something is to.
fn crosswalk(section: &Section<'_>, crosswalks: &Crosswalks) -> Option<Arc<str>> {
    let named = crosswalks.names.refer(section, "crosswalk")?;
    let profiled = section.text("profile") == Some("basic");
    if !secrets::are_named(section) && !profiled {
        let remedy = "name a secret-file, or remove the crosswalk";
        section.report.error(&named.place, "has no pseudonyms to remember without a secret", remedy);
    }
    let key_file = crosswalks.compiled.get(&named.value).map(|crosswalk| &crosswalk.key_file);
    let secret = section.text("secret-file");
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
    let cleans = section.flag("clean-identifiers").unwrap_or(default.clean_identifiers);
    let spec = ProfileSpec {
        options: options(section),
        date_shift_days: date_shift_days(section).unwrap_or(default.date_shift_days),
        keep_times: section.flag("keep-times").unwrap_or(default.keep_times),
        refuse_documents: refuse("encapsulated-documents", "replace").unwrap_or(default.refuse_documents),
        refuse_private_classes: refuse("private-sop-classes", "pass")
            .unwrap_or(default.refuse_private_classes),
        burned_in: mask::burned_in(section).unwrap_or(default.burned_in),
        vocabulary: words::vocabulary(section),
        clean_identifiers: cleans,
        identifiers: identifiers(section, cleans),
    };
    if !wanted {
        let empty = section.has("options") && spec.options.is_empty() && section.is_sound("options");
        let keys: Vec<&str> = OF_PROFILE.into_iter().filter(|key| !(empty && *key == "options")).collect();
        if section.is_sound("profile") {
            section.refuse(&keys, "needs a profile", "write profile = \"basic\"");
        }
        return None;
    }
    if !secrets::are_named(section) {
        section.missing("secret-file", "the profile makes UIDs with it");
    }
    let modified = spec.has(ProfileOption::RetainLongitudinalModifiedDates);
    if !modified && section.is_sound("options") {
        let problem = "needs the option retain-longitudinal-modified-dates";
        let remedy = "add the option, or leave that out";
        section.refuse(&["date-shift-days", "keep-times"], problem, remedy);
    }
    if !spec.cleans_texts() && section.is_sound("options") {
        let problem =
            "needs the option clean-descriptors or retain-patient-characteristics, since no text is cleaned";
        section.refuse(&["vocabulary"], problem, "add the option, or leave that out");
    }
    Some(spec)
}

/// Those that cannot be used are reported, and left out, so that what else is wrong is said too.
fn identifiers(section: &Section<'_>, are_looked_for: bool) -> Vec<String> {
    let mut patterns = Vec::new();
    for written in section.strings_or_none("identifiers").unwrap_or_default() {
        match rewrite::check_identifier(written.value) {
            Ok(()) if patterns.len() == rewrite::MOST_IDENTIFIERS => {
                let problem = format!("is one of more than {} patterns", rewrite::MOST_IDENTIFIERS);
                section.report.error(&written.place, problem, "write several as one: \"A|B\"");
                break;
            }
            Ok(()) => patterns.push(written.value.to_owned()),
            Err(message) => section.report.error(&written.place, message, "write a regular expression"),
        }
    }
    if !are_looked_for {
        let problem = "are looked for nowhere with clean-identifiers = false";
        section.refuse(&["identifiers"], problem, "remove one of them");
    }
    patterns
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

fn rule(section: &Section<'_>) -> (RuleSpec, RulePlaces) {
    let whole = "write { tag = \"…\", action = \"…\" }";
    section.require(&[("tag", whole), ("action", whole)]);
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
    (spec, places)
}

fn compiled(section: &Section<'_>, spec: RulesetSpec, places: &[RulePlaces]) -> Option<Ruleset> {
    match Ruleset::compile(spec) {
        Ok(ruleset) => {
            risks(section, &ruleset, places);
            Some(ruleset)
        }
        Err(problems) => {
            let mut lacks_secret = false;
            for problem in problems {
                let rule = places.get(problem.rule_index);
                // A secret is one thing that is missing, however many rules need it.
                let again =
                    problem.message.contains("needs a secret") && std::mem::replace(&mut lacks_secret, true);
                // That a profile lacks its secret was reported.
                if !again && rule.map_or(problem.rule_index != usize::MAX, |rule| rule.readable) {
                    let place = rule.map_or(&section.place, |rule| rule.place_of(problem.key));
                    // A value of another type was reported, too.
                    if section.report.is_faulty(place.offset..place.offset + 1) {
                        continue;
                    }
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
    for (rule, why) in ruleset.patterns_without_effect() {
        let place = places.get(rule).map_or(&section.place, |rule| &rule.table);
        let problem = format!("has no effect: the profile has its turn behind it ({why})");
        let remedy = "add an option that keeps or cleans the attribute, or write another action";
        section.report.risk(place, problem, remedy);
    }
    if ruleset.makes_one_patient_of_all() {
        let problem = "makes one patient of all: every Patient ID becomes the same value";
        let remedy =
            "add { tag = \"PatientID\", action = \"replace\", value = \"{pseudonym}\" } to its rules";
        section.report.risk(&section.place, problem, remedy);
    }
    let profile = ruleset.profile();
    if profile.is_some_and(|profile| !profile.clean_identifiers) {
        let problem = "lets the patient's name, IDs and dates pass in texts that no table lists";
        section.report.risk(&section.place_of("clean-identifiers"), problem, "remove it");
    }
    for rule in ruleset.texts_kept_as_they_are() {
        let place = places.get(rule).map_or(&section.place, |rule| &rule.table);
        let problem = "keeps a text as it came, with the patient's name and whatever else is in it";
        section.report.risk(place, problem, "remove the rule, or remove, empty or replace the attribute");
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
