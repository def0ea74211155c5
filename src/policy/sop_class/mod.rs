//! Which SOP classes and transfer syntaxes a role may use.

mod table;

use std::collections::BTreeSet;

use crate::wire::Uid;

/// A service whose SOP classes are named together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Storage Service Class (PS3.4 Annex B), and what is stored the same way.
    Storage,
    /// Query/Retrieve Service Class (PS3.4 Annex C).
    QueryRetrieve,
    /// Basic Worklist Management (PS3.4 Annex K).
    Worklist,
    /// Modality Performed Procedure Step (PS3.4 Annex F).
    Mpps,
    /// Storage Commitment (PS3.4 Annex J).
    StorageCommitment,
    /// Print Management (PS3.4 Annex H).
    Print,
}

/// A text that is no UID, keyword or group of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is neither a UID nor a known keyword")]
pub struct UnknownUid;

/// Below this root the standard registers composite storage, so what a later edition adds there is storage too.
const STORAGE_ROOT: &str = "1.2.840.10008.5.1.4.1.1.";

/// SOP classes that travel in the commands of another's context: print and its boxes, the detached management
/// classes, and the procedure steps that are always named by their first class (PS3.4 §F, §H, §CC).
const FAMILIES: [&str; 4] =
    ["1.2.840.10008.5.1.1.", "1.2.840.10008.3.1.2.", "1.2.840.10008.5.1.4.32.", "1.2.840.10008.5.1.4.34.6."];

impl Group {
    const ALL: [(&'static str, Self); 6] = [
        ("storage", Self::Storage),
        ("query-retrieve", Self::QueryRetrieve),
        ("worklist", Self::Worklist),
        ("mpps", Self::Mpps),
        ("storage-commitment", Self::StorageCommitment),
        ("print", Self::Print),
    ];

    fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, group)| *group)
    }
}

/// A set of SOP classes, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SopClassSet {
    all: bool,
    storage: bool,
    uids: BTreeSet<Box<str>>,
}

impl SopClassSet {
    /// Every SOP class, private ones too.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Adds a UID, a keyword such as `CTImageStorage`, a group such as `storage`, or `all`.
    ///
    /// # Errors
    /// [`UnknownUid`]; nothing is added then.
    pub fn add(&mut self, text: &str) -> Result<(), UnknownUid> {
        if text == "all" {
            self.all = true;
        } else if let Some(group) = Group::named(text) {
            self.storage |= group == Group::Storage;
            let members = table::SOP_CLASSES.iter().filter(|row| row.2 == Some(group));
            self.uids.extend(members.map(|row| Box::from(row.0)));
        } else {
            self.uids.insert(sop_class_uid(text).ok_or(UnknownUid)?.as_str().into());
        }
        Ok(())
    }

    /// Whether the set holds the SOP class.
    pub fn contains(&self, uid: &Uid) -> bool {
        let uid = uid.as_str();
        self.all || self.uids.contains(uid) || (self.storage && is_storage(uid))
    }

    /// Whether all of the other set is in this one. Never true by mistake.
    pub fn covers(&self, other: &Self) -> bool {
        other.beyond(self).is_empty()
    }

    /// What is in this set and not in the other one: `all`, `storage`, or single ones by keyword or UID.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        let has = |uid: &str| other.uids.contains(uid) || (other.storage && is_storage(uid));
        match (self.all, other.all) {
            (_, true) => Vec::new(),
            (true, false) => vec!["all".into()],
            _ => {
                let group = (self.storage && !other.storage).then(|| "storage".to_owned());
                let single = self.uids.iter().filter(|uid| !has(uid));
                let single = single.filter(|uid| group.is_none() || !is_storage(uid));
                let single: Vec<String> = single.map(|uid| keyword(uid).unwrap_or(uid).to_owned()).collect();
                group.into_iter().chain(single).collect()
            }
        }
    }

    /// Those that are in it by name, the storage classes that this program knows among them; `None`: every SOP class is.
    pub fn known(&self) -> Option<impl Iterator<Item = &str>> {
        (!self.all).then(|| self.uids.iter().map(|uid| &**uid))
    }

    /// Whether every SOP class is in it.
    pub fn is_all(&self) -> bool {
        self.all
    }
}

