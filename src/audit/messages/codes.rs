//! Coded values (PS3.16 CID 400, 401, 402, 404; RFC 3881 §5.5.4).

/// A code, its coding scheme, and its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The code value, `csd-code`.
    pub code: &'static str,
    /// The coding scheme, `DCM` or `RFC-3881`: `codeSystemName`.
    pub scheme: &'static str,
    /// The code meaning, `originalText`.
    pub meaning: &'static str,
}

const fn dcm(code: &'static str, meaning: &'static str) -> Code {
    Code { code, scheme: "DCM", meaning }
}

const fn rfc3881(code: &'static str, meaning: &'static str) -> Code {
    Code { code, scheme: "RFC-3881", meaning }
}

// CID 400, event identifiers.
pub(super) const APPLICATION_ACTIVITY: Code = dcm("110100", "Application Activity");
pub(super) const AUDIT_LOG_USED: Code = dcm("110101", "Audit Log Used");
pub(super) const BEGIN_TRANSFERRING: Code = dcm("110102", "Begin Transferring DICOM Instances");
pub(super) const INSTANCES_ACCESSED: Code = dcm("110103", "DICOM Instances Accessed");
pub(super) const INSTANCES_TRANSFERRED: Code = dcm("110104", "DICOM Instances Transferred");
pub(super) const NETWORK_ENTRY: Code = dcm("110108", "Network Entry");
pub(super) const PROCEDURE_RECORD: Code = dcm("110111", "Procedure Record");
pub(super) const QUERY: Code = dcm("110112", "Query");
pub(super) const SECURITY_ALERT: Code = dcm("110113", "Security Alert");
pub(super) const USER_AUTHENTICATION: Code = dcm("110114", "User Authentication");

// CID 401, event types.
pub(super) const APPLICATION_START: Code = dcm("110120", "Application Start");
pub(super) const APPLICATION_STOP: Code = dcm("110121", "Application Stop");
pub(super) const LOGIN: Code = dcm("110122", "Login");
pub(super) const LOGOUT: Code = dcm("110123", "Logout");
pub(super) const ATTACH: Code = dcm("110124", "Attach");
pub(super) const DETACH: Code = dcm("110125", "Detach");
pub(super) const NODE_AUTHENTICATION: Code = dcm("110126", "Node Authentication");
pub(super) const SECURITY_CONFIGURATION: Code = dcm("110129", "Security Configuration");
pub(super) const USE_OF_RESTRICTED_FUNCTION: Code = dcm("110132", "Use of Restricted Function");
pub(super) const AUDIT_RECORDING_STOPPED: Code = dcm("110133", "Audit Recording Stopped");
pub(super) const AUDIT_RECORDING_STARTED: Code = dcm("110134", "Audit Recording Started");
pub(super) const ACCESS_CONTROL_DECISION: Code = dcm("110147", "Access Control Decision");

// CID 402, roles of participants.
pub(super) const APPLICATION: Code = dcm("110150", "Application");
pub(super) const DESTINATION: Code = dcm("110152", "Destination Role ID");
pub(super) const SOURCE: Code = dcm("110153", "Source Role ID");

// What identifies a participant object: CID 404 and RFC 3881.
pub(super) const STUDY_INSTANCE_UID: Code = dcm("110180", "Study Instance UID");
pub(super) const SOP_CLASS_UID: Code = dcm("110181", "SOP Class UID");
pub(super) const NODE_ID: Code = dcm("110182", "Node ID");
pub(super) const PATIENT_NUMBER: Code = rfc3881("2", "Patient Number");
pub(super) const URI: Code = rfc3881("12", "URI");
