//! What a check says.

use serde::Serialize;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// There is something to show.
    Found(Found),
    /// There is not.
    Missing(Missing),
    /// It is the organisation's: no machine can show it. Why.
    NotByProxy(&'static str),
}

/// What shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In a sentence.
    pub said: String,
    /// Where the configuration states it.
    pub places: Vec<Place>,
    /// What shows it to whoever may look.
    pub query: Query,
}

/// What is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// In a sentence.
    pub why: String,
    /// What would be evidence, and how it comes about.
    pub remedy: String,
}

/// A key of the configuration or the header of a table, by the names of [`Keys`](crate::config::Keys).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Such as `limits.idle-timeout`.
    pub key: String,
    /// Counted from 1; `None`: the file leaves it out, and its default holds.
    pub line: Option<usize>,
}

/// A command of dimsegate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// `audit search` of the period, with these options and their values.
    Search(Vec<(&'static str, String)>),
    /// `audit verify`.
    Verify,
    /// `audit configurations`.
    Configurations,
    /// `audit certificates`, with the configuration.
    Certificates,
    /// `check` of the configuration.
    Check,
    /// `conformance` of the configuration.
    Conformance,
}

impl Query {
    /// A search for records of some events, their names behind commas.
    pub(super) fn events(events: &str) -> Self {
        Self::Search(vec![("event", events.to_owned())])
    }
}

/// Something is there, which the configuration states in these places.
pub(super) fn found(said: impl Into<String>, places: Vec<Place>, query: Query) -> Finding {
    Finding::Found(Found { said: said.into(), places, query })
}

/// Something is not there.
pub(super) fn missing(why: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Finding::Missing(Missing { why: why.into(), remedy: remedy.into() })
}
