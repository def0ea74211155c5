//! The proxy under demonstration, started from the configuration file as `dimsegate run` would.

use std::net::SocketAddr;
use std::path::Path;

/// A running proxy.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
}

impl Proxy {
    /// Loads the configuration and listens.
    ///
    /// # Errors
    /// What the configuration or the listener lacks, as sentences.
    pub async fn start(configuration: &Path, _listener: &str) -> Result<Self, String> {
        Err(format!("{}: there is no proxy to start yet", configuration.display()))
    }

    /// Where the listener listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drains and stops, so that the last record is written.
    pub async fn stop(self) {}
}
