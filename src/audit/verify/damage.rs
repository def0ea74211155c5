//! Where a trail does not hold, in words that lead a person to the place.

use super::super::signing::KeyId;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A line of a file. Lines of closed files count as in the file that they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    #[serde(serialize_with = "as_text")]
    pub file: Arc<Path>,
    /// From 1; 0 for the file as a whole.
    pub line: u64,
}

fn as_text<S: serde::Serializer>(file: &Arc<Path>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&file.display())
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}", self.file.display()),
        }
    }
}

/// One place where the trail was changed, or does not go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Break {
    #[serde(flatten)]
    pub place: Place,
    /// The number of the record that stands there or should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    #[serde(flatten)]
    pub damage: Damage,
}

/// What is wrong at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "damage", rename_all = "kebab-case")]
pub enum Damage {
    /// The line is not the one whose hash the line after it names.
    Edited,
    /// As [`Edited`](Self::Edited), and the line does not name the hash of the one before it either.
    EditedHereOrBefore,
    /// Another record stands in the place of the one that the lines around it tell of.
    Replaced { says: u64 },
    /// The line before is the one that it names, and its number does not come next.
    Renumbered { expected: u64 },
    /// Not in the form of a record.
    NotARecord,
    /// Records are not there, between this line and the one before.
    Missing { from: u64, to: u64 },
    /// Records that are missing elsewhere stand here.
    Moved { from: u64, to: u64 },
    /// Records that are there already, or never were, stand here.
    Foreign { from: u64, to: u64 },
    /// The chain begins anew, with 1.
    BeginsAnew,
    /// A checkpoint whose signature does not fit.
    WrongSignature,
    /// A checkpoint of a key that was not given.
    OtherKey { key: String },
    /// The last line of a file that is over has no line feed.
    CutOff,
    /// The file cannot be read on.
    Unreadable { error: String },
    /// No checkpoint was signed by a key that was given.
    NotSigned { keys: Vec<String> },
}

impl Damage {
    pub(super) fn not_signed<'a>(keys: impl Iterator<Item = &'a KeyId>) -> Self {
        Self::NotSigned { keys: keys.map(ToString::to_string).collect() }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(sequence) = self.sequence {
            write!(f, "record {sequence}: ")?;
        }
        write!(f, "{}", self.damage)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Edited => write!(f, "edited: the line after it names another SHA-256"),
            Self::EditedHereOrBefore => {
                write!(
                    f,
                    "edited, and perhaps the line before it: their SHA-256 are not those that are named"
                )
            }
            Self::Replaced { says } => {
                write!(f, "replaced: the line that stands here says that it is record {says}")
            }
            Self::Renumbered { expected } => {
                write!(f, "renumbered: it follows record {}", expected.saturating_sub(1))
            }
            Self::NotARecord => write!(f, "not a record: edited, torn apart or put in"),
            Self::Missing { from, to } => write!(f, "cut: {} missing before it", records(*from, *to)),
            Self::Moved { from, to } => write!(f, "reordered: {} out of place", records(*from, *to)),
            Self::Foreign { from, to } => {
                write!(f, "put in: {} that do not belong here", numbers(*from, *to))
            }
            Self::BeginsAnew => write!(f, "the chain begins anew; what was before is not followed by it"),
            Self::WrongSignature => write!(f, "forged: the signature of this checkpoint does not fit"),
            Self::OtherKey { key } => write!(f, "signed by key {key}, whose public key was not given"),
            Self::CutOff => write!(f, "cut: the last line of the file has no line feed"),
            Self::Unreadable { error } => write!(f, "cannot be read on: {error}"),
            Self::NotSigned { keys } => {
                write!(f, "no checkpoint of the trail is signed by key {}", keys.join(" or "))
            }
        }
    }
}

fn records(from: u64, to: u64) -> String {
    match from == to {
        true => format!("record {from} is"),
        false => format!("records {from} to {to} are"),
    }
}

fn numbers(from: u64, to: u64) -> String {
    match from == to {
        true => format!("a line with the number {from}"),
        false => format!("lines with the numbers {from} to {to}"),
    }
}
