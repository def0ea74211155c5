//! A-ASSOCIATE-RQ and A-ASSOCIATE-AC (PS3.8 §9.3.2 and §9.3.3, user information in PS3.7 Annex D.3.3).
//!
//! Known items are decoded strictly and encoded anew, so that two readers can never see two requests. User-information
//! sub-items that dimsegate does not know travel as opaque bytes; unknown top-level items are ignored (PS3.8 §9.3.1).

mod decode;
mod encode;
mod items;
#[cfg(test)]
mod tests;
mod user_information;

use zeroize::Zeroizing;

use super::{RawAeTitle, Uid};

/// The only application context of DICOM (PS3.7 Annex A.2.1).
pub const APPLICATION_CONTEXT: &str = "1.2.840.10008.3.1.1.1";

/// What a requestor proposes, or what dimsegate proposes upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociateRq {
    /// Bit mask; only bit 0 is tested (PS3.8 Table 9-11).
    pub protocol_version: u16,
    /// Who shall answer, as the requestor names it: 16 bytes, before it is judged.
    pub called: RawAeTitle,
    /// Who asks, as it names itself: 16 bytes, before it is judged.
    pub calling: RawAeTitle,
    /// Bytes 43 to 74, carried as they came and copied into the answer.
    pub reserved: [u8; 32],
    /// The UID of the application context item, before it is judged.
    pub application_context: Uid,
    /// In the order of the request; IDs odd and unique.
    pub contexts: Vec<ProposedContext>,
    /// The user information item (50H), without which a request is malformed.
    pub user: UserInformation,
}

/// One proposed presentation context (PS3.8 §9.3.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedContext {
    /// Odd, 1 to 255.
    pub id: u8,
    /// The SOP class, or another abstract syntax; whether anybody supports it is not known yet.
    pub abstract_syntax: Uid,
    /// At least one, in the requestor's order.
    pub transfer_syntaxes: Vec<Uid>,
}

/// The acceptor's yes: A-ASSOCIATE-AC (PS3.8 §9.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssociateAc {
    /// Bit mask, bit 0 is version 1. Not tested in an answer.
    pub protocol_version: u16,
    /// As received in the request; "shall not be tested" (PS3.8 Table 9-17).
    pub called: RawAeTitle,
    /// As `called`.
    pub calling: RawAeTitle,
    /// Bytes 43 to 74, those of the request again.
    pub reserved: [u8; 32],
    /// The acceptor's application context, before it is judged.
    pub application_context: Uid,
    /// At most one for each proposed context, in the order of the answer; IDs unique.
    pub contexts: Vec<AnsweredContext>,
    /// The acceptor's side of what is negotiated.
    pub user: UserInformation,
}

/// The answer to one proposed presentation context (PS3.8 §9.3.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnsweredContext {
    /// The ID of the proposed context that is answered.
    pub id: u8,
    /// Accepted, or who says no and why.
    pub result: ContextResult,
    /// Significant, and present, only when the context was accepted.
    pub transfer_syntax: Option<Uid>,
}

/// Result/reason of a presentation context (PS3.8 Table 9-18).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextResult {
    /// 0: accepted, with one transfer syntax.
    Acceptance,
    /// 1: the user, that is the application, does not want it.
    UserRejection,
    /// 2: the provider says no, without a reason.
    NoReason,
    /// 3: the provider does not support the abstract syntax.
    AbstractSyntaxNotSupported,
    /// 4: the provider supports the abstract syntax, and none of the transfer syntaxes.
    TransferSyntaxesNotSupported,
}

impl ContextResult {
    /// The byte on the wire.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The result of a byte on the wire, `None` for a value that PS3.8 does not define.
    pub fn from_code(code: u8) -> Option<Self> {
        use ContextResult::*;
        [Acceptance, UserRejection, NoReason, AbstractSyntaxNotSupported, TransferSyntaxesNotSupported]
            .get(usize::from(code))
            .copied()
    }
}

/// The user information item (PS3.7 Annex D.3.3). Lists keep the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct UserInformation {
    /// 51H: the longest P-DATA-TF PDU body that the sender will receive; 0 is unlimited; absent is `None`.
    pub maximum_length: Option<u32>,
    /// 52H.
    pub implementation_class_uid: Option<Uid>,
    /// 55H, 1 to 16 characters as they came.
    pub implementation_version_name: Option<Vec<u8>>,
    /// 53H.
    pub asynchronous_operations_window: Option<AsynchronousOperationsWindow>,
    /// 54H.
    pub roles: Vec<RoleSelection>,
    /// 56H.
    pub extended_negotiations: Vec<ExtendedNegotiation>,
    /// 57H, requests only.
    pub common_extended_negotiations: Vec<CommonExtendedNegotiation>,
    /// 58H, requests only.
    pub user_identity: Option<UserIdentity>,
    /// 59H, answers only: the server response.
    pub user_identity_response: Option<Vec<u8>>,
    /// Sub-items of any other type.
    pub opaque: Vec<OpaqueItem>,
}

/// 53H (PS3.7 D.3.3.3); 0 is unlimited, absent means 1 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsynchronousOperationsWindow {
    /// How many operations the requestor may invoke before the first is answered.
    pub invoked: u16,
    /// How many the requestor may perform at once, that is, the acceptor invoke.
    pub performed: u16,
}

/// SCP/SCU Role Selection, sub-item 54H (PS3.7 D.3.3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleSelection {
    /// The SOP class that the roles are for; unique in the list.
    pub sop_class: Uid,
    /// SCU-role of the association's requestor: in a request 1 proposes it, in an answer 1 accepts it, 0 does not. As
    /// sent.
    pub scu: u8,
    /// SCP-role of the association's requestor, in the same way.
    pub scp: u8,
}

/// 56H (PS3.7 D.3.3.5): service class application information is opaque.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtendedNegotiation {
    /// The SOP class that the information is for; unique in the list.
    pub sop_class: Uid,
    /// Service-class-application-information, whose meaning the service class defines; carried as it came.
    pub information: Vec<u8>,
}

/// SOP Class Common Extended Negotiation, sub-item 57H (PS3.7 D.3.3.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonExtendedNegotiation {
    /// Byte 2 of the item, 0 in every edition so far.
    pub version: u8,
    /// The SOP class that is explained; unique in the list.
    pub sop_class: Uid,
    /// The service class that it belongs to.
    pub service_class: Uid,
    /// SOP classes that it is a special case of, most often none.
    pub related_general_sop_classes: Vec<Uid>,
}

/// 58H (PS3.7 D.3.3.7). Secret: `Debug` shows the kind and the lengths only, and the fields are overwritten when it goes.
#[derive(Clone, PartialEq, Eq)]
pub struct UserIdentity {
    /// 1 user name, 2 user name and passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token.
    pub kind: u8,
    /// Whether the requestor wants a 59H when its identity was accepted.
    pub positive_response_requested: bool,
    /// The primary field: a user name (types 1 and 2); else a ticket, an assertion or a token, as secret as a passcode.
    pub primary: Zeroizing<Vec<u8>>,
    /// The secondary field: the passcode of type 2; empty for the other types.
    pub secondary: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for UserIdentity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserIdentity(type {}, {} + {} bytes)", self.kind, self.primary.len(), self.secondary.len())
    }
}

/// A sub-item that dimsegate does not know: type, reserved byte and value as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpaqueItem {
    /// Byte 1 of the sub-item. 57H to 59H are here too, in a PDU in which they do not belong.
    pub item_type: u8,
    /// Byte 2, carried as it came.
    pub reserved: u8,
    /// What follows the length field.
    pub value: Vec<u8>,
}
