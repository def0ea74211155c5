//! TLS (PS3.15 Annex B): rustls settings, what a certificate proved, certificates made and shown.

mod settings;

pub use settings::{ClientAuthentication, ClientSettings, Profile, ServerSettings};
