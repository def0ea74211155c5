//! Rows of the tables of PS3.15 Annex E.

/// A row of Table E.1-1.
#[derive(Debug)]
pub struct Row {
    /// Group and element as one number; digits that the mask leaves open are 0.
    pub tag: u32,
    /// Tags that equal `tag` in the bits of the mask.
    pub mask: u32,
    /// The attribute's name in PS3.6.
    pub name: &'static str,
    /// Empty where the dictionary has none.
    pub vr: &'static str,
    /// The code of the basic profile.
    pub basic: &'static str,
    /// The code that keeps every IOD valid.
    pub safe: &'static str,
    /// The codes of the options, in the order of [`ProfileOption::ALL`](super::ProfileOption::ALL); a dot is none.
    pub options: [u8; 10],
}

/// A row of Table E.3.10-1.
#[derive(Debug)]
pub(in crate::rewrite) struct SafePrivate {
    pub(in crate::rewrite) creator: &'static str,
    pub(super) group: u16,
    pub(super) element: u8,
    pub(super) vr: &'static str,
}

/// A row of Table E.3.4-1.
#[derive(Debug)]
pub(super) struct Concept {
    pub(super) code: &'static str,
    pub(super) scheme: &'static str,
    pub(super) value_type: &'static str,
    pub(super) basic: &'static str,
    pub(super) options: [u8; 10],
}
