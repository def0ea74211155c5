//! What a `[[role]]` says of queries and retrievals: `query-levels` and what follows it in the reference.

use std::num::NonZeroU32;

use super::report::{Wrong, values};
use super::section::Section;
use super::suggest;
use crate::dataset::{Tag, Vr, vr_of};
use crate::policy::{AttributePattern, Operation, Queries, QueryKey, QueryLevel};
use crate::rewrite;

/// Longest value that may be asked for.
const LONGEST: u32 = 64;
/// Most answers to one query.
const MOST_ANSWERS: u32 = 1_000_000;
/// Most retrievals within an hour: the time of each is kept for as long.
const MOST_RETRIEVALS: u32 = 10_000;
/// Most patients within a day: each is kept for as long, and there is room for ten such names.
const MOST_PATIENTS: u32 = 10_000;

pub(super) fn queries(section: &Section<'_>, operations: &[Operation]) -> Queries {
    let queries = Queries {
        levels: section.list("query-levels", level).map(values),
        keys: section.list("query-keys", key).map(values),
        min_length: section.count("query-min-length", 1..=LONGEST).unwrap_or(1),
        hide: section.list("hide", hidden).map(values).unwrap_or_default(),
        max_answers: number(section, "max-answers", MOST_ANSWERS),
        max_retrievals_per_hour: number(section, "max-retrievals-per-hour", MOST_RETRIEVALS),
        max_patients_per_day: number(section, "max-patients-per-day", MOST_PATIENTS),
    };
    risks(section, operations);
    queries
}

fn number(section: &Section<'_>, key: &'static str, most: u32) -> Option<NonZeroU32> {
    section.count(key, 1..=most).and_then(NonZeroU32::new)
}

fn level(text: &str) -> Result<QueryLevel, Wrong> {
    let names = QueryLevel::ALL.into_iter().map(QueryLevel::name);
    QueryLevel::named(text)
        .ok_or_else(|| Wrong::new(format!("{text:?} is no query level"), suggest::or_list(text, names)))
}

fn attributes(text: &str) -> Result<AttributePattern, Wrong> {
    let (mask, value) = rewrite::attributes(text).map_err(|problem| match problem.split_once("; ") {
        Some((problem, remedy)) => Wrong::new(problem, remedy),
        None => Wrong::new(problem, "write a keyword of PS3.6, or a tag such as (0010,0010)"),
    })?;
    Ok(AttributePattern::new(mask, value, text))
}

fn key(text: &str) -> Result<QueryKey, Wrong> {
    let attribute = attributes(text)?;
    let one = "write the keyword of one attribute, such as PatientID";
    let Some(number) = attribute.tag() else {
        return Err(Wrong::new(format!("{text:?} stands for several attributes"), one));
    };
    let vr = vr_of(Tag((number >> 16) as u16, number as u16));
    if vr == Vr::SQ || attribute.is_always_there() {
        return Err(Wrong::new(format!("{text:?} is nothing that a query looks for by a value"), one));
    }
    Ok(QueryKey::new(attribute, matches!(vr, Vr::DA | Vr::TM | Vr::DT)))
}

fn hidden(text: &str) -> Result<AttributePattern, Wrong> {
    let attributes = attributes(text)?;
    if attributes.is_always_there() {
        let remedy = "remove it: it says how an answer is read";
        return Err(Wrong::new(format!("{text:?} cannot be left out of answers"), remedy));
    }
    Ok(attributes)
}

/// What has no effect.
fn risks(section: &Section<'_>, operations: &[Operation]) {
    use Operation::{CFind, CGet, CMove, NAction, NGet};
    let needs: [(&str, &[Operation], &str); 7] = [
        ("query-levels", &[CFind, CMove, CGet], "C-FIND, C-MOVE or C-GET"),
        ("query-keys", &[CFind, CMove, CGet], "C-FIND, C-MOVE or C-GET"),
        ("query-min-length", &[CFind, CMove, CGet], "C-FIND, C-MOVE or C-GET"),
        ("hide", &[CFind], "C-FIND"),
        ("max-answers", &[CFind], "C-FIND"),
        ("max-retrievals-per-hour", &[CMove, CGet], "C-MOVE or C-GET"),
        (
            "max-patients-per-day",
            &[CFind, CMove, CGet, NGet, NAction],
            "C-FIND, C-MOVE, C-GET, N-GET or N-ACTION",
        ),
    ];
    for (key, any, named) in needs {
        let is_used = operations.iter().any(|operation| any.contains(operation));
        if section.has(key) && section.has("operations") && !is_used {
            let problem = format!("has no effect: {named} is not among the operations");
            section.report.risk(&section.place_of(key), problem, "add the operation, or remove it");
        }
    }
    if section.has("query-min-length") && !section.has("query-keys") {
        let problem = "has no effect: no query-keys have to have a value";
        section.report.risk(&section.place_of("query-min-length"), problem, "add query-keys, or remove it");
    }
}
