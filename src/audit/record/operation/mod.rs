//! The record of one DIMSE operation.

mod body;

use super::{PatientIdentifier, Query, said};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

pub(super) use body::body;

/// One DIMSE operation, from its request to its last response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Operation {
    /// Id of the association that it belongs to.
    #[serde(serialize_with = "text", deserialize_with = "shared")]
    pub association: Arc<str>,
    /// `C-STORE`, `N-CREATE`, …
    #[serde(deserialize_with = "named")]
    pub operation: Cow<'static, str>,
    /// Message ID of the request (PS3.7 §E.1).
    pub message_id: u16,
    /// Which side invoked it.
    pub direction: Direction,
    /// Id of the `[[agreement]]` by which its data travels; absent where the route needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// Affected or Requested SOP Class UID of the request; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop_class: Option<String>,
    /// Affected or Requested SOP Instance UID as it came; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sop_instance: Option<String>,
    /// The SOP Instance UID that went on instead, where a rewrite changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_sop_instance: Option<String>,
    /// A C-STORE that was refused because its data set names another SOP class than its command: that class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set_sop_class: Option<String>,
    /// As `data_set_sop_class`, for the SOP instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set_sop_instance: Option<String>,
    /// Study Instance UID of the data set as it came, where one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study: Option<String>,
    /// The Study Instance UID that went on instead, where a rewrite changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_study: Option<String>,
    /// Elements of the request's data set that the rewrite of the peer changed, removed or added. Absent where none was
    /// applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewritten: Option<u64>,
    /// Which of the UIDs are those of the patients' side. Not in the record: it decides what is written of them.
    #[serde(skip)]
    pub originals: Originals,
    /// The Patient ID, as `patient-identifiers` has it recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<PatientIdentifier>,
    /// C-FIND, C-MOVE and C-GET, where the identifier could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Box<Query>>,
    /// C-MOVE only: the AE title that the objects are to be sent to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_destination: Option<String>,
    /// Of the last response, written `0x0000`; absent where none came.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "hexadecimal",
        deserialize_with = "from_hexadecimal"
    )]
    pub status: Option<u16>,
    /// Of the data sets, both directions.
    pub bytes: u64,
    /// Milliseconds from the request to the last response.
    pub duration_ms: u64,
    /// A stable label, where dimsegate itself refused or failed the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Cow<'static, str>>,
    /// What is wrong with a message that could not be rewritten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Box<Fault>>,
    /// Stable labels of what its messages had that the standard does not allow, and that was read all the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tolerated: Vec<Cow<'static, str>>,
    /// Answers to a query that were not passed on, since they are outside of the peer's scope. Absent where none were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withheld: Option<u64>,
    /// How many refused operations or C-ECHOs the record stands for, where they were gathered; the rest of it is about the
    /// last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Where a message could not be rewritten, and why. Never a byte of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Fault {
    /// By its tag, with the sequences around it, items counted from 1: `(0040,0275)[1].(0040,0009)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<String>,
    /// Bytes of the data set before it, where its structure is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// What is wrong, for people.
    pub problem: Cow<'static, str>,
    /// What would have been right, where one thing would.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Cow<'static, str>>,
}

impl Fault {
    /// Of a message of which no element is at fault.
    pub fn of(problem: impl Into<Cow<'static, str>>) -> Self {
        Self { element: None, offset: None, problem: problem.into(), expected: None }
    }

    fn weight(&self) -> usize {
        let expected = self.expected.as_ref().map_or(0, |text| text.len());
        self.element.as_ref().map_or(0, String::len) + self.problem.len() + expected
    }
}

