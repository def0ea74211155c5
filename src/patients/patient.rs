//! One patient, and whose list they are on.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

/// A patient, by a hash: nobody is kept in clear, in memory neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Patient([u8; 32]);

/// Whose patients are counted: a peer's, or those of a user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// A `[[peer]]`.
    Peer(Arc<str>),
    /// A user who is proven.
    User(Arc<str>),
}

impl Patient {
    /// By what an upstream says of a patient or a study; values without padding. `None`: it says too little to tell one from another.
    pub fn of(
        upstream: &str,
        id: Option<&[u8]>,
        issuer: Option<&[u8]>,
        study: Option<&[u8]>,
    ) -> Option<Self> {
        let filled = |value: Option<&'_ [u8]>| value.filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
        Some(match (filled(id), filled(issuer), filled(study)) {
            (Some(id), Some(issuer), _) => Self::hash(b"issuer", &issuer, &id),
            (Some(id), None, _) => Self::hash(b"upstream", upstream.as_bytes(), &id),
            (None, _, Some(study)) => Self::hash(b"study", upstream.as_bytes(), &study),
            (None, _, None) => return None,
        })
    }

    fn hash(kind: &[u8], whose: &[u8], value: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in [kind, whose, value] {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        Self(context.finish().as_ref().first_chunk().copied().unwrap_or_default())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Name {
    /// No name of a peer is that of a user.
    pub(super) fn parts(&self) -> [&[u8]; 2] {
        match self {
            Self::Peer(name) => [b"peer", name.as_bytes()],
            Self::User(name) => [b"user", name.as_bytes()],
        }
    }
}
