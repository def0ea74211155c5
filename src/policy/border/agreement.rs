//! What two organisations have agreed on.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;

use super::Country;
use crate::policy::{KeyLines, Operation, Role};

/// `[[agreement]]`: between whom data may travel, on what ground, since and until when, and what of it.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// What records and partners call it.
    pub id: Arc<str>,
    /// Where the configuration defines it, counted from 1.
    pub line: usize,
    /// Where its keys are, those of them that can refuse an association.
    pub keys: KeyLines,
    /// Names of the `[[peer]]`s that it is for; none named: every one that is led to its upstreams.
    pub peers: Vec<Arc<str>>,
    /// Names of the `[[upstream]]`s that it is for; none named: every one that its peers are led to.
    pub upstreams: Vec<Arc<str>>,
    /// Of the other party.
    pub country: Country,
    /// The legal ground that it rests on.
    pub mechanism: Mechanism,
    /// Where its text is: a number, a file, a contract.
    pub reference: Box<str>,
    /// What the data is for.
    pub purpose: Box<str>,
    /// Whom to ask.
    pub contact: Option<Box<str>>,
    /// It holds from this moment on,
    pub from: OffsetDateTime,
    /// and no more at this one.
    pub until: OffsetDateTime,
    /// The operations and SOP classes that it is about.
    pub allows: Arc<Role>,
    /// Name of the `[[rewrite]]` that has to be applied to all that travels; `None` is any or none.
    pub rewrite: Option<Arc<str>>,
    /// Whether patients have to consent: each peer of its routes asks a `[[consent]]` then.
    pub consent: bool,
    /// What to; `None`: to whatever the peer asks for.
    pub consent_scope: Option<Arc<str>>,
}

/// The ground of a transfer to another country (Regulation (EU) 2016/679, Articles 45 to 49, and what other law has like it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// A decision that the country protects data as well (Article 45).
    Adequacy,
    /// Standard contractual clauses (Article 46).
    Scc,
    /// Binding corporate rules (Article 47).
    Bcr,
    /// An exception for a specific situation (Article 49).
    Derogation,
    /// A permission of an authority. It alone opens a route to a blocked country.
    Authorization,
    /// None is needed: both are in one country.
    Domestic,
}

impl Mechanism {
    /// Every one, with the value of `mechanism`.
    pub const ALL: [(&'static str, Self); 6] = [
        ("adequacy", Self::Adequacy),
        ("scc", Self::Scc),
        ("bcr", Self::Bcr),
        ("derogation", Self::Derogation),
        ("authorization", Self::Authorization),
        ("domestic", Self::Domestic),
    ];
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, one)| one == self);
        f.write_str(named.map_or("", |(name, _)| name))
    }
}

/// Why an agreement does not open a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotBegun,
    Ended,
    OtherRewrite,
}

impl Fault {
    /// The key that states it.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::NotBegun => "from",
            Self::Ended => "until",
            Self::OtherRewrite => "rewrite",
        }
    }
}

impl Agreement {
    /// Whether it is about this route, whenever and however.
    pub fn is_about(&self, peer: &str, upstream: &str) -> bool {
        let names = |list: &[Arc<str>], name: &str| list.is_empty() || list.iter().any(|one| **one == *name);
        names(&self.peers, peer) && names(&self.upstreams, upstream)
    }

    /// Whether it holds at a moment.
    pub fn holds(&self, at: OffsetDateTime) -> bool {
        self.from <= at && at < self.until
    }

    /// The same about no other operations than these.
    #[must_use]
    pub fn about_only(&self, is_meant: impl Fn(&Operation) -> bool) -> Self {
        let operations = self.allows.operations.iter().copied().filter(is_meant).collect();
        Self { allows: Arc::new(Role { operations, ..(*self.allows).clone() }), ..self.clone() }
    }

    /// Whether there is a moment at which both hold.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// Why it does not open a route whose peer has this rewrite.
    pub(super) fn fault(&self, rewrite: Option<&str>, at: OffsetDateTime) -> Option<Fault> {
        if at < self.from {
            return Some(Fault::NotBegun);
        }
        if at >= self.until {
            return Some(Fault::Ended);
        }
        let is_applied = self.rewrite.as_deref().is_none_or(|wanted| rewrite == Some(wanted));
        (!is_applied).then_some(Fault::OtherRewrite)
    }
}
