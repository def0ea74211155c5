//! `scope` and `scope-cache` of a `[[peer]]`: which studies it may see.

use std::sync::Arc;
use std::time::Duration;

use super::report::{Located, Place, Wrong};
use super::section::Section;
use super::settings::{ForwardedIdentity, UpstreamSettings};
use super::suggest;
use crate::policy::scope::{Attribute, Condition, REMEMBERED, Scope};
use crate::policy::{Operation, Peer, Role};

/// Longer than that, what an archive said is no longer what it says.
const LONGEST: Duration = Duration::from_secs(86_400);
/// More than a lifetime.
const MOST_DAYS: u32 = 36_500;
const MOST_CONDITIONS: usize = 16;
const MOST_VALUES: usize = 256;
/// Characters of an LO (PS3.5 §6.2), the longest that is looked at.
const LONGEST_VALUE: usize = 64;

/// The scope of a peer. `None` where it has none, or one that has an error, which is reported.
pub(super) fn scope(section: &Section<'_>) -> Option<Arc<Scope>> {
    let remembered = section.duration_or_zero("scope-cache", REMEMBERED);
    if remembered > LONGEST {
        let place = section.place_of("scope-cache");
        section.report.error(&place, "is longer than a day", "write at most \"1d\", as in \"5m\"");
    }
    if !section.has("scope") {
        if section.has("scope-cache") {
            let place = section.place_of("scope-cache");
            section.report.risk(&place, "has no effect without a scope", "add scope = [{ … }], or remove it");
        }
        return None;
    }
    let listed = section.inline_tables("scope");
    let count = listed.len();
    let conditions: Vec<Option<Condition>> = listed.iter().map(condition).collect();
    if section.is_sound("scope") && !(1..=MOST_CONDITIONS).contains(&count) {
        let problem = format!("holds {count} conditions");
        let remedy =
            format!("list 1 to {MOST_CONDITIONS}, or remove it: without one, a peer sees every study");
        section.report.error(&section.place_of("scope"), problem, remedy);
    }
    let conditions = conditions.into_iter().collect::<Option<Vec<_>>>()?;
    Some(Arc::new(Scope::new(conditions, remembered)))
}

fn condition(section: &Section<'_>) -> Option<Condition> {
    section.require(&[("tag", "name an attribute, as in tag = \"IssuerOfPatientID\"")]);
    let attribute = section.parsed("tag", attribute)?;
    let (equals, any_of) = (section.list("equals", value), section.list("any-of", value));
    let days = section.parsed("newer-than", days);
    let given = ["equals", "any-of", "newer-than"].into_iter().filter(|key| section.has(key)).count();
    if given != 1 {
        let problem = if given == 0 { "says nothing of it" } else { "says more than one thing of it" };
        let remedy = "write one of equals = [\"…\"], any-of = [\"…\"], newer-than = \"90d\"; another one goes into \
                      a { … } of its own";
        section.report.error(&section.place_of("tag"), problem, remedy);
        return None;
    }
    fits(section, &attribute);
    let listed = equals.or(any_of);
    let is_long = listed.as_ref().is_some_and(|values| values.len() > MOST_VALUES);
    if is_long {
        let place = section.place_of(if section.has("equals") { "equals" } else { "any-of" });
        section.report.error(&place, format!("holds more than {MOST_VALUES} values"), "list fewer");
    }
    let of_days = |days: Located<u32>| Condition::newer_than(attribute.value, days.value);
    let of_values = |values: Vec<Located<Box<str>>>| {
        Condition::one_of(attribute.value, values.into_iter().map(|value| value.value).collect())
    };
    days.map(of_days).or_else(|| listed.filter(|values| !values.is_empty()).map(of_values))
}

/// Reports a kind of condition that does not fit the attribute.
fn fits(section: &Section<'_>, Located { value: attribute, .. }: &Located<Attribute>) {
    let wrong = |key: &str, problem: &str, remedy: &str| {
        section.report.error(&section.place_of(key), format!("{attribute} {problem}"), remedy.to_owned());
    };
    if section.has("equals") && attribute.has_several() {
        wrong("equals", "has several values", "write any-of");
    }
    if section.has("newer-than") && !attribute.is_date() {
        wrong("newer-than", "is no date", "write equals or any-of, or tag = \"StudyDate\"");
    }
    for key in ["equals", "any-of"].into_iter().filter(|key| attribute.is_date() && section.has(key)) {
        wrong(key, "is a date", "write newer-than, as in \"90d\"");
    }
}

fn attribute(keyword: &str) -> Result<Attribute, Wrong> {
    Attribute::of(keyword).ok_or_else(|| {
        let known = Attribute::ALL.map(Attribute::keyword);
        let problem = format!("{keyword:?} is no attribute that a scope can speak of");
        Wrong::new(problem, suggest::or_list(keyword, known))
    })
}

fn value(text: &str) -> Result<Box<str>, Wrong> {
    let is_fit = text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
    if is_fit && !text.is_empty() && text.trim() == text && text.len() <= LONGEST_VALUE {
        return Ok(text.into());
    }
    let remedy = "write 1 to 64 characters of ASCII without backslash, and without a blank before or behind them; * and ? \
                  stand for themselves";
    Err(Wrong::new(format!("{text:?} is no value that can be compared"), remedy))
}

