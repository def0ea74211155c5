//! Labels of the vocabulary, which grows from version to version.

use super::said;
use crate::vocabulary::Vocabulary;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A word of the vocabulary, or the label that a writer of another version has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labelled<W> {
    /// One that is known here.
    Word(W),
    /// As it stands in the record; empty where it says nothing.
    Other(String),
}

impl<W: Vocabulary> Labelled<W> {
    /// As records have it.
    pub fn label(&self) -> &str {
        match self {
            Self::Word(word) => word.label(),
            Self::Other(label) => label,
        }
    }

    /// The word, where it is known here.
    pub fn word(&self) -> Option<W> {
        match self {
            Self::Word(word) => Some(*word),
            Self::Other(_) => None,
        }
    }
}

impl<W: Vocabulary> From<W> for Labelled<W> {
    fn from(word: W) -> Self {
        Self::Word(word)
    }
}

impl<W> Default for Labelled<W> {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<W: Vocabulary> Serialize for Labelled<W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

impl<'de, W: Vocabulary> Deserialize<'de> for Labelled<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let of = |label: &str| W::labelled(label).map_or_else(|| Self::Other(label.to_owned()), Self::Word);
        said::text(deserializer, of)
    }
}
