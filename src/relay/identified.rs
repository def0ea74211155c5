//! Whom a request names as its user, and what of that is proven (PS3.7 D.3.3.7).

use std::sync::Arc;

use crate::audit;
use crate::identity::printable;
use crate::policy::{Factor, Factors, ProvenUser};
use crate::tokens::Bearer;
use crate::users::{AdminRole, User};

/// Bytes of a name that are kept; a user's name has 64 at the most, that of a token's user as many behind its issuer's.
const LONGEST_NAME: usize = 64;
const LONGEST_OF_TOKEN: usize = 2 * LONGEST_NAME + 1;

/// The user of a request, at a listener that looks at user identities.
#[derive(Clone, Debug)]
pub(crate) enum Identified {
    /// By a name alone, or with a proof that was not accepted. Fit to be shown.
    Claimed(Box<str>),
    Proven(Arc<ProvenUser>),
}

impl Identified {
    /// By the bytes of a request.
    pub(super) fn claimed(name: &[u8]) -> Self {
        Self::Claimed(printable(&String::from_utf8_lossy(name), LONGEST_NAME).into())
    }

    /// By a token that was signed, and is not accepted.
    pub(super) fn named_by_token(user: &str) -> Self {
        Self::Claimed(printable(user, LONGEST_OF_TOKEN).into())
    }

    /// By a token that was accepted. Words of the administration are no roles here.
    pub(super) fn borne(bearer: &Bearer) -> Arc<ProvenUser> {
        let roles = bearer.roles.iter().filter(|role| AdminRole::named(role).is_none());
        Arc::new(ProvenUser {
            name: bearer.user.as_str().into(),
            factors: Factors::default().with(Factor::Token),
            roles: roles.map(|role| role.as_str().into()).collect(),
            peers: Vec::new(),
            ends: bearer.ends,
        })
    }

    /// A user of the file who was let in.
    pub(super) fn proven(user: &User) -> Self {
        Self::Proven(Arc::new(Self::of(user)))
    }

    /// A user of the file, by all that the user has to prove.
    pub(crate) fn of(user: &User) -> ProvenUser {
        let factors = Factors::default().with(Factor::Passcode);
        ProvenUser {
            name: user.name.as_str().into(),
            factors: if user.one_time.is_some() { factors.with(Factor::OneTimeCode) } else { factors },
            roles: user.dimse_roles().map(Into::into).collect(),
            peers: user.peers.iter().map(|peer| peer.as_str().into()).collect(),
            ends: None,
        }
    }

    /// The user that the decision may count on.
    pub(crate) fn as_proven(&self) -> Option<&Arc<ProvenUser>> {
        match self {
            Self::Claimed(_) => None,
            Self::Proven(user) => Some(user),
        }
    }

    /// The name of the user, whether it was proven or only claimed.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Claimed(name) => name,
            Self::Proven(user) => &user.name,
        }
    }

    /// The user as records name one, with what proved it.
    pub(super) fn audited(&self) -> audit::Identified {
        let proven = self.as_proven();
        audit::Identified {
            user: self.name().to_owned(),
            user_identity: if proven.is_some() { "proven" } else { "claimed" }.into(),
            factors: proven
                .map(|user| user.factors.iter().map(|factor| factor.name().into()).collect())
                .unwrap_or_default(),
        }
    }
}