impl Operation {
    /// An operation of which nothing but this is known: no SOP class, no status, no byte, no time taken.
    pub fn new(
        association: Arc<str>,
        operation: impl Into<Cow<'static, str>>,
        message_id: u16,
        direction: Direction,
    ) -> Self {
        Self {
            association,
            operation: operation.into(),
            message_id,
            direction,
            agreement: None,
            sop_class: None,
            sop_instance: None,
            new_sop_instance: None,
            data_set_sop_class: None,
            data_set_sop_instance: None,
            study: None,
            new_study: None,
            rewritten: None,
            originals: Originals::default(),
            patient: None,
            query: None,
            move_destination: None,
            status: None,
            bytes: 0,
            duration_ms: 0,
            reason: None,
            fault: None,
            tolerated: Vec::new(),
            withheld: None,
            count: None,
        }
    }

    /// The status of its last response as records write it.
    pub fn status_text(&self) -> Option<String> {
        self.status.map(|status| format!("0x{status:04X}"))
    }

    /// As the record of this many, of which this is the last: without what is true of that one alone.
    pub(super) fn gathered(self, count: u64) -> Self {
        Self {
            sop_class: self.sop_class,
            status: self.status,
            duration_ms: self.duration_ms,
            reason: self.reason,
            rewritten: self.rewritten,
            tolerated: self.tolerated,
            agreement: self.agreement,
            count: Some(count),
            ..Self::new(self.association, self.operation, self.message_id, self.direction)
        }
    }

    /// Bytes of its strings that have no bound of their own.
    pub(super) fn text(&self) -> usize {
        let strings = [
            &self.sop_class,
            &self.sop_instance,
            &self.new_sop_instance,
            &self.data_set_sop_class,
            &self.data_set_sop_instance,
            &self.study,
            &self.new_study,
            &self.move_destination,
            &self.agreement,
        ];
        let text = strings.into_iter().flatten().map(String::len).fold(0, usize::saturating_add);
        let query = self.query.as_ref().map_or(0, |query| query.weight());
        let tolerated = self.tolerated.iter().map(|label| label.len()).fold(0, usize::saturating_add);
        let text = text.saturating_add(tolerated);
        let query = query.saturating_add(self.fault.as_ref().map_or(0, |fault| fault.weight()));
        text.saturating_add(self.patient.as_ref().map_or(0, PatientIdentifier::len)).saturating_add(query)
    }
}

impl Default for Operation {
    fn default() -> Self {
        Self::new("".into(), "", 0, Direction::default())
    }
}

/// Which UIDs of an operation are originals: with what stands for them beside them, records would be a table that leads back
/// to patients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Originals {
    /// Nothing stands for anything.
    #[default]
    Nowhere,
    /// As it came: it was rewritten.
    Came,
    /// As it went: what came was pseudonyms.
    Went,
}

/// Which side invoked an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// The requestor: it asks the upstream for something.
    #[default]
    FromPeer,
    /// The upstream, such as a C-STORE within a C-GET (PS3.4 §C.4.3).
    ToPeer,
}

impl Direction {
    /// As records have it.
    pub fn label(self) -> &'static str {
        match self {
            Self::FromPeer => "from-peer",
            Self::ToPeer => "to-peer",
        }
    }
}

fn text<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

fn shared<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<str>, D::Error> {
    said::text(deserializer, |text| Arc::from(text))
}

/// Without a copy of the few names that nearly all of them have.
fn named<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'static, str>, D::Error> {
    const FREQUENT: [&str; 5] = ["C-STORE", "C-FIND", "C-MOVE", "C-GET", "C-ECHO"];
    said::text(deserializer, |text| match FREQUENT.into_iter().find(|name| *name == text) {
        Some(name) => name.into(),
        None => text.to_owned().into(),
    })
}

/// What is no status is none.
fn from_hexadecimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u16>, D::Error> {
    said::text(deserializer, |text| u16::from_str_radix(text.strip_prefix("0x")?, 16).ok())
}

fn hexadecimal<S: Serializer>(status: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    match status {
        Some(status) => serializer.collect_str(&format_args!("0x{status:04X}")),
        None => serializer.serialize_none(),
    }
}
