//! What a side of TLS offers, by name: for statements of what is supported.

use rustls::crypto::CryptoProvider;
use rustls::version::TLS13;

use super::config::versions;
use super::{Client, Profile, Server};

/// Versions, suites and groups, the preferred first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// Such as `1.3`.
    pub versions: Vec<&'static str>,
    /// By their names at IANA.
    pub suites: Vec<String>,
    /// Of the key exchange, by their names at IANA.
    pub groups: Vec<String>,
}

impl Server {
    /// What it offers under the profile that it was built with.
    pub fn offered(&self, profile: Profile) -> Offered {
        Offered::of(self.config.crypto_provider(), profile)
    }
}

impl Client {
    /// As [`Server::offered`].
    pub fn offered(&self, profile: Profile) -> Offered {
        Offered::of(self.config.crypto_provider(), profile)
    }
}

impl Offered {
    fn of(provider: &CryptoProvider, profile: Profile) -> Self {
        let versions = versions(profile);
        let is_offered = |suite: &&rustls::SupportedCipherSuite| {
            versions.iter().any(|version| version.version == suite.version().version)
        };
        let version = |one: &&rustls::SupportedProtocolVersion| {
            if one.version == TLS13.version { "1.3" } else { "1.2" }
        };
        let name = |suite: &rustls::SupportedCipherSuite| {
            let name = suite.suite().as_str().unwrap_or("unnamed");
            name.strip_prefix("TLS13_").map_or(name.to_owned(), |rest| format!("TLS_{rest}"))
        };
        Self {
            versions: versions.iter().map(version).collect(),
            suites: provider.cipher_suites.iter().filter(is_offered).map(name).collect(),
            groups: provider
                .kx_groups
                .iter()
                .map(|group| group.name().as_str().unwrap_or("unnamed").to_owned())
                .collect(),
        }
    }
}
