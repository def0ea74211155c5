//! An audit message (PS3.15 A.5.1), before it is written in some syntax.

use super::codes::{self, Code};
use time::OffsetDateTime;
use time::macros::format_description;

/// What happened, who took part, and what it was done to. Strings may hold anything: the writers clean and escape them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// When it happened: EventDateTime.
    pub time: OffsetDateTime,
    /// Of the record that gave rise to the message.
    pub sequence: u64,
    /// EventID (PS3.16 CID 400).
    pub event: Code,
    /// EventTypeCode (PS3.16 CID 401), where the event has types.
    pub kind: Option<Code>,
    /// What was done: EventActionCode.
    pub action: Action,
    /// How it turned out: EventOutcomeIndicator.
    pub outcome: Outcome,
    /// EventOutcomeDescription: why it failed, for people.
    pub outcome_description: Option<String>,
    /// At least one; at most one of them is the requestor (A.5.2).
    pub participants: Vec<Participant>,
    /// ParticipantObjectIdentification, each: what it was done to, perhaps nothing.
    pub objects: Vec<Object>,
}

impl Message {
    /// UTC with microseconds, as XML Schema, RFC 5424 and FHIR all take it.
    pub fn timestamp(&self) -> String {
        let format =
            format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]Z");
        self.time.to_offset(time::UtcOffset::UTC).format(&format).unwrap_or_default()
    }
}

/// EventActionCode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something came to be.
    Create,
    /// Something was read or printed.
    Read,
    /// Something was changed.
    Update,
    /// Something was removed.
    Delete,
    /// A function was called, such as a login or a query.
    Execute,
}

impl Action {
    /// Its letter (PS3.15 A.5.2.1, from RFC 3881 §5.1.2).
    pub fn code(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Delete => "D",
            Self::Execute => "E",
        }
    }
}

/// EventOutcomeIndicator. The standard's fourth, 12, is for what made dimsegate itself unavailable: it cannot tell then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// It was done.
    Success,
    /// Refused or mitigated.
    MinorFailure,
    /// The action ended.
    SeriousFailure,
}

impl Outcome {
    /// Its number (RFC 3881 §5.1.4).
    pub fn code(self) -> &'static str {
        match self {
            Self::Success => "0",
            Self::MinorFailure => "4",
            Self::SeriousFailure => "8",
        }
    }
}

/// ActiveParticipant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Participant {
    /// UserID: an AE title, an account, a process, or an address where nothing else is known.
    pub user: String,
    /// Go into AlternativeUserID as `AETITLES= A;B` (A.5.2).
    pub ae_titles: Vec<String>,
    /// UserName, for people.
    pub name: Option<String>,
    /// UserIsRequestor: whether the event began with it.
    pub requestor: bool,
    /// RoleIDCode (PS3.16 CID 402).
    pub role: Option<Code>,
    /// Where it is on the network.
    pub network: Option<Network>,
}

/// NetworkAccessPointID and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// Type 1: a machine by its DNS name.
    Name(String),
    /// Type 2: an IP address.
    Address(String),
}

impl Network {
    /// An IP address where the text is one, else a name.
    pub fn of(host: &str) -> Self {
        match host.parse::<std::net::IpAddr>() {
            Ok(address) => Self::Address(address.to_string()),
            Err(_) => Self::Name(host.to_owned()),
        }
    }

    /// NetworkAccessPointTypeCode and NetworkAccessPointID.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Name(name) => ("1", name),
            Self::Address(address) => ("2", address),
        }
    }
}

/// ParticipantObjectIdentification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// ParticipantObjectID.
    pub id: String,
    /// ParticipantObjectIDTypeCode (PS3.16 CID 404, RFC 3881 §5.5.4): what kind of id that is.
    pub id_type: Code,
    /// ParticipantObjectTypeCode: 1 person, 2 system object.
    pub type_code: u8,
    /// ParticipantObjectTypeCodeRole.
    pub role: u8,
    /// ParticipantObjectDataLifeCycle.
    pub life_cycle: Option<u8>,
    /// ParticipantObjectName.
    pub name: String,
    /// ParticipantObjectQuery in base64, which takes the place of the name.
    pub query: Option<String>,
    /// Type and value; written as base64.
    pub details: Vec<(&'static str, String)>,
    /// What instances it stands for.
    pub description: Option<Description>,
}

/// ParticipantObjectDescription.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// UID of the procedure step: MPPS.
    pub mpps: Option<String>,
    /// SOP class and number of instances.
    pub sop_classes: Vec<(String, u64)>,
    /// Whether patients cannot be told from the instances any more; absent: unknown.
    pub anonymized: Option<bool>,
}

/// Where a record has no identifier: nothing is recorded, or nothing came.
const NOT_RECORDED: &str = "not-recorded";

impl Object {
    fn system(id: &str, id_type: Code, role: u8, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            id_type,
            type_code: 2,
            role,
            life_cycle: None,
            name: name.to_owned(),
            query: None,
            details: Vec::new(),
            description: None,
        }
    }

    pub(super) fn study(uid: Option<&str>, name: &str) -> Self {
        Self::system(clear(uid).unwrap_or(NOT_RECORDED), codes::STUDY_INSTANCE_UID, 3, name)
    }

    pub(super) fn sop_class(uid: Option<&str>, name: &str) -> Self {
        Self::system(uid.unwrap_or(NOT_RECORDED), codes::SOP_CLASS_UID, 3, name)
    }

    /// A security resource: the subject of an alert, or the audit log.
    pub(super) fn resource(id: &str, id_type: Code, name: &str) -> Self {
        Self::system(id, id_type, 13, name)
    }

    /// The patient, exactly as the record names it. Transfer and access messages have to have one (A.5.3.7).
    pub(super) fn patient(identifier: Option<&str>) -> Self {
        let identifier = identifier.unwrap_or(NOT_RECORDED);
        Self { type_code: 1, role: 1, ..Self::system(identifier, codes::PATIENT_NUMBER, 1, identifier) }
    }

    pub(super) fn with(mut self, kind: &'static str, value: Option<impl Into<String>>) -> Self {
        self.details.extend(value.map(|value| (kind, value.into())));
        self
    }
}

/// A UID that is one: records may have a hash in the place of one that was replaced.
pub(super) fn clear(uid: Option<&str>) -> Option<&str> {
    uid.filter(|uid| uid.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}
