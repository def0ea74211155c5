//! The condition that does not hold for a token, and what to do. Nothing of a token is in it but short texts that say which
//! issuer, key or algorithm was meant.

use crate::identity::printable;

/// Bytes of such a text.
const SHOWN: usize = 100;

/// Of a token that cannot be trusted, so that it can be shown.
pub(super) fn shown(text: &str) -> String {
    format!("\"{}\"", printable(text, SHOWN))
}

/// Why a token is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is none.
    #[error("it is no JSON Web Token: {0}")]
    Malformed(String),
    /// The header demands what is not known here.
    #[error("its header says that something in it has to be understood (crit), which is not known here")]
    Critical,
    /// Another kind of token.
    #[error("it says that it is of type {found}, which is no JSON Web Token that proves somebody")]
    Type {
        /// What `typ` says.
        found: String,
    },
    /// Nobody of the configuration issued it.
    #[error("its issuer {found} is that of no [[issuer]]")]
    Issuer {
        /// What `iss` says.
        found: String,
    },
    /// Signed in another way than its issuer signs.
    #[error("it is signed by {found}, which is not among the algorithms of issuer \"{issuer}\"")]
    Algorithm {
        /// What `alg` says.
        found: String,
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// None was fetched, or too long ago.
    #[error("issuer \"{issuer}\" has no keys now: none came from its server, or none for keys-max-age")]
    NoKeys {
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// The key is not there.
    #[error("issuer \"{issuer}\" has no key {found} for that algorithm")]
    Key {
        /// What `kid` says.
        found: String,
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// It names no key.
    #[error("it names no key (kid), and issuer \"{issuer}\" has several")]
    KeyUnnamed {
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// Another key signed it, or nobody, or it was changed.
    #[error("its signature is not by the key of issuer \"{issuer}\"")]
    Signature {
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// A claim is not there, or is nothing that it can be.
    #[error("its claim {claim} {problem}")]
    Claim {
        /// Where it stands.
        claim: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// It is for somebody else.
    #[error("it is for another audience (aud)")]
    Audience,
    /// It is for two things, and whoever got hold of it by the one would have the other.
    #[error("it is for associations and for the administration interface at once (aud)")]
    Audiences,
    /// Its time is over.
    #[error("it ended at {0}")]
    Ended(String),
    /// Its time has not come.
    #[error("it is good from {0} on only")]
    NotYet(String),
    /// It would be good for too long.
    #[error("it lives longer than max-life of issuer \"{issuer}\"")]
    TooLong {
        /// Name of the `[[issuer]]`.
        issuer: String,
    },
    /// It may be used with other AE titles.
    #[error("calling AE title \"{calling}\" is not among those that it is for ({claim})")]
    CallingAeTitle {
        /// The one that asked.
        calling: String,
        /// Where they stand.
        claim: String,
    },
    /// It is bound to another certificate, or to none.
    #[error("{0}")]
    Certificate(&'static str),
    /// It was taken before.
    #[error("it was used before (jti)")]
    Used,
    /// It cannot be told, because of what the text says.
    #[error("{0}")]
    Unavailable(String),
}

impl Refused {
    /// What would let its bearer in, if they should be.
    pub fn remedy(&self) -> String {
        match self {
            Self::Malformed(_) | Self::Critical | Self::Type { .. } => {
                "let the requestor send an access token in compact form (user identity, type 5)".into()
            }
            Self::Issuer { .. } => {
                "if the issuer is to be trusted, add an [[issuer]] with its iss and keys".into()
            }
            Self::Algorithm { issuer, .. } => {
                format!("let the issuer sign otherwise, or widen algorithms of issuer \"{issuer}\"")
            }
            Self::Key { issuer, .. } | Self::KeyUnnamed { issuer } | Self::Signature { issuer } => {
                format!("see whether keys of issuer \"{issuer}\" are those that it signs with now")
            }
            Self::Claim { claim, .. } => format!("let the issuer write {claim} as conf/README.md says"),
            Self::Audience => {
                "let the requestor ask its issuer for a token for this proxy: audience of the [[issuer]]"
                    .into()
            }
            Self::Audiences => "let the issuer give a token for each, with one aud".into(),
            Self::Ended(_) => {
                "let the requestor get a new token before it connects; see the clocks of both".into()
            }
            Self::NotYet(_) => "see the clocks of the issuer and of this machine".into(),
            Self::TooLong { issuer } => {
                format!(
                    "let the issuer give tokens for a shorter time, or raise max-life of issuer \"{issuer}\""
                )
            }
            Self::CallingAeTitle { claim, .. } => format!("let the issuer add the AE title to {claim}"),
            Self::Certificate(_) => {
                "let the requestor get the token with the certificate that it connects with (RFC 8705)".into()
            }
            Self::Used => "let the requestor get a new token for each association".into(),
            Self::NoKeys { .. } => {
                "see in the log of the proxy why they cannot be fetched; explain asks no server, and knows keys of files, and those \
                 that the proxy has kept in state-directory, where both run as the same user"
                    .into()
            }
            Self::Unavailable(_) => "see what the text says".into(),
        }
    }
}
