//! Whose tokens count, and what they have to say.

use std::sync::Arc;
use std::time::Duration;

use super::algorithm::Algorithm;
use super::claim::Claim;
use super::keys::Keys;
use super::refused::Refused;

/// The longest `leeway`: clocks that are further apart are to be set. A token that was taken is kept for as long as any
/// leeway may make it good.
pub const MOST_LEEWAY: Duration = Duration::from_secs(600);

/// An `[[issuer]]`: whose tokens count, for whom they have to be made, and where the keys are.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// What records and people call it; no slash is in it.
    pub name: Arc<str>,
    /// What its tokens have in `iss`.
    pub issuer: String,
    /// One of these has to be in `aud`.
    pub audience: Vec<String>,
    /// How its tokens may be signed; at least one.
    pub algorithms: Vec<Algorithm>,
    /// By which keys.
    pub keys: Keys,
    /// How long a token may live.
    pub max_life: Duration,
    /// How far its clock may be from that of the proxy.
    pub leeway: Duration,
    /// What has to be there besides, whatever it says.
    pub required_claims: Vec<Claim>,
    /// Names of `[[role]]`s.
    pub roles_claim: Claim,
    /// Who it is.
    pub name_claim: Claim,
    /// AE titles with which it may be used; `None`: with any.
    pub calling_ae_titles_claim: Option<Claim>,
    /// Whether `cnf` has to name the certificate of the connection (RFC 8705 §3.1).
    pub bound_to_certificate: bool,
    /// What becomes of an open association when its token ends.
    pub at_end: AtEnd,
    /// Where the file defines it, counted from 1.
    pub line: usize,
}

/// `at-end`: what becomes of an open association when its token ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// It goes on.
    #[default]
    Finish,
    /// It ends between two messages.
    End,
}

/// Has the keys of an issuer looked for soon, where a token names one that is not there: it may be a new one.
pub fn ask_again(issuers: &[Arc<Issuer>], refused: &Refused) {
    let Refused::Key { issuer, .. } = refused else { return };
    let issuer = issuers.iter().find(|one| *one.name == **issuer);
    if let Some(Keys::Fetched(fetched)) = issuer.map(|issuer| &issuer.keys) {
        fetched.miss();
    }
}
