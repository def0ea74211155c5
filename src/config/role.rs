//! `[[role]]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::admission;
use super::names::{NAME, Names};
use super::queries::queries;
use super::report::{Wrong, values};
use super::section::Section;
use super::suggest;
use super::upstream::ae_pattern;
use crate::policy::sop_class::{sop_class_names, transfer_syntax_names};
use crate::policy::{Factor, Factors, Operation, Role, SopClassSet, TransferSyntaxSet};

#[derive(Default)]
pub(super) struct Roles {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, Arc<Role>>,
}

pub(super) fn roles(root: &Section<'_>) -> Roles {
    let mut roles = Roles { names: Names::of("role", root), ..Roles::default() };
    for section in root.tables("role") {
        let name = roles.names.define(&section);
        let role = role(&section, name.as_deref().unwrap_or_default());
        risks(&section, &role);
        if let Some(name) = name {
            roles.compiled.insert(name, Arc::new(role));
        }
    }
    roles
}

fn role(section: &Section<'_>, name: &str) -> Role {
    let allowed = "list what is allowed, or write [\"all\"]";
    section.require(&[NAME, ("operations", allowed), ("sop-classes", allowed)]);
    let operations: Vec<Vec<Operation>> =
        section.list("operations", operations).map(values).unwrap_or_default();
    let sop_classes = sop_classes(section);
    let move_destinations = section.list("move-destinations", ae_pattern).map(values);
    let require: Vec<Factor> = section.list("require", factor).map(values).unwrap_or_default();
    let operations: Vec<Operation> = operations.into_iter().flatten().collect();
    Role {
        name: name.into(),
        line: section.line(),
        keys: section.lines_of(&["minimum-tls", "hours", "require"]),
        queries: queries(section, &operations),
        operations,
        sop_classes,
        transfer_syntaxes: transfer_syntaxes(section),
        move_destinations,
        minimum_tls: admission::minimum_tls(section),
        hours: admission::hours(section),
        require: require.into_iter().collect::<Factors>(),
    }
}

/// Those that `sop-classes` names.
pub(super) fn sop_classes(section: &Section<'_>) -> SopClassSet {
    let mut sop_classes = SopClassSet::default();
    for class in section.strings("sop-classes").unwrap_or_default() {
        if sop_classes.add(class.value).is_err() {
            let wrong = unknown(class.value, "SOP class", sop_class_names());
            section.report.wrong(&class.place, wrong);
        }
    }
    sop_classes
}

fn factor(text: &str) -> Result<Factor, Wrong> {
    let names = Factor::ALL.into_iter().map(Factor::name);
    Factor::named(text)
        .ok_or_else(|| Wrong::new(format!("{text:?} is no factor"), suggest::or_list(text, names)))
}

pub(super) fn operations(text: &str) -> Result<Vec<Operation>, Wrong> {
    if text == "all" {
        return Ok(Operation::ALL.to_vec());
    }
    let names = Operation::ALL.into_iter().map(Operation::name).chain(["all"]);
    let wrong = |_| Wrong::new(format!("{text:?} is not a DIMSE operation"), suggest::or_list(text, names));
    text.parse().map(|operation| vec![operation]).map_err(wrong)
}

fn transfer_syntaxes(section: &Section<'_>) -> TransferSyntaxSet {
    if !section.has("transfer-syntaxes") {
        return TransferSyntaxSet::all();
    }
    let mut set = TransferSyntaxSet::default();
    for syntax in section.strings("transfer-syntaxes").unwrap_or_default() {
        if set.add(syntax.value).is_err() {
            let wrong = unknown(syntax.value, "transfer syntax", transfer_syntax_names());
            section.report.wrong(&syntax.place, wrong);
        }
    }
    set
}

fn unknown(text: &str, what: &str, names: impl Iterator<Item = &'static str>) -> Wrong {
    let remedy = match suggest::nearest(text, names) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => "write its UID, its keyword in PS3.6, a group, or \"all\"".into(),
    };
    Wrong::new(format!("{text:?} is no {what}"), remedy)
}

fn risks(section: &Section<'_>, role: &Role) {
    let operations = section.place_of("operations");
    if role.operations.contains(&Operation::CMove) && role.move_destinations.is_none() {
        let remedy = "list move-destinations in this role";
        section.report.risk(&operations, "lets peers send studies to any destination by C-MOVE", remedy);
    }
    if !role.operations.contains(&Operation::CMove) && role.move_destinations.is_some() {
        let place = section.place_of("move-destinations");
        section.report.risk(
            &place,
            "has no effect: C-MOVE is not among the operations",
            "add \"C-MOVE\", or remove it",
        );
    }
    let verification = "1.2.840.10008.1.1".parse();
    if role.operations.contains(&Operation::CEcho)
        && verification.is_ok_and(|uid| !role.sop_classes.contains(&uid))
    {
        let problem = "lists C-ECHO, but no SOP class that carries it";
        section.report.risk(&operations, problem, "add \"Verification\" to the sop-classes");
    }
}