fn is_storage(uid: &str) -> bool {
    let known = table::SOP_CLASSES.iter().find(|row| row.0 == uid);
    known.map_or_else(|| uid.starts_with(STORAGE_ROOT), |row| row.2 == Some(Group::Storage))
}

/// The SOP class that a UID or a keyword names.
pub fn sop_class_uid(text: &str) -> Option<Uid> {
    let by_keyword = table::SOP_CLASSES.iter().find(|row| row.1 == text).map(|row| row.0);
    by_keyword.or(Some(text).filter(|t| looks_like_uid(t)))?.parse().ok()
}

/// The keyword of a standard SOP class or transfer syntax.
pub fn keyword(uid: &str) -> Option<&'static str> {
    let sop_classes = table::SOP_CLASSES.iter().map(|row| (row.0, row.1));
    sop_classes.chain(table::TRANSFER_SYNTAXES.iter().copied()).find(|row| row.0 == uid).map(|row| row.1)
}

/// What a configuration may write besides UIDs: for the suggestion of a near name.
pub fn sop_class_names() -> impl Iterator<Item = &'static str> {
    let groups = Group::ALL.iter().map(|(name, _)| *name);
    groups.chain(["all"]).chain(table::SOP_CLASSES.iter().map(|row| row.1))
}

/// As [`sop_class_names`], for transfer syntaxes.
pub fn transfer_syntax_names() -> impl Iterator<Item = &'static str> {
    ["all"].into_iter().chain(table::TRANSFER_SYNTAXES.iter().map(|row| row.1))
}

/// Whether a command may carry `sop_class` in a context of `abstract_syntax` (PS3.7 §E.1, PS3.4 on Meta SOP classes).
pub(super) fn goes_with(sop_class: &Uid, abstract_syntax: &Uid) -> bool {
    let (class, context) = (sop_class.as_str(), abstract_syntax.as_str());
    class == context
        || FAMILIES.iter().any(|family| {
            let in_family = context.starts_with(family) || family.strip_suffix('.') == Some(context);
            in_family && class.starts_with(family)
        })
}

fn looks_like_uid(text: &str) -> bool {
    text.contains('.')
        && text.len() <= 64
        && text.split('.').all(|part| {
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            digits && (part == "0" || !part.starts_with('0'))
        })
}

/// A set of transfer syntaxes, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransferSyntaxSet {
    all: bool,
    uids: BTreeSet<Box<str>>,
}

impl TransferSyntaxSet {
    /// Every transfer syntax, private ones too.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Adds a UID, a keyword such as `ExplicitVRLittleEndian`, or `all`.
    ///
    /// # Errors
    /// [`UnknownUid`]; nothing is added then.
    pub fn add(&mut self, text: &str) -> Result<(), UnknownUid> {
        let by_keyword = table::TRANSFER_SYNTAXES.iter().find(|row| row.1 == text).map(|row| row.0);
        match by_keyword.or(Some(text).filter(|t| looks_like_uid(t))) {
            _ if text == "all" => self.all = true,
            Some(uid) => drop(self.uids.insert(uid.into())),
            None => return Err(UnknownUid),
        }
        Ok(())
    }

