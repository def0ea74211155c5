//! What a decision is made from.

use std::net::IpAddr;
use std::sync::Arc;

use time::OffsetDateTime;

use super::TlsVersion;
use super::block::Blocks;
use super::proven::ProvenUser;
use crate::identity::Certificate;
use crate::wire::RawAeTitle;
use crate::wire::associate::ProposedContext;

/// What is known when the A-ASSOCIATE-RQ has been read.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Name of the listener that it came in by.
    pub listener: &'a str,
    /// Of the requestor, behind any load balancer.
    pub address: IpAddr,
    /// What TLS proved, if it proved anything.
    pub certificate: Option<&'a Certificate>,
    /// With which version; `None` over plain TCP.
    pub tls: Option<TlsVersion>,
    /// Who vouches for it: CA certificates of the listener, verified, or the certificate itself where its key is trusted.
    pub authorities: &'a [Arc<Certificate>],
    /// Who has proven to be a user, if anybody has.
    pub user: Option<&'a ProvenUser>,
    /// The calling AE title, as it came (PS3.8 §9.3.2).
    pub calling: &'a RawAeTitle,
    /// The called AE title, as it came.
    pub called: &'a RawAeTitle,
    /// What it proposes, in its order (PS3.8 §9.3.2.2).
    pub contexts: &'a [ProposedContext],
    /// Whom an administrator has shut out.
    pub blocks: &'a Blocks,
    /// When it is asked: blocks end, and roles have hours.
    pub now: OffsetDateTime,
}
