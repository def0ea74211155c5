//! Rules as written to rules as looked up, with everything that is wrong with them.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::action::Action;
use super::creator::CreatorId;
use super::identifiers::{SOURCES, Shapes};
use super::keyed::Key;
use super::profile::{self, FLAG};
use super::regular;
use super::rule::Rule;
use super::spec::{RuleProblem, RuleSpec, RulesetSpec};
use super::table::{Addition, Mask, Private, Ruleset};
use super::tag_pattern::TagPattern;
use super::template::Template;
use super::value;
use crate::dataset::{
    SOP_CLASS_UID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Syntax, Tag, Vr, number, vr_of,
};

type Problem = (&'static str, String);

impl Ruleset {
    /// Checks the rules and compiles them, or says everything that is wrong with them.
    pub fn compile(spec: RulesetSpec) -> Result<Self, Vec<RuleProblem>> {
        compile(spec)
    }

    /// Rules that keep what the command names, and write a canary into every other text.
    pub(super) fn canaries() -> Self {
        canaries()
    }

    /// None: what comes goes, where nothing is [left out](super::Transform::leaving_out).
    pub fn nothing() -> Arc<Self> {
        static NOTHING: LazyLock<Arc<Ruleset>> = LazyLock::new(|| Arc::new(nothing()));
        Arc::clone(&NOTHING)
    }

    /// Rules that replace a pattern in what the profile then removes or replaces whole, each with the profile's reason.
    pub fn patterns_without_effect(&self) -> Vec<(usize, String)> {
        let whole = self.behind.iter().filter(|(_, then)| !self.action(*then).reads());
        whole.map(|(rule, then)| (*rule, self.why(*then))).collect()
    }

    /// Rules of an administrator that keep a text of the standard, in which identifiers would be looked for without them.
    pub fn texts_kept_as_they_are(&self) -> Vec<usize> {
        let cleans = self.identifiers.is_some();
        let kept = self.exact.iter().filter(|(tag, rule)| {
            let (tag, is_text) = (Tag((tag >> 16) as u16, *tag as u16), |vr: Vr| vr.is_in_character_set());
            *rule < self.explicit
                && matches!(self.action(*rule), Action::Keep)
                && is_text(vr_of(tag))
                && !SOURCES.contains(&tag)
        });
        let mut kept: Vec<usize> = kept.map(|(_, rule)| *rule).filter(|_| cleans).collect();
        kept.sort_unstable();
        kept
    }

    /// Rules that can never decide, each with the earlier rule that always does so in their place.
    pub fn unreachable(&self) -> Vec<(usize, usize)> {
        unreachable(self)
    }
}

fn compile(spec: RulesetSpec) -> Result<Ruleset, Vec<RuleProblem>> {
    let RulesetSpec { rules: specs, profile, secret, secret_version, other_secrets, .. } = spec;
    let RulesetSpec { with_issuer, is_tolerant, max_depth, max_inflated, .. } = spec;
    let secret = secret.map(Key::new);
    let other_secrets = other_secrets.into_iter().map(|(version, key)| (version, Key::new(key))).collect();
    let mut problems = Vec::new();
    let mut patterns = Vec::new();
    let mut adding = Vec::new();
    let mut rules = Vec::new();
    for (rule_index, rule) in specs.into_iter().enumerate() {
        match compile_rule(&rule, secret.as_ref()) {
            Ok((pattern, action)) => {
                patterns.push(pattern);
                adding.push(rule.action == "set");
                rules.push(Rule { tag_text: rule.tag, action, why: "".into() });
            }
            Err(found) => {
                let problem = |(key, message)| RuleProblem { rule_index, key, message };
                problems.extend(found.into_iter().map(problem));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let explicit = rules.len();
    let mut creators = Vec::new();
    let appended = match (profile, &secret) {
        (Some(profile), Some(key)) => {
            Some(profile::append(profile, (key, secret_version), &mut rules, &mut creators))
        }
        (Some(_), None) => {
            let message = "the profile needs a secret: name a secret-file".to_owned();
            return Err(vec![RuleProblem { rule_index: usize::MAX, key: "profile", message }]);
        }
        (None, _) => None,
    };
    let profile = appended.map(|appended| {
        for (pattern, adds) in appended.patterns {
            patterns.push(pattern);
            adding.push(adds);
        }
        appended.profile
    });
    let ruleset = Ruleset {
        explicit,
        profile,
        date_key: secret,
        secret_version,
        other_secrets,
        with_issuer,
        is_tolerant,
        max_depth,
        max_inflated,
        ..tables(rules, &patterns, creators)
    };
    finished(ruleset, &patterns, &adding)
}

/// With what only all rules together tell.
fn finished(
    mut ruleset: Ruleset,
    patterns: &[TagPattern],
    adding: &[bool],
) -> Result<Ruleset, Vec<RuleProblem>> {
    let problems = check_protected(&ruleset);
    if !problems.is_empty() {
        return Err(problems);
    }
    ruleset.behind = behind(&ruleset, patterns);
    ruleset.additions = additions(&ruleset, patterns, adding);
    looking_for_identifiers(ruleset)
}

/// Where the profile does, with what is looked for.
fn looking_for_identifiers(mut ruleset: Ruleset) -> Result<Ruleset, Vec<RuleProblem>> {
    if let Some(profile) = ruleset.profile().filter(|profile| profile.clean_identifiers) {
        // Whoever reads a configuration has checked each, and says where it stands.
        let wrong = |message| vec![RuleProblem { rule_index: usize::MAX, key: "identifiers", message }];
        let shapes = Shapes::compile(&profile.identifiers).map_err(wrong)?;
        ruleset.identifiers = Some((sources(&ruleset), Arc::new(shapes)));
        ruleset.reads_text = true;
    }
    Ok(ruleset)
}

/// What stays in its own attribute is no secret, and is looked for nowhere else.
fn sources(rules: &Ruleset) -> Arc<[Tag]> {
    let is_secret = |tag: &Tag| rules.action_on(*tag, vr_of(*tag)).is_some_and(|action| !action.keeps());
    SOURCES.into_iter().filter(is_secret).collect()
}

fn compile_rule(rule: &RuleSpec, secret: Option<&Key>) -> Result<(TagPattern, Action), Vec<Problem>> {
    let pattern = rule.tag.parse::<TagPattern>().and_then(of_data_set).map_err(|message| ("tag", message));
    let action = compile_action(rule, secret);
    match (pattern, action) {
        (Ok(pattern), Ok(action)) => {
            let action = match (action, &pattern) {
                (Action::Uid { key }, TagPattern::One(tag)) => Action::uid(*tag, &key),
                (action, _) => action,
            };
            let problems = check_vr(rule, &pattern, &action);
            if problems.is_empty() { Ok((pattern, action)) } else { Err(problems) }
        }
        (pattern, action) => {
            Err(pattern.err().into_iter().chain(action.err().into_iter().flatten()).collect())
        }
    }
}

fn of_data_set(pattern: TagPattern) -> Result<TagPattern, String> {
    match pattern {
        TagPattern::One(Tag(group @ (0x0000 | 0x0002 | 0xFFFE), _)) => {
            Err(format!("group {group:04X} is not part of a data set"))
        }
        TagPattern::One(Tag(_, 0x0000)) => Err("group length elements are always dropped".to_owned()),
        pattern => Ok(pattern),
    }
}

fn compile_action(rule: &RuleSpec, secret: Option<&Key>) -> Result<Action, Vec<Problem>> {
    let mut problems = superfluous(rule);
    let mut need = |key: &'static str, given: &Option<String>| {
        if given.is_none() {
            problems.push((key, format!("{:?} needs one", rule.action)));
        }
        given.clone().unwrap_or_default()
    };
    let action = match rule.action.as_str() {
        "keep" => Some(Action::Keep),
        "remove" => Some(Action::Remove),
        "empty" => Some(Action::Empty),
        "replace" | "set" => {
            let value = need("value", &rule.value);
            match Template::parse(&value, secret, rule.length.unwrap_or(16)) {
                Ok(Some(template)) => Some(Action::Template(template)),
                Ok(None) => Some(Action::Replace(value.into())),
                Err(message) => {
                    problems.push(("value", message));
                    None
                }
            }
        }
        "pattern" => {
            let (find, value) = (need("find", &rule.find), need("value", &rule.value));
            match regular::compiled(&find, false) {
                Ok(find) => Some(Action::Pattern { find, value: value.into() }),
                Err(message) => {
                    problems.push(("find", message));
                    None
                }
            }
        }
        "pseudonym" | "uid" => match (secret, rule.action.as_str()) {
            (None, _) => {
                problems.push(("action", format!("{:?} needs a secret: name a secret-file", rule.action)));
                None
            }
            (Some(key), "uid") => Some(Action::Uid { key: key.clone() }),
            (Some(key), _) => Some(Action::Pseudonym { key: key.clone(), length: rule.length.unwrap_or(16) }),
        },
        other => {
            let known = "keep, remove, empty, replace, set, pattern, pseudonym or uid";
            problems.push(("action", format!("{other:?} is none of {known}")));
            None
        }
    };
    if rule.length.is_some_and(|length| !(8..=64).contains(&length)) {
        problems.push(("length", "8 to 64 hexadecimal digits can be had".to_owned()));
    }
    match action {
        Some(action) if problems.is_empty() => Ok(action),
        _ => Err(problems),
    }
}

fn superfluous(rule: &RuleSpec) -> Vec<Problem> {
    let takes: &[&str] = match rule.action.as_str() {
        "replace" | "set" if rule.value.as_ref().is_some_and(|value| value.contains('{')) => {
            &["value", "length"]
        }
        "replace" | "set" => &["value"],
        "pattern" => &["find", "value"],
        "pseudonym" => &["length"],
        "keep" | "remove" | "empty" | "uid" => &[],
        _ => return Vec::new(),
    };
    let given =
        [("value", rule.value.is_some()), ("find", rule.find.is_some()), ("length", rule.length.is_some())];
    let unused = given.into_iter().filter(|(key, given)| *given && !takes.contains(key));
    unused.map(|(key, _)| (key, format!("{:?} takes none", rule.action))).collect()
}

/// Whether the action suits the elements that the tag stands for, as far as the dictionary knows their VR.
fn check_vr(rule: &RuleSpec, pattern: &TagPattern, action: &Action) -> Vec<Problem> {
    if matches!(action, Action::Keep | Action::Remove | Action::Empty) {
        return Vec::new();
    }
    let tag = match pattern {
        TagPattern::One(tag) => *tag,
        TagPattern::Private { .. } if rule.action != "set" => return check_value(rule, Vr::UN, action),
        _ => {
            let message =
                format!("{:?} needs one known element; for several, keep, remove or empty them", rule.action);
            return vec![("action", message)];
        }
    };
    let vr = vr_of(tag);
    if rule.action == "set" && (tag.0 % 2 == 1 || vr == Vr::UN) {
        return vec![("tag", "\"set\" needs an attribute of the standard, whose VR is known".to_owned())];
    }
    check_value(rule, vr, action)
}

fn check_value(rule: &RuleSpec, vr: Vr, action: &Action) -> Vec<Problem> {
    let unsuited = || vec![("action", format!("{:?} does not suit VR {vr}", rule.action))];
    match action {
        Action::Replace(_) | Action::Template(_) if vr == Vr::SQ => {
            vec![(
                "action",
                "keep, remove or empty a sequence, or write rules for the elements in it".to_owned(),
            )]
        }
        Action::Replace(text) => {
            let tried = value::encode(vr, text, Syntax::EXPLICIT_LE, &mut Vec::new());
            tried.err().map(|message| ("value", message)).into_iter().collect()
        }
        Action::Template(template) => {
            let tried = value::encode(vr, &template.sample(), Syntax::EXPLICIT_LE, &mut Vec::new());
            tried.err().map(|message| ("value", message)).into_iter().collect()
        }
        Action::Pattern { value, .. } => {
            if !vr.is_text() && vr != Vr::UN {
                unsuited()
            } else if value.is_ascii() && !value.contains(|c: char| c.is_ascii_control()) {
                Vec::new()
            } else {
                vec![(
                    "value",
                    "only printable ASCII is allowed, whatever character set the data set has".to_owned(),
                )]
            }
        }
        Action::Pseudonym { length, .. } => {
            let suits = vr.is_in_character_set() || matches!(&vr.code(), b"AE" | b"CS" | b"UN");
            if !suits {
                unsuited()
            } else if *length > vr.max_characters() {
                vec![("length", format!("VR {vr} holds at most {} characters", vr.max_characters()))]
            } else {
                Vec::new()
            }
        }
        Action::Uid { .. } | Action::OtherUid { .. } if !matches!(vr, Vr::UI | Vr::UN) => unsuited(),
        // The others are the profile's.
        _ => Vec::new(),
    }
}

fn canaries() -> Ruleset {
    let rule = |action| Rule { tag_text: String::new(), action, why: "canary".into() };
    let protected = [SOP_CLASS_UID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET];
    let mut rules: Vec<Rule> = protected.iter().map(|_| rule(Action::Keep)).collect();
    rules.push(rule(Action::Canary));
    let patterns: Vec<TagPattern> = protected.into_iter().map(TagPattern::One).collect();
    let RulesetSpec { is_tolerant, max_depth, max_inflated, .. } = RulesetSpec::default();
    Ruleset { plants: true, is_tolerant, max_depth, max_inflated, ..tables(rules, &patterns, Vec::new()) }
}

fn nothing() -> Ruleset {
    let RulesetSpec { is_tolerant, max_depth, max_inflated, .. } = RulesetSpec::default();
    Ruleset { is_tolerant, max_depth, max_inflated, ..tables(Vec::new(), &[], Vec::new()) }
}

fn tables(rules: Vec<Rule>, patterns: &[TagPattern], mut creators: Vec<String>) -> Ruleset {
    let mut exact = BTreeMap::new();
    let (mut masks, mut private) = (Vec::new(), Vec::new());
    for (rule, pattern) in patterns.iter().enumerate() {
        match pattern {
            TagPattern::One(tag) => {
                exact.entry(number(*tag)).or_insert(rule);
            }
            // No tag has it: a rule that the profile leads to by VR.
            TagPattern::Mask { mask: 0, .. } if !rules.get(rule).is_none_or(|rule| rule.why.is_empty()) => {}
            TagPattern::Mask { mask, value } => masks.push(Mask { mask: *mask, value: *value, rule }),
            TagPattern::Private { group, creator, element } => {
                let index = creators.iter().position(|known| known == creator).unwrap_or_else(|| {
                    creators.push(creator.clone());
                    creators.len() - 1
                });
                let creator = CreatorId::try_from(index).unwrap_or(CreatorId::MAX);
                private.push(Private { group: *group, creator, element: *element, rule });
            }
        }
    }
    Ruleset {
        explicit: 0,
        profile: None,
        behind: Vec::new(),
        date_key: None,
        secret_version: None,
        other_secrets: Vec::new(),
        plants: false,
        with_issuer: false,
        needs_patient: rules.iter().any(|rule| rule.action.needs_patient()),
        identifiers: None,
        reads_text: rules.iter().any(|rule| rule.action.reads_text()),
        rules,
        exact: exact.into_iter().collect(),
        masks,
        private,
        creators,
        additions: Vec::new(),
        is_tolerant: false,
        max_depth: 0,
        max_inflated: 0,
    }
}

/// A C-STORE needs its SOP class and instance, and text its character set.
fn check_protected(rules: &Ruleset) -> Vec<RuleProblem> {
    let protected = [(SOP_CLASS_UID, false), (SOP_INSTANCE_UID, true), (SPECIFIC_CHARACTER_SET, false)];
    let broken = protected.into_iter().filter_map(|(tag, may_map)| {
        let rule = rules.decide(tag, vr_of(tag), None)?;
        let allowed = match rules.action(rule) {
            Action::Keep => true,
            Action::Uid { .. } | Action::Fit(_) => may_map,
            _ => false,
        };
        let only = if may_map { "\"keep\" or \"uid\"" } else { "\"keep\"" };
        let message =
            format!("{tag} can only have {only}; put such a rule before this one if it is about more");
        (!allowed).then_some(RuleProblem { rule_index: rule, key: "action", message })
    });
    broken.collect()
}

/// Of each rule that replaces a pattern in an attribute, what the profile does with that, where it does anything.
fn behind(rules: &Ruleset, patterns: &[TagPattern]) -> Vec<(usize, usize)> {
    let Some(profile) = &rules.profile else { return Vec::new() };
    let (written, of_profile) = patterns.split_at_checked(rules.explicit).unwrap_or_default();
    let behind = written.iter().enumerate().filter_map(|(rule, pattern)| {
        let (TagPattern::One(tag), Action::Pattern { .. }) = (pattern, rules.action(rule)) else {
            return None;
        };
        let is_for = |pattern: &TagPattern| match pattern {
            TagPattern::One(one) => one == tag,
            TagPattern::Mask { mask, value } => *mask != 0 && number(*tag) & mask == *value,
            TagPattern::Private { .. } => false,
        };
        let row = of_profile.iter().position(is_for).map(|row| row + rules.explicit);
        let decided = profile.decide(row, *tag, vr_of(*tag), None);
        let decided = decided.filter(|then| !rules.action(*then).keeps());
        // What stays has to fit all the same.
        Some((rule, decided.or_else(|| profile.fit.of_values(*tag))?))
    });
    behind.collect()
}

fn additions(rules: &Ruleset, patterns: &[TagPattern], adding: &[bool]) -> Vec<Addition> {
    let added = patterns.iter().zip(adding).enumerate().filter_map(|(rule, (pattern, adds))| match pattern {
        TagPattern::One(tag) if *adds && rules.decide(*tag, vr_of(*tag), None) == Some(rule) => {
            Some(Addition { tag: *tag, vr: vr_of(*tag), rule, masked_only: false })
        }
        _ => None,
    });
    let mut added: Vec<Addition> = added.collect();
    let masked = rules.profile.as_ref().and_then(|profile| profile.masked);
    if let Some(masked) = masked.filter(|_| !rules.is_explicit(FLAG)) {
        added.push(Addition { tag: FLAG, vr: Vr::CS, rule: masked.flag, masked_only: true });
    }
    added.sort_by_key(|addition| number(addition.tag));
    added
}

fn unreachable(rules: &Ruleset) -> Vec<(usize, usize)> {
    let patterns = rules
        .rules
        .iter()
        .take(rules.explicit)
        .enumerate()
        .map(|(index, rule)| (index, rule.tag_text.parse::<TagPattern>()));
    let hidden = patterns.filter_map(|(index, pattern)| match pattern.ok()? {
        TagPattern::One(tag) => {
            rules.decide(tag, vr_of(tag), None).filter(|&first| first < index).map(|first| (index, first))
        }
        TagPattern::Mask { mask, value } => {
            let wider = |earlier: &&Mask| earlier.rule < index && mask & earlier.mask == earlier.mask;
            let hides =
                rules.masks.iter().filter(wider).find(|earlier| value & earlier.mask == earlier.value);
            hides.map(|earlier| (index, earlier.rule))
        }
        TagPattern::Private { group, creator, element } => {
            let creator = rules.creator_id(creator.as_bytes())?;
            let mut earlier = rules.private.iter().filter(|rule| rule.rule < index);
            let same = earlier.find(|rule| {
                rule.creator == creator
                    && rule.group == group
                    && (rule.element.is_none() || rule.element == element)
            });
            let group = u32::from(group) << 16;
            let mask = rules
                .masks
                .iter()
                .find(|mask| mask.rule < index && mask.mask & 0xFFFF == 0 && group & mask.mask == mask.value);
            let first = same.map(|rule| rule.rule).into_iter().chain(mask.map(|mask| mask.rule)).min()?;
            Some((index, first))
        }
    });
    hidden.collect()
}
