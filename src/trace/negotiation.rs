//! What an A-ASSOCIATE-RQ proposes and an A-ASSOCIATE-AC answers (PS3.8 §9.3.2 and §9.3.3, PS3.7 Annex D.3.3). Of a user identity
//! no more than its type.

use serde::Serialize;

use crate::wire::associate::{AnsweredContext, AssociateAc, AssociateRq, ProposedContext, UserInformation};
use crate::wire::escape;
use crate::wire::pdu::PduType;

/// Transfer syntaxes of a context, and sub-items of a kind, that are shown.
const MOST: usize = 32;

/// What an A-ASSOCIATE-RQ or -AC says. A field that could not be read is empty, and `malformed` says why.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Associate {
    pdu: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    malformed: Option<String>,
    called_ae_title: String,
    calling_ae_title: String,
    application_context: String,
    /// 0 is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    maximum_length: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    implementation_class_uid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    implementation_version_name: Option<String>,
    /// Operations invoked, and performed.
    #[serde(skip_serializing_if = "Option::is_none")]
    asynchronous_operations_window: Option<[u16; 2]>,
    contexts: Vec<Context>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<Role>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extended_negotiations: Vec<Extended>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity: Option<Identity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_identity_response_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_items: Vec<Other>,
}

/// A presentation context, proposed or answered.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Context {
    id: u8,
    /// Of a proposal.
    #[serde(skip_serializing_if = "Option::is_none")]
    abstract_syntax: Option<String>,
    /// Of an answer, with its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    transfer_syntaxes: Vec<String>,
    /// So many more were proposed.
    #[serde(skip_serializing_if = "is_none")]
    more_transfer_syntaxes: usize,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Role {
    sop_class: String,
    scu: u8,
    scp: u8,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Extended {
    sop_class: String,
    bytes: usize,
}

/// PS3.7 D.3.3.7: 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JSON Web Token.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Identity {
    #[serde(rename = "type")]
    kind: u8,
    positive_response_requested: bool,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Other {
    #[serde(rename = "type")]
    kind: String,
    bytes: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Associate {
    /// What the body of a PDU of this type says.
    pub(super) fn of(pdu: PduType, body: &[u8]) -> Self {
        let said = match pdu {
            PduType::AssociateRq => AssociateRq::decode(body).map(|request| Self::request(&request)),
            _ => AssociateAc::decode(body).map(|answer| Self::answer(&answer)),
        };
        let said = said.unwrap_or_else(|malformed| Self::unread(malformed.to_string()));
        Self { pdu: pdu.to_string(), ..said }
    }

    /// One that could not be read, and why.
    pub(super) fn unread(why: String) -> Self {
        Self { malformed: Some(why), ..Self::default() }
    }

    pub(super) fn with_pdu(self, pdu: PduType) -> Self {
        Self { pdu: pdu.to_string(), ..self }
    }

    fn request(request: &AssociateRq) -> Self {
        let contexts = request.contexts.iter().map(Context::proposed).collect();
        Self {
            called_ae_title: request.called.to_string(),
            calling_ae_title: request.calling.to_string(),
            application_context: request.application_context.to_string(),
            contexts,
            ..Self::user(&request.user)
        }
    }

    fn answer(answer: &AssociateAc) -> Self {
        let contexts = answer.contexts.iter().map(Context::answered).collect();
        Self {
            called_ae_title: answer.called.to_string(),
            calling_ae_title: answer.calling.to_string(),
            application_context: answer.application_context.to_string(),
            contexts,
            ..Self::user(&answer.user)
        }
    }

    fn user(user: &UserInformation) -> Self {
        let roles = user.roles.iter().take(MOST).map(|role| {
            let (scu, scp) = (role.scu, role.scp);
            Role { sop_class: role.sop_class.to_string(), scu, scp }
        });
        let extended = user.extended_negotiations.iter().take(MOST).map(|extended| Extended {
            sop_class: extended.sop_class.to_string(),
            bytes: extended.information.len(),
        });
        let other = user.opaque.iter().take(MOST).map(|item| {
            let bytes = item.value.len();
            Other { kind: format!("{:02X}H", item.item_type), bytes }
        });
        let window = user.asynchronous_operations_window;
        Self {
            maximum_length: user.maximum_length,
            implementation_class_uid: user.implementation_class_uid.as_ref().map(ToString::to_string),
            implementation_version_name: user.implementation_version_name.as_deref().map(escape),
            asynchronous_operations_window: window.map(|window| [window.invoked, window.performed]),
            roles: roles.collect(),
            extended_negotiations: extended.collect(),
            user_identity: user.user_identity.as_ref().map(|identity| Identity {
                kind: identity.kind,
                positive_response_requested: identity.positive_response_requested,
            }),
            user_identity_response_bytes: user.user_identity_response.as_ref().map(Vec::len),
            other_items: other.collect(),
            ..Self::default()
        }
    }
}

impl Context {
    fn proposed(context: &ProposedContext) -> Self {
        let syntaxes = &context.transfer_syntaxes;
        Self {
            id: context.id,
            abstract_syntax: Some(context.abstract_syntax.to_string()),
            result: None,
            transfer_syntaxes: syntaxes.iter().take(MOST).map(ToString::to_string).collect(),
            more_transfer_syntaxes: syntaxes.len().saturating_sub(MOST),
        }
    }

    fn answered(context: &AnsweredContext) -> Self {
        Self {
            id: context.id,
            abstract_syntax: None,
            result: Some(context.result.to_string()),
            transfer_syntaxes: context.transfer_syntax.iter().map(ToString::to_string).collect(),
            more_transfer_syntaxes: 0,
        }
    }
}
