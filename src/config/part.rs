//! Parts of a configuration, for commands that work without the proxy. No file is read that belongs to another part, so
//! that rules can be tried where there are no certificates and no keys but theirs. `check` reads everything.
//!
//! A key or a header that is misspelt is an error wherever it stands: it may be what the part lacks, and without it data
//! would be written that nobody meant to have so.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::crosswalk::Crosswalks;
use super::diagnostic::Diagnostics;
use super::load::{has_tenants, read_with};
use super::rewrite::Rewrites;
use super::section::Section;
use super::settings::{CrosswalkSettings, UsersSettings};
use super::{suggest, users};
use crate::audit::{AuditSettings, PatientIdentifiers};
use crate::rewrite::Ruleset;

/// A rule set with the crosswalk that remembers its pseudonyms, not open yet.
#[derive(Clone, Debug)]
pub struct Rules {
    /// The rules and the profile, compiled with their secrets.
    pub ruleset: Arc<Ruleset>,
    /// What remembers the pseudonyms, not open, where something is to.
    pub crosswalk: Option<CrosswalkSettings>,
}

/// The `[[crosswalk]]` tables, by name.
#[derive(Clone, Debug)]
pub struct CrosswalkTables {
    /// Those that could be read, with their keys.
    pub crosswalks: BTreeMap<Arc<str>, CrosswalkSettings>,
    /// The crosswalk of a rewrite, both by name.
    pub remembered: BTreeMap<Arc<str>, Arc<str>>,
}

/// The rules of one `[[rewrite]]`, with its secrets and its crosswalk.
///
/// # Errors
/// Every problem of them, or that no rewrite is called so.
pub fn rules(path: &Path, tenant: Option<&str>, name: &str) -> Result<Rules, Diagnostics> {
    read_with(path, of_tenants(path, tenant), |root| rules_of(&root, name, true))
}

/// As [`rules`], without the crosswalk.
///
/// # Errors
/// As [`rules`].
pub fn ruleset(path: &Path, tenant: Option<&str>, name: &str) -> Result<Arc<Ruleset>, Diagnostics> {
    read_with(path, of_tenants(path, tenant), |root| rules_of(&root, name, false).map(|rules| rules.ruleset))
}

/// In a file without tenants the name is a label, for values that name the tenant.
fn of_tenants<'t>(path: &Path, tenant: Option<&'t str>) -> Option<&'t str> {
    tenant.filter(|_| has_tenants(path))
}

fn rules_of(root: &Section<'_>, name: &str, remembering: bool) -> Option<Rules> {
    let tables = root.tables("rewrite");
    let wanted = |table: &Section<'_>| table.called() == Some(name);
    let Some(table) = tables.iter().find(|table| wanted(table)) else {
        unknown(root, &tables, name);
        return None;
    };
    let named = table.text("crosswalk");
    let crosswalks =
        Crosswalks::read(root, |crosswalk| remembering && crosswalk.is_some() && crosswalk == named);
    let mut rewrites = Rewrites::default();
    tables.iter().filter(|table| wanted(table)).for_each(|table| rewrites.read(table, &crosswalks));
    let crosswalk = rewrites.remembered.get(name).and_then(|name| crosswalks.compiled.get(name));
    Some(Rules { ruleset: rewrites.compiled.get(name)?.clone(), crosswalk: crosswalk.cloned() })
}

/// Reports that no rewrite is called so, where all of them could be read.
fn unknown(root: &Section<'_>, rewrites: &[Section<'_>], name: &str) {
    if root.report.lacks("[[rewrite]]") || !root.has_only_tables("rewrite") {
        return;
    }
    let names = rewrites.iter().filter_map(Section::called);
    let problem = format!("no [[rewrite]] is called {name:?}");
    root.report.error(&root.place, problem, suggest::or_list(name, names));
}

/// Every crosswalk, and whose it is.
///
/// # Errors
/// Every problem of their tables.
pub fn crosswalk_tables(path: &Path, tenant: Option<&str>) -> Result<CrosswalkTables, Diagnostics> {
    read_with(path, tenant, |root| {
        let crosswalks = Crosswalks::read(&root, |_| true).compiled;
        let rewrites = root.tables("rewrite");
        let remembered = rewrites.iter().filter_map(|table| {
            let (crosswalk, _) = crosswalks.get_key_value(table.text("crosswalk")?)?;
            Some((table.called()?.into(), crosswalk.clone()))
        });
        Some(CrosswalkTables { remembered: remembered.collect(), crosswalks })
    })
}

/// How records name patients.
///
/// # Errors
/// Every problem with that.
pub fn patient_identifiers(path: &Path, tenant: Option<&str>) -> Result<PatientIdentifiers, Diagnostics> {
    read_with(path, tenant, |root| match root.table("audit") {
        Some(audit) => super::audit::patient_identifiers(&audit),
        None => Some(PatientIdentifiers::None),
    })
}

/// Where and how records are kept, and what signs them.
///
/// # Errors
/// Every problem of `[audit]`.
pub fn records_of(path: &Path, tenant: Option<&str>) -> Result<AuditSettings, Diagnostics> {
    read_with(path, tenant, |root| super::audit::audit(&root).map(|records| records.settings))
}

/// Where the users of a configuration are, with their key; the file of users is not looked at, and may be missing.
///
/// # Errors
/// Every problem of the table, or that there is none.
pub fn users_of(path: &Path, tenant: Option<&str>) -> Result<UsersSettings, Diagnostics> {
    read_with(path, tenant, |root| {
        if !root.has("users") && !root.report.lacks("[users]") {
            root.report.error(&root.place, "has no [users]", "write [users] file = \"…\", or give --file");
        }
        users::named(&root.table("users")?)
    })
}
