//! What a rule does to a value, as data. Who does it is [`applying`](super::applying).

use regex::Regex;

use super::correspondence::Kind;
use super::dummy::Item;
use super::error::RewriteProblem;
use super::instances;
use super::keyed::Key;
use super::template::Template;
use super::words::Vocabulary;
use crate::dataset::{PATIENT_ID, Tag};

/// What a rule does with an element, compiled: pure data, which `applying` applies forward, back or to keys.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Keep,
    Remove,
    Empty,
    /// Also `set`, where the element is present.
    Replace(Box<str>),
    Pattern {
        find: Regex,
        value: Box<str>,
    },
    Pseudonym {
        key: Key,
        length: usize,
    },
    /// Of an attribute that names instances.
    Uid {
        key: Key,
    },
    /// Of an attribute that names something else. Nobody remembers what it was, and on its way back it is the sender's own.
    OtherUid {
        key: Key,
    },
    /// `replace` and `set` with facts in the value.
    Template(Template),
    /// Writes the value where the element is absent, and keeps it where it is present.
    Default(Box<str>),
    /// A value of the VR that says nothing.
    Dummy,
    /// Dates and times by the patient's days; what cannot be read becomes a dummy.
    Shift {
        keep_times: bool,
    },
    /// The offset from UTC stays where times do.
    Offset {
        keep_times: bool,
    },
    /// Ages over 89 become 90.
    CapAge,
    /// Known words stay.
    Clean {
        vocabulary: Vocabulary,
        otherwise: Otherwise,
    },
    /// Values that are [legal](super::fitting) for their VR stay.
    Fit(Otherwise),
    /// The same of UIDs that name kinds of things. What has the standard's root, and is none of those that the standard
    /// registers, becomes another.
    Kind {
        key: Key,
    },
    /// See [`planting`](super::planting).
    Canary,
    Bytes(Box<[u8]>),
    /// A sequence gets these items instead of its own.
    Items(Vec<Item>),
    /// A sequence gets these items behind its own.
    Append(Vec<Item>),
    /// The object is refused.
    Refuse(RewriteProblem),
}

/// What becomes of a value of which nothing is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Otherwise {
    Remove,
    Empty,
    Dummy,
    /// A mark with a number stands for it, since it tells its item from others.
    Mark,
}

impl Action {
    /// New UIDs for those of an attribute.
    pub(super) fn uid(tag: Tag, key: &Key) -> Self {
        let key = key.clone();
        if instances::names_kinds(tag) { Self::OtherUid { key } } else { Self::Uid { key } }
    }

    /// Whether the old value decides on the new one.
    pub(super) fn reads(&self) -> bool {
        match self {
            Self::Template(template) => template.has_pseudonym(),
            Self::Pattern { .. } | Self::Pseudonym { .. } | Self::Uid { .. } | Self::OtherUid { .. } => true,
            Self::Shift { .. } | Self::CapAge | Self::Clean { .. } | Self::Canary => true,
            Self::Fit(_) | Self::Kind { .. } | Self::Offset { .. } => true,
            _ => false,
        }
    }

    /// Whether an element that is there stays as it is, where what it holds suits its VR.
    pub(super) fn keeps(&self) -> bool {
        matches!(self, Self::Keep | Self::Default(_) | Self::Fit(_) | Self::Kind { .. })
    }

    /// Whether the character set of a text matters.
    pub(super) fn reads_text(&self) -> bool {
        match self {
            Self::Template(template) => template.has_pseudonym(),
            Self::Pattern { .. } | Self::Pseudonym { .. } | Self::Clean { .. } => true,
            _ => false,
        }
    }

    /// Whether the Patient ID has to be known.
    pub(super) fn needs_patient(&self) -> bool {
        match self {
            Self::Template(template) => template.needs_patient(),
            Self::Shift { .. } => true,
            _ => false,
        }
    }

    /// The kinds under which a pseudonym that it made may be known; none where it makes none.
    pub(super) fn kinds(&self, tag: Tag) -> Vec<Kind> {
        match self {
            Self::Uid { .. } => vec![Kind::Uid],
            Self::Pseudonym { .. } => vec![Kind::Value(tag)],
            Self::Template(template) if template.is_of_value() => vec![Kind::Value(tag)],
            Self::Template(template) if template.has_pseudonym() && tag == PATIENT_ID => {
                vec![Kind::Value(tag), Kind::OfPatient(tag)]
            }
            Self::Template(template) if template.has_pseudonym() => vec![Kind::OfPatient(tag)],
            _ => Vec::new(),
        }
    }
}
