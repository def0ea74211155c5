//! What a requestor asks for.

use super::terms::said_of_itself;
use crate::wire::associate::{APPLICATION_CONTEXT, AssociateRq, ProposedContext, UserInformation};
use crate::wire::{AeTitle, Malformed, Uid, UidError};

/// Presentation context IDs are odd and one byte (PS3.8 §9.3.2.2).
const MOST_CONTEXTS: usize = 128;

/// An association to ask for: who calls whom, and what about.
#[derive(Clone, Debug)]
pub struct Request {
    /// The AE title of who asks.
    pub calling: AeTitle,
    /// The AE title of who shall answer.
    pub called: AeTitle,
    contexts: Vec<ProposedContext>,
    /// Roles, extended negotiations, a user identity. What dimsegate says of itself is put in when it asks.
    pub user: UserInformation,
}

/// Why a presentation context cannot be proposed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproposable {
    /// A syntax is longer than a UID, or has other characters than one.
    #[error("a presentation context of what is no UID: {0}")]
    NotAUid(#[from] UidError),
    /// The acceptor would have nothing to choose from. Names the abstract syntax.
    #[error("presentation context of {0} without a transfer syntax")]
    NoTransferSyntax(String),
    /// There are no more odd numbers in a byte.
    #[error("more than {MOST_CONTEXTS} presentation contexts")]
    TooMany,
}

impl Request {
    /// One without a presentation context, yet.
    pub fn new(calling: AeTitle, called: AeTitle) -> Self {
        Self { calling, called, contexts: Vec::new(), user: UserInformation::default() }
    }

    /// Proposes a presentation context; gives its ID: 1, 3, 5 and so on.
    ///
    /// # Errors
    /// UIDs that are none, no transfer syntax, or the 129th context.
    pub fn propose(&mut self, abstract_syntax: &str, transfer_syntaxes: &[&str]) -> Result<u8, Unproposable> {
        if transfer_syntaxes.is_empty() {
            return Err(Unproposable::NoTransferSyntax(abstract_syntax.to_owned()));
        }
        let id = u8::try_from(self.contexts.len() * 2 + 1).map_err(|_| Unproposable::TooMany)?;
        let transfer_syntaxes = transfer_syntaxes.iter().map(|uid| uid.parse()).collect::<Result<_, _>>()?;
        let abstract_syntax = abstract_syntax.parse()?;
        self.contexts.push(ProposedContext { id, abstract_syntax, transfer_syntaxes });
        Ok(id)
    }

    /// The A-ASSOCIATE-RQ; `max_pdu_length` is what the other side is told.
    ///
    /// # Errors
    /// None that a caller could cause.
    pub fn to_rq(&self, max_pdu_length: u32) -> Result<AssociateRq, Malformed> {
        let application_context: Uid =
            APPLICATION_CONTEXT.parse().map_err(|error: UidError| Malformed::invalid(error.to_string()))?;
        Ok(AssociateRq {
            protocol_version: 1,
            called: self.called.to_raw(),
            calling: self.calling.to_raw(),
            reserved: [0; 32],
            application_context,
            contexts: self.contexts.clone(),
            user: said_of_itself(self.user.clone(), max_pdu_length)?,
        })
    }
}
