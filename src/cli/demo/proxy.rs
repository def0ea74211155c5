//! The proxy under demonstration, started from the configuration file as `dimsegate run` would.

use std::net::SocketAddr;
use std::path::Path;

use crate::admin::{self, Interface};
use crate::cli::audit::report;
use crate::config;
use crate::daemon::Daemon;

/// A running proxy, and where its listener and its page are.
pub(super) struct Proxy {
    running: Daemon,
    interface: Interface,
    address: SocketAddr,
    page: String,
}

impl Proxy {
    /// Loads the configuration and listens.
    ///
    /// # Errors
    /// What is wrong with the configuration, the records or the listener, as sentences.
    pub(super) async fn start(configuration: &Path, listener: &str) -> Result<Self, String> {
        let loaded = config::load(configuration).map_err(|problems| problems.to_string())?;
        let interface = admin::bind(&loaded.settings).await.map_err(|error| error.to_string())?;
        let running =
            Daemon::start(loaded, std::future::pending()).await.map_err(|error| error.to_string())?;
        let running = running.ok_or("the proxy was told to stop")?;
        let address = running.address(listener).ok_or_else(|| format!("no listener is called {listener}"))?;
        let interface = admin::serve(interface, running.handle(), running.monitoring(), report::page::page);
        let page = interface.addresses().next().ok_or("the configuration has no [admin]")?.to_string();
        Ok(Self { running, interface, address, page })
    }

    /// Where the listener listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its page is.
    pub(super) fn page(&self) -> String {
        format!("http://{}/", self.page)
    }

    /// Drains and stops, so that the last record is written.
    pub(super) async fn stop(self) {
        self.running.stop("the demonstration ended", self.interface.stop()).await;
    }
}
