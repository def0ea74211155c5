//! Where a trail does not hold, in words that lead a person to the place.

use super::super::signing::KeyId;
use crate::vocabulary::HeadFound;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// A line of a file. Lines of closed files count as in the file that they were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Path of the file.
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
    /// Where it is.
    #[serde(flatten)]
    pub place: Place,
    /// The number of the record that stands there or should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// What is wrong there.
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
    Replaced {
        /// The number that the line has.
        says: u64,
    },
    /// The line before is the one that it names, and its number does not come next.
    Renumbered {
        /// The number that would.
        expected: u64,
    },
    /// Not in the form of a record.
    NotARecord,
    /// Records are not there, between this line and the one before.
    Missing {
        /// The number of the first.
        from: u64,
        /// The number of the last.
        to: u64,
    },
    /// Records that are missing elsewhere stand here.
    Moved {
        /// The number of the first.
        from: u64,
        /// The number of the last.
        to: u64,
    },
    /// Records that are there already, or never were, stand here.
    Foreign {
        /// The number that the first has.
        from: u64,
        /// The number that the last has.
        to: u64,
    },
    /// The chain begins anew, with 1.
    BeginsAnew,
    /// A checkpoint whose signature does not fit.
    WrongSignature,
    /// A checkpoint of a key that was not given.
    OtherKey {
        /// The key that it names, by its digest.
        key: String,
    },
    /// The last line of a file that is over has no line feed.
    CutOff,
    /// The file cannot be read on.
    Unreadable {
        /// What the system says.
        error: String,
    },
    /// No checkpoint was signed by a key that was given.
    NotSigned {
        /// The keys that were given, by their digests.
        keys: Vec<String>,
    },
    /// Behind the end of a run in good order, a record that nobody signed.
    Appended,
    /// No record at all.
    Empty,
    /// The head of the trail is not kept beside it.
    NoHead,
    /// What should be the head of the trail is none, or not signed by whom it says.
    ForgedHead {
        /// What is wrong with it.
        error: String,
    },
    /// The trail ends before a record that was known: that of a head.
    CutBefore {
        /// The number that the head has.
        known: u64,
        /// The number of the last record that is there.
        last: u64,
    },
    /// A record that was known, that of a head, is not there, or another stands in its place.
    NotAsKnown {
        /// Its number.
        known: u64,
    },
    /// What a run found when it began, as its first record says.
    FoundBy {
        /// How the trail was, against the head that was kept.
        head: HeadFound,
        /// The number that this head had, where it could be read.
        known: Option<u64>,
    },
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
            Self::Appended => {
                write!(f, "put in: a run ended in good order before it, and nobody signed what follows")
            }
            Self::Empty => write!(f, "emptied: there is not one record"),
            Self::NoHead => write!(
                f,
                "not there: nobody knows how long the trail was; copy it with the records, before them"
            ),
            Self::ForgedHead { error } => write!(f, "forged: {error}"),
            Self::CutBefore { known, last } => {
                write!(f, "cut: record {known} was there, and the trail ends with record {last}")
            }
            Self::NotAsKnown { known } => {
                write!(f, "cut or written anew: record {known} is not there as it was")
            }
            Self::FoundBy { head, known } => found_by(f, *head, *known),
        }
    }
}

fn found_by(f: &mut fmt::Formatter<'_>, head: HeadFound, known: Option<u64>) -> fmt::Result {
    let known = known.unwrap_or_default();
    write!(f, "the run that begins here found ")?;
    match head {
        HeadFound::New | HeadFound::Fits | HeadFound::NotCompared => write!(f, "the trail as it was"),
        HeadFound::Missing => write!(f, "no audit.head: nobody knows how many records had been there"),
        HeadFound::Forged => write!(f, "an audit.head that was forged or damaged"),
        HeadFound::OtherKey => {
            write!(f, "an audit.head that another key had signed, which it could not check")
        }
        HeadFound::Cut => write!(f, "the trail cut: record {known} had been there"),
        HeadFound::Differs => write!(f, "another record in the place of record {known}"),
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
