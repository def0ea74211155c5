//! What a query or retrieval of a peer with a scope was granted, for those that come after it: its answers, and the objects that it
//! brings.

use crate::dataset::Tag;

/// How far a request was let through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granted {
    pub by: By,
    /// Keys that were added to the request: nobody asked for them, so no answer carries them back.
    pub added: Vec<Tag>,
    /// Answers that went nowhere.
    pub withheld: u64,
}

/// By what its answers are judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// What each says of itself.
    Themselves,
    /// That, and that they are of patients with this issuer: it was not asked by, since some archives say again what they are told.
    OfIssuer(Vec<u8>),
    /// What each says of itself, and then what the upstream says of its study when nobody tells it what would be believed.
    TheirStudies,
    /// It has none with a data set: what the request names is all that there is.
    Names,
    /// They are of one of these studies, which are within the scope.
    Studies(Vec<String>),
}

impl Granted {
    pub(crate) fn new(by: By, added: Vec<Tag>) -> Self {
        Self { by, added, withheld: 0 }
    }

    /// Whether the study is one of those that were looked up.
    pub(crate) fn names(&self, study: &[u8]) -> bool {
        matches!(&self.by, By::Studies(studies) if studies.iter().any(|known| known.as_bytes() == study))
    }
}
