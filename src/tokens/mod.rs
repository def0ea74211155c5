//! JSON Web Tokens (RFC 7519), signed (RFC 7515): what an issuer of the configuration says of a user, and whether it is so.
//!
//! [`verify()`] is pure: issuers, a token and the time give a [`Bearer`], or the condition that does not hold. [`Taken`] is what
//! remembers: a token with a `jti` is taken once by an association, also after a
//! restart; at the administration interface it counts until it ends. Nothing here knows of sockets, TOML or DIMSE.
//!
//! | file | holds |
//! | --- | --- |
//! | `json` | JSON in which nothing is said twice |
//! | `compact` | the three parts of a token, and its header |
//! | `algorithm`, `key` | how tokens are signed: asymmetric ways only; a public key, and its signature over a text |
//! | `key_set`, `keys` | the keys of an issuer (JWKS, RFC 7517), and where they come from |
//! | `claim` | where a claim stands, and what kind of value it is |
//! | `issuer` | whose tokens count, and what they have to say |
//! | `verify` | a token held against all of that |
//! | `refused` | the condition that does not hold, and what to do |
//! | `stored` | the last good keys of a server, on the disk |
//! | `taken` | which tokens were taken, on the disk |
//!
//! # Why not the crate `jsonwebtoken`
//!
//! It verifies signatures with aws-lc-rs, as [`key`] does in a call for each kind of key, and what it reads besides is what has to
//! be stricter here: members that are said twice, `crit`, a key that is named and is not there, a set of keys of which some are of
//! no use. All of that would have to be read here first, from the same bytes, and a signature is what would be left for it.

mod algorithm;
mod claim;
mod compact;
mod issuer;
mod json;
mod key;
mod key_set;
mod keys;
mod refused;
mod stored;
mod taken;
#[cfg(test)]
mod tests;
mod verify;

pub use algorithm::Algorithm;
pub use claim::Claim;
pub use issuer::{AtEnd, Issuer, MOST_LEEWAY, ask_again};
pub use key_set::{KeySet, LARGEST};
pub use keys::{Fetched, Fetching, Keys};
pub use refused::Refused;
pub use stored::Stored;
pub use taken::{Once, Taken};
pub use verify::{Bearer, Failed, Presented, Purpose, verify};
