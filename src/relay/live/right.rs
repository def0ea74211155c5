//! By what an open association was let in, so that it can be asked about again.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::Settings;
use crate::identity::Certificate;
use crate::policy::{Peer, TlsVersion};

/// By what an open association was let in.
pub(crate) struct Right {
    /// In force when it was asked for, and for it as long as it lasts.
    pub settings: Arc<Settings>,
    /// The peer that decided; its role and rewrite apply.
    pub peer: Arc<Peer>,
    /// The requestor's; `None` over plain TCP.
    pub tls: Option<TlsVersion>,
    /// Who vouches for its certificate.
    pub authorities: Vec<Arc<Certificate>>,
    /// The peer that decided when it was last asked: its role has the hours that count.
    pub decided: ArcSwap<Peer>,
}

impl Right {
    pub(crate) fn new(
        settings: Arc<Settings>,
        peer: Arc<Peer>,
        tls: Option<TlsVersion>,
        authorities: Vec<Arc<Certificate>>,
    ) -> Self {
        Self { settings, decided: ArcSwap::new(peer.clone()), peer, tls, authorities }
    }
}
