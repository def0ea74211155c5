//! By what an open association was let in, so that it can be asked about again.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::Settings;
use crate::identity::Certificate;
use crate::policy::{Factor, Peer, ProvenUser, Rights, TlsVersion};

/// By what an open association was let in.
pub(crate) struct Right {
    /// In force when it was asked for, and for it as long as it lasts.
    pub settings: Arc<Settings>,
    /// The peer that decided; its rewrite applies.
    pub peer: Arc<Peer>,
    /// What peer and user may do together, for as long as it lasts.
    pub rights: Rights,
    /// What the requestor proved.
    pub proof: Proof,
    /// What they may do by the rules of when it was last asked: the hours of these roles count.
    pub decided: ArcSwap<Rights>,
}

/// What a requestor proved, and what is not asked for again.
#[derive(Default)]
pub(crate) struct Proof {
    /// Its own; `None` over plain TCP.
    pub tls: Option<TlsVersion>,
    /// Who vouches for its certificate.
    pub authorities: Vec<Arc<Certificate>>,
    /// Whom it proved to be.
    pub user: Option<Arc<ProvenUser>>,
}

impl Proof {
    /// Where the user is one of the file, who counts as the file has them now.
    pub(crate) fn user_of_file(&self) -> Option<&Arc<ProvenUser>> {
        self.user.as_ref().filter(|user| user.factors.contains(Factor::Passcode))
    }
}

impl Right {
    pub(crate) fn new(settings: Arc<Settings>, peer: Arc<Peer>, rights: Rights, proof: Proof) -> Self {
        Self { settings, decided: ArcSwap::from_pointee(rights.clone()), peer, rights, proof }
    }
}
