//! Roles of users by which patients are counted (`max-patients-per-day`), against what else these roles and users may.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::names::listed;
use super::role::Roles;
use super::scope::cannot_be_judged;
use super::section::Section;
use crate::policy::Role;

/// A user's name, and the roles over DIMSE that there are.
pub(super) type Having<'u> = (&'u str, Vec<&'u Arc<Role>>);

const KEY: &str = "max-patients-per-day";
/// What is found of a role, and the names of the users who have it.
type Found<'u> = BTreeMap<(String, String), Vec<&'u str>>;

/// Tells of what is refused to users, or counted of them, whatever another role of theirs says.
pub(super) fn risks(root: &Section<'_>, users: &[Having<'_>]) {
    let (mut refused, mut unfree) = (Found::new(), Found::new());
    for (name, roles) in users {
        for role in roles.iter().filter(|role| role.counts_patients()) {
            let others = || roles.iter().filter(|other| !other.counts_patients());
            let is_free = |what: &String| others().any(|other| cannot_be_judged(other).contains(what));
            let listed: Vec<String> =
                cannot_be_judged(role).into_iter().filter(|what| !is_free(what)).collect();
            if !listed.is_empty() {
                refused.entry((role.name.to_string(), listed.join(", "))).or_default().push(name);
            }
            for other in others().filter(|other| other.queries.reads_identifiers()) {
                unfree.entry((other.name.to_string(), role.name.to_string())).or_default().push(name);
            }
        }
    }
    tell(root, &refused, KEY, |what, users| {
        let problem =
            format!("by which {what} cannot be judged: refused to {users}, though the role allows it");
        (
            problem,
            "give them another role without max-patients-per-day that allows it, or take it out of this one"
                .into(),
        )
    });
    tell(root, &unfree, "name", |counting, users| {
        let problem = format!(
            "counts no patients, and {users}, who have role \"{counting}\" too, are counted all the same: this one looks at \
             what a query asks (query-levels, query-keys, hide)"
        );
        (problem, format!("remove {KEY} of role \"{counting}\", or give them a role without those keys"))
    });
}

fn tell(root: &Section<'_>, found: &Found<'_>, key: &str, said: impl Fn(&str, &str) -> (String, String)) {
    let sections = root.tables("role");
    for ((role, what), users) in found {
        let Some(section) = sections.iter().find(|section| section.called() == Some(role.as_str())) else {
            continue;
        };
        let (problem, remedy) = said(what, &listed(users.iter().copied()));
        section.report.risk(&section.place_of(key), problem, remedy);
    }
}

/// The roles that there are of these names.
pub(super) fn having<'u>(
    name: &'u str,
    roles: impl Iterator<Item = &'u str>,
    known: &'u Roles,
) -> Having<'u> {
    (name, roles.filter_map(|role| known.compiled.get(role)).collect())
}
