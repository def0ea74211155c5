//! TLS (PS3.15 Annex B): rustls settings, what a certificate proved, certificates made and shown.

pub mod authority;
mod config;
mod end;
mod error;
mod facts;
mod handshake;
mod in_place;
mod inspect;
mod material;
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

pub use config::{Client, Server, client, server, server_name};
pub use end::{End, EndKind};
pub use error::TlsError;
pub(crate) use facts::Role;
pub use handshake::{HandshakeFailure, handshake_failure};
pub use inspect::{Finding, inspect_client, inspect_server};
pub use material::FileDigest;
pub use protocol::Protocol;
pub use session::Session;
pub use settings::{ClientAuthentication, ClientSettings, Profile, ServerSettings};
pub use show::describe;
pub use stream::{ClientStream, ServerStream, Side, Stream};
pub use trust::{Authorities, ClientTrust};

#[cfg(test)]
mod tests;
