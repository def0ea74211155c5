//! TLS (PS3.15 Annex B): rustls settings, what a certificate proved, certificates made and shown.
//!
//! # Why
//!
//! - **Why a stream of our own over rustls.** `tokio-rustls` decrypts into a buffer and copies from there. Here records are
//!   decrypted where they were read, in the inbox that the relay writes from. What of rustls that takes is behind one narrow
//!   trait, `stream::Side`.
//! - **Why aws-lc-rs** is the only provider: it has a build that is validated under FIPS 140, and one library of cryptography is
//!   what a reviewer has to read about. Records, tokens and pseudonyms use the same.
//! - **Why verified chains are remembered.** Modalities come again with the same certificate for each object, and a signature costs
//!   more than all the rest of an association. What is remembered ends with the certificate, the list of revocations or the
//!   configuration that it was verified by.
//! - **Why profiles, and no list of ciphers.** The standard names profiles (PS3.15 Annex B) and so do the questions of reviewers;
//!   a list that somebody wrote once grows old in silence.

pub mod authority;
mod common;
mod config;
mod end;
mod error;
mod facts;
mod handshake;
mod hello;
mod in_place;
mod inspect;
mod material;
mod offered;
mod private_key;
mod protocol;
mod recent;
mod refusal;
mod session;
mod settings;
mod show;
mod stream;
mod trust;
mod unfit;
mod verified;

pub use common::{Common, common};
pub use config::{Client, Server, client, server, server_name};
pub use end::{End, EndKind};
pub use error::TlsError;
pub(crate) use facts::Role;
pub use handshake::{HandshakeFailure, handshake_failure};
pub use hello::Hello;
pub use inspect::{Finding, inspect_client, inspect_server};
pub use material::FileDigest;
pub use offered::Offered;
pub use protocol::Protocol;
pub use session::Session;
pub use settings::{ClientAuthentication, ClientSettings, Profile, ServerSettings};
pub use show::describe;
pub use stream::{ClientStream, ServerStream, Side, Stream};
pub use trust::{Authorities, ClientTrust};

#[cfg(test)]
mod tests;