    /// Whether all of the other set is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.all || (!other.all && other.uids.is_subset(&self.uids))
    }

    /// What is in this set and not in the other one: `all`, or single ones by keyword or UID.
    pub fn beyond(&self, other: &Self) -> Vec<String> {
        match (self.all, other.all) {
            (_, true) => Vec::new(),
            (true, false) => vec!["all".into()],
            _ => {
                self.uids.difference(&other.uids).map(|uid| keyword(uid).unwrap_or(uid).to_owned()).collect()
            }
        }
    }

    /// Whether the set holds the transfer syntax.
    pub fn contains(&self, uid: &Uid) -> bool {
        self.all || self.uids.contains(uid.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{SopClassSet, TransferSyntaxSet, goes_with, table};

    fn set(names: &[&str]) -> SopClassSet {
        let mut set = SopClassSet::default();
        names.iter().for_each(|name| set.add(name).unwrap());
        set
    }

    fn holds(set: &SopClassSet, uid: &str) -> bool {
        set.contains(&uid.parse().unwrap())
    }

    #[test]
    fn storage_holds_what_a_later_edition_adds_and_no_query() {
        let storage = set(&["storage"]);
        for uid in ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.999.1", "1.2.840.10008.5.1.4.34.7"]
        {
            assert!(holds(&storage, uid), "{uid}");
        }
        for uid in [
            "1.2.840.10008.1.1",
            "1.2.840.10008.5.1.4.1.2.1.1",
            "1.2.840.10008.5.1.4.1.1.200.4",
            "1.2.840.10008.5.1.4.1.1.201.2",
            "1.2.840.113619.4.2",
        ] {
            assert!(!holds(&storage, uid), "{uid}");
        }
    }

    #[test]
    fn groups_hold_their_service_and_keywords_their_class() {
        assert!(holds(&set(&["query-retrieve"]), "1.2.840.10008.5.1.4.1.2.2.1"));
        assert!(holds(&set(&["worklist"]), "1.2.840.10008.5.1.4.31"));
        assert!(holds(&set(&["mpps"]), "1.2.840.10008.3.1.2.3.3"));
        assert!(holds(&set(&["storage-commitment"]), "1.2.840.10008.1.20.1"));
        assert!(holds(&set(&["print"]), "1.2.840.10008.5.1.1.9"));
        assert!(holds(&set(&["all"]), "1.2.840.113619.4.2"));
        let two = set(&["CTImageStorage", "1.2.840.113619.4.2"]);
        assert!(holds(&two, "1.2.840.10008.5.1.4.1.1.2") && holds(&two, "1.2.840.113619.4.2"));
        assert!(!holds(&two, "1.2.840.10008.5.1.4.1.1.4"));
    }

    #[test]
    fn neither_a_typing_error_nor_half_a_uid_is_taken() {
        for bad in ["", "Storage", "CTImageStorag", "1", "1.", ".1", "1..2", "1.02.3", "1.2.x", "STORAGE"] {
            assert!(SopClassSet::default().add(bad).is_err(), "{bad}");
            assert!(TransferSyntaxSet::default().add(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn transfer_syntaxes_by_keyword_and_uid() {
        let mut some = TransferSyntaxSet::default();
        some.add("ExplicitVRLittleEndian").unwrap();
        some.add("1.2.840.113619.5.2").unwrap();
        assert!(some.contains(&"1.2.840.10008.1.2.1".parse().unwrap()));
        assert!(some.contains(&"1.2.840.113619.5.2".parse().unwrap()));
        assert!(!some.contains(&"1.2.840.10008.1.2".parse().unwrap()));
    }

    #[test]
    fn a_command_may_name_a_member_of_its_contexts_meta_class() {
        let pair = |class: &str, context: &str| goes_with(&class.parse().unwrap(), &context.parse().unwrap());
        assert!(pair("1.2.840.10008.5.1.1.1", "1.2.840.10008.5.1.1.9"));
        assert!(pair("1.2.840.10008.5.1.4.34.6.1", "1.2.840.10008.5.1.4.34.6.3"));
        assert!(pair("1.2.840.10008.5.1.4.32.2", "1.2.840.10008.5.1.4.32"));
        assert!(!pair("1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.2"));
        assert!(!pair("1.2.840.10008.5.1.1.1", "1.2.840.10008.1.1"));
    }

    #[test]
    fn the_table_has_no_double_entries() {
        let uids: std::collections::BTreeSet<_> = table::SOP_CLASSES.iter().map(|row| row.0).collect();
        let keywords: std::collections::BTreeSet<_> = table::SOP_CLASSES.iter().map(|row| row.1).collect();
        assert_eq!((uids.len(), keywords.len()), (table::SOP_CLASSES.len(), table::SOP_CLASSES.len()));
    }
}
