//! TLS (PS3.15 Annex B): rustls settings, what a certificate proved, certificates made and shown.

mod config;
mod error;
mod handshake;
mod material;
mod private_key;
mod protocol;
mod session;
mod settings;

pub use config::{client_config, server_config, server_name};
pub use error::TlsError;
pub use handshake::{HandshakeFailure, handshake_failure};
pub use protocol::Protocol;
pub use session::Session;
pub use settings::{ClientAuthentication, ClientSettings, Profile, ServerSettings};
