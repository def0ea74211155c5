//! `[metrics]`: where a monitor finds what is counted.

use std::net::SocketAddr;

use super::report::Wrong;
use super::section::Section;

/// Where to listen, if anywhere.
pub(super) fn metrics(root: &Section<'_>) -> Option<SocketAddr> {
    let section = root.table("metrics")?;
    section.require(&[("listen", "write where to listen, as in \"127.0.0.1:9108\"")]);
    let listen = section.parsed("listen", address)?;
    if !listen.value.ip().to_canonical().is_loopback() {
        let problem = format!(
            "{} tells every machine that reaches it the names of peers and upstreams, and how much they do",
            listen.value
        );
        section.report.risk(
            &listen.place,
            problem,
            "listen on a loopback address, and let the monitor scrape there",
        );
    }
    Some(listen.value)
}

fn address(text: &str) -> Result<SocketAddr, Wrong> {
    let remedy = "write an address and a port, as in \"127.0.0.1:9108\"";
    text.parse().map_err(|_| Wrong::new(format!("{text:?} is not an address with a port"), remedy))
}
