//! `[[rewrite]]`: rule sets.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::names::Names;
use super::report::{Place, Wrong};
use super::secret;
use super::section::Section;
use super::suggest;
use crate::rewrite::{RuleSpec, Ruleset, RulesetSpec};

const MAX_DEPTH: u32 = 256;

#[derive(Default)]
pub(super) struct Rewrites {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<Ruleset>>,
}

pub(super) fn rewrites(root: &Section<'_>) -> Rewrites {
    let mut rewrites = Rewrites::default();
    for section in root.tables("rewrite") {
        let name = rewrites.names.define(&section);
        let ruleset = ruleset(section);
        if let (Some(name), Some(ruleset)) = (name, ruleset) {
            rewrites.compiled.insert(name, Arc::new(ruleset));
        }
    }
    rewrites
}

fn ruleset(section: Section<'_>) -> Option<Ruleset> {
    refuse_profiles(&section);
    let default = RulesetSpec::default();
    let max_depth =
        section.count("max-depth", 1..=MAX_DEPTH).map_or(default.max_depth, |depth| depth as usize);
    let max_inflated = section.size("max-inflated-size", 1 << 10..=1 << 40).unwrap_or(default.max_inflated);
    let secret = section.path("secret-file");
    let key = secret.as_ref().and_then(|path| secret::key(section.report, path));
    let (rules, places): (Vec<RuleSpec>, Vec<RulePlaces>) =
        section.inline_tables("rules").into_iter().map(rule).unzip();
    if !section.has("rules") {
        section
            .missing("rules", "list what to change, as in [{ tag = \"PatientName\", action = \"empty\" }]");
    }
    // A key that cannot be read was reported; that the rules need one is then no second problem.
    let stand_in = || section.has("secret-file").then(|| hmac::Key::new(hmac::HMAC_SHA256, &[0; 32]));
    let complete = key.is_some() || secret.is_none() && !section.has("secret-file");
    let spec = RulesetSpec { rules, secret: key.or_else(stand_in), max_depth, max_inflated };
    let ruleset = compiled(&section, spec, &places);
    section.finish();
    ruleset.filter(|_| complete)
}

/// A profile that is asked for and not applied would be worse than an error.
fn refuse_profiles(section: &Section<'_>) {
    let profile = |text: &str| match text {
        "none" => Ok(()),
        "basic" => Err(Wrong::new(
            "profiles of PS3.15 Annex E are not available in this version",
            "write profile = \"none\", and every attribute to change as a rule",
        )),
        other => Err(Wrong::new(format!("{other:?} is not known"), suggest::or_list(other, ["none"]))),
    };
    section.parsed("profile", profile);
    if section.strings_or_none("options").is_some_and(|options| !options.is_empty()) {
        let place = section.place_of("options");
        let problem = "options of profiles are not available in this version";
        section.report.error(&place, problem, "remove them, and write what they mean as rules");
    }
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
                if rule.is_none_or(|rule| rule.readable) {
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
    let probe = "1.2.826.0.1";
    if !ruleset.is_empty() && ruleset.map_sop_instance_uid(probe) == probe {
        let problem = "changes objects that keep their SOP Instance UID";
        section.report.risk(&section.place, problem, "add { tag = \"SOPInstanceUID\", action = \"uid\" }");
    }
}

impl RulePlaces {
    fn place_of(&self, key: &str) -> &Place {
        self.keys.iter().find(|(name, _)| *name == key).map_or(&self.table, |(_, place)| place)
    }
}