/// A study has a day and no hour that counts.
fn days(text: &str) -> Result<u32, Wrong> {
    let number = text.strip_suffix('d').filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let days = number.and_then(|number| number.parse().ok()).filter(|days| *days <= MOST_DAYS);
    days.ok_or_else(|| {
        let remedy = format!("write a number of days up to {MOST_DAYS} and d, as in \"90d\"");
        Wrong::new(format!("{text:?} is no number of days"), remedy)
    })
}

/// Reports a scope of a peer whose upstream has pseudonyms only. A scope speaks of the patients' side, and what it speaks of does not
/// come back from there as it was: rules and profiles empty it, shift it or take it out.
pub(super) fn refuse_pseudonyms(section: &Section<'_>) {
    let problem = "cannot be judged: with two-way and rewrite-direction = \"from-peer\" the upstream has pseudonyms, and what it says of a \
                   study is not what the patients' side says";
    section.refuse(&["scope"], problem, "remove it, or write rewrite-direction = \"to-peer\"");
}

/// Of a peer that has a scope, or whose patients are counted: what of its role is refused to it, since it cannot be judged, and what
/// else may surprise of it. `upstreams` are those that it may be led to.
pub(super) fn risks(root: &Section<'_>, place: &Place, peer: &Peer, upstreams: &[&UpstreamSettings]) {
    let has = if peer.scope.is_some() { "has a scope" } else { "has a role with max-patients-per-day" };
    let refused = cannot_be_judged(&peer.role);
    if !refused.is_empty() {
        let problem = format!(
            "{has}, by which {} cannot be judged: refused to it, though its role allows it",
            refused.join(", ")
        );
        root.report.risk(
            place,
            problem,
            match peer.scope {
                Some(_) => "give it a role that does not allow that, or add a second [[peer]], without a scope, for it",
                None => "give it a role that does not allow that, or add a second [[peer]], with another role, for it",
            },
        );
    }
    if peer.role.operations.contains(&Operation::CStore) {
        let filed = match peer.scope {
            Some(_) => "under a study outside may change what the archive says of that",
            None => {
                "under somebody else's study may have that counted as another patient's, or shut it to those who are counted"
            }
        };
        let problem = format!("{has}, and its role allows C-STORE: an object that it files {filed}");
        root.report.risk(
            place,
            problem,
            "give it a role without C-STORE, if the archive takes objects into studies so",
        );
    }
    nobody(root, place, has, upstreams);
    if peer.scope.as_ref().is_some_and(|scope| scope.remembered > Duration::from_secs(3600)) {
        let problem =
            "remembers for more than an hour that a study is inside, whatever has become of it since";
        root.report.risk(place, problem, "write a shorter scope-cache, as in \"5m\"");
    }
}

/// What a role allows of which nobody can tell whom it shows.
pub(super) fn cannot_be_judged(role: &Role) -> Vec<String> {
    use Operation::{CFind, NAction, NCreate, NDelete, NEventReport, NSet};
    let unjudged = [NCreate, NSet, NEventReport, NDelete];
    let listed = unjudged.into_iter().filter(|operation| role.operations.contains(operation));
    let mut all: Vec<String> = listed.map(|operation| operation.name().to_owned()).collect();
    let acts = |class: &&str| class.parse().is_ok_and(|uid| role.sop_classes.contains(&uid));
    if role.operations.contains(&NAction) && ACTING.iter().any(acts) {
        all.push("N-ACTION but for storage commitment".into());
    }
    let worklist = WORKLIST.parse().is_ok_and(|uid| role.sop_classes.contains(&uid));
    if worklist && role.operations.contains(&CFind) {
        all.push("C-FIND of worklists".into());
    }
    all
}

/// Tells of a peer whose upstream is told of a user by the peer alone: what is looked up for it is asked in nobody's name.
fn nobody(root: &Section<'_>, place: &Place, has: &str, upstreams: &[&UpstreamSettings]) {
    let passes = |upstream: &&&UpstreamSettings| upstream.user_identity == ForwardedIdentity::Pass;
    let Some(upstream) = upstreams.iter().find(passes) else { return };
    let problem = format!(
        "{has}, and upstream \"{}\" gets the user as the peer names them: look-ups name no user, so that what a PACS \
         shows to some users only is outside",
        upstream.name
    );
    let remedy =
        "write user-identity = \"replace\" or \"strip\" in that [[upstream]], if the PACS shows by user";
    root.report.risk(place, problem, remedy);
}

/// Modality Worklist Information Model - FIND.
const WORKLIST: &str = "1.2.840.10008.5.1.4.31";

/// Other SOP classes than storage commitment that have an N-ACTION (PS3.4 H, S, P, CC, KK).
const ACTING: [&str; 9] = [
    "1.2.840.10008.5.1.1.1",
    "1.2.840.10008.5.1.1.2",
    "1.2.840.10008.5.1.1.33",
    "1.2.840.10008.1.40",
    "1.2.840.10008.1.42",
    "1.2.840.10008.5.1.4.34.6.1",
    "1.2.840.10008.5.1.4.34.6.2",
    "1.2.840.10008.5.1.4.34.6.3",
    "1.2.840.10008.5.1.4.1.1.201.5",
];
