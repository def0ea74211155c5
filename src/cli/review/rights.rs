//! What a role allows, held against what was done.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::audit::reading::access::Use;
use crate::dimse::Operation;
use crate::policy::Role;
use crate::policy::sop_class::keyword;

/// SOP classes that are named, of those that nobody used; the others are counted.
const NAMED: usize = 8;

/// What one or several roles allow.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Rights {
    pub roles: Vec<String>,
    /// How often each operation that is allowed was done.
    pub operations: Vec<Right>,
    /// SOP classes that were used, the most used first.
    pub sop_classes: Vec<Right>,
    /// How many are allowed that nobody used; `null`: every SOP class is allowed.
    pub sop_classes_never_used: Option<usize>,
    /// Some of them.
    pub such_as: Vec<String>,
    /// Abstract syntaxes that were accepted, and that no operation was done in.
    pub contexts_never_used: Vec<String>,
}

/// Something that is allowed, and how often it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Right {
    pub name: String,
    pub times: u64,
}

impl Rights {
    /// Of all these roles together.
    pub(super) fn of(roles: &[&Role], used: &Use) -> Self {
        let listed: BTreeSet<&str> =
            roles.iter().flat_map(|role| &role.operations).map(|operation| operation.name()).collect();
        let all = Operation::ALL.iter().map(|operation| operation.name());
        let operations = all.filter(|name| listed.contains(name)).map(|name| right(name, &used.operations));
        let never = never_used(roles, &used.sop_classes);
        Self {
            roles: roles.iter().map(|role| role.name.to_string()).collect(),
            operations: operations.collect(),
            sop_classes: most_used(&used.sop_classes),
            sop_classes_never_used: never.as_ref().map(Vec::len),
            such_as: never.unwrap_or_default().into_iter().take(NAMED).collect(),
            contexts_never_used: idle(used),
        }
    }

    /// The operations that nobody did.
    pub(super) fn never_done(&self) -> Vec<&str> {
        self.operations.iter().filter(|right| right.times == 0).map(|right| right.name.as_str()).collect()
    }

    /// How many were done, of how many.
    pub(super) fn share(&self) -> (u64, u64) {
        let all = self.operations.len() as u64;
        (all - self.never_done().len() as u64, all)
    }

    /// `140 SOP classes, such as …`; `None`: none was left out.
    pub(super) fn classes_never_used(&self) -> Option<String> {
        match self.sop_classes_never_used {
            None => Some("every SOP class is allowed".to_owned()),
            Some(0) => None,
            Some(count) if count <= self.such_as.len() => Some(self.such_as.join(", ")),
            Some(count) => Some(format!("{count} SOP classes, such as {}", self.such_as.join(", "))),
        }
    }
}

fn right(name: &str, done: &BTreeMap<String, u64>) -> Right {
    Right { name: name.to_owned(), times: done.get(name).copied().unwrap_or(0) }
}

fn most_used(classes: &BTreeMap<String, u64>) -> Vec<Right> {
    let mut used: Vec<Right> = classes
        .iter()
        .map(|(uid, times)| Right { name: keyword(uid).unwrap_or(uid).to_owned(), times: *times })
        .collect();
    used.sort_by(|a, b| b.times.cmp(&a.times).then_with(|| a.name.cmp(&b.name)));
    used
}

/// Allowed by name and never used; `None` where every SOP class is allowed.
fn never_used(roles: &[&Role], used: &BTreeMap<String, u64>) -> Option<Vec<String>> {
    let mut allowed = BTreeSet::new();
    for role in roles {
        allowed.extend(role.sop_classes.known()?);
    }
    let never = allowed.into_iter().filter(|uid| !used.contains_key(*uid));
    let mut named: Vec<String> = never.map(|uid| keyword(uid).unwrap_or(uid).to_owned()).collect();
    named.sort();
    Some(named)
}

fn idle(used: &Use) -> Vec<String> {
    let idle = used.contexts.iter().filter(|uid| !used.sop_classes.contains_key(*uid));
    idle.map(|uid| keyword(uid).unwrap_or(uid).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::Rights;
    use crate::audit::reading::access::Use;
    use crate::policy::{Operation, Role, SopClassSet, TransferSyntaxSet};

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const MR: &str = "1.2.840.10008.5.1.4.1.1.4";

    fn role(name: &str, operations: &[Operation], classes: &[&str]) -> Role {
        let mut sop_classes = SopClassSet::default();
        classes.iter().for_each(|class| sop_classes.add(class).unwrap());
        Role {
            name: name.into(),
            line: 1,
            keys: Default::default(),
            operations: operations.to_vec(),
            sop_classes,
            transfer_syntaxes: TransferSyntaxSet::all(),
            move_destinations: None,
            minimum_tls: None,
            hours: None,
            require: Default::default(),
            queries: Default::default(),
        }
    }

    #[test]
    fn what_several_roles_allow_is_held_against_what_was_done() {
        let (send, ask) = (
            role("send", &[Operation::CStore], &["CTImageStorage", "MRImageStorage"]),
            role("ask", &[Operation::CEcho, Operation::CFind], &["Verification"]),
        );
        let used = Use {
            operations: [("C-STORE".to_owned(), 7), ("C-MOVE".to_owned(), 1)].into(),
            sop_classes: [(CT.to_owned(), 7)].into(),
            contexts: [CT.to_owned(), MR.to_owned()].into(),
            ..Use::default()
        };
        let rights = Rights::of(&[&send, &ask], &used);
        assert_eq!((rights.never_done(), rights.share()), (vec!["C-ECHO", "C-FIND"], (1, 3)));
        assert_eq!(rights.classes_never_used().unwrap(), "MRImageStorage, Verification");
        assert_eq!(rights.contexts_never_used, ["MRImageStorage"]);
        let storage = Rights::of(&[&role("all", &[Operation::CStore], &["storage"])], &used);
        assert!(storage.classes_never_used().unwrap().contains(" SOP classes, such as "));
        let all = Rights::of(&[&role("all", &[Operation::CStore], &["all"])], &used);
        assert_eq!(all.classes_never_used().unwrap(), "every SOP class is allowed");
        let whole = Rights::of(&[&role("ct", &[Operation::CStore], &["CTImageStorage"])], &used);
        assert_eq!(whole.classes_never_used(), None);
    }
}
