//! Networks and the addresses of upstreams.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::report::Wrong;

/// `203.0.113.0/24`, `2001:db8::/32`, or one address.
pub(super) fn network(text: &str) -> Result<IpNet, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("{text:?} is not a network"),
            "write one as \"203.0.113.0/24\" or \"2001:db8::/32\"",
        )
    };
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?,
    };
    if let IpNet::V6(v6) = network
        && let Some(v4) = v6.addr().to_ipv4_mapped()
    {
        let remedy = match v6.prefix_len().checked_sub(96) {
            Some(0) | None => format!("write the IPv4 network, such as \"{v4}/32\""),
            Some(bits) => format!("write \"{v4}/{bits}\""),
        };
        return Err(Wrong::new(format!("{text:?} never matches: mapped addresses count as IPv4"), remedy));
    }
    if network.trunc() != network {
        let problem = format!("{text:?} has bits beyond its prefix");
        return Err(Wrong::new(problem, format!("write \"{}\" or \"{}\"", network.trunc(), network.addr())));
    }
    Ok(network)
}

/// The same, for whoever is asked for one.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn checked_network(text: &str) -> Result<IpNet, String> {
    network(text).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))
}

/// What [`host_and_port`] takes, for whoever is asked for one.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn checked_host_and_port(text: &str) -> Result<String, String> {
    host_and_port(text).map_err(|wrong| format!("{}, {}", wrong.problem, wrong.remedy))
}

/// `host:port`, the host a name or an address (IPv6 in brackets).
pub(super) fn host_and_port(text: &str) -> Result<String, Wrong> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return if address.port() == 0 { Err(wrong_port(text)) } else { Ok(text.to_owned()) };
    }
    let wrong = || {
        let remedy = "write host:port, as in \"pacs.example:104\", \"10.0.0.5:104\" or \"[2001:db8::5]:104\"";
        Wrong::new(format!("{text:?} is not an address with a port"), remedy)
    };
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let numeric = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(legal) || numeric {
        return Err(wrong());
    }
    port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(|| wrong_port(text))?;
    Ok(text.to_owned())
}

/// The host of what [`host_and_port`] accepted, without brackets.
pub(super) fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

fn wrong_port(text: &str) -> Wrong {
    Wrong::new(format!("{text:?} has no port from 1 to 65535"), "end it in a port, as in \":104\"")
}

/// Whether some networks hold every address of a family together, as one does or two halves.
pub(crate) fn holds_everybody(networks: &[IpNet]) -> bool {
    IpNet::aggregate(&networks.to_vec()).iter().any(|network| network.prefix_len() == 0)
}

#[cfg(test)]
mod tests {
    use super::{host, host_and_port, network};

    #[test]
    fn networks_are_what_they_say() {
        for good in ["203.0.113.0/24", "0.0.0.0/0", "::/0", "2001:db8::/32", "10.0.0.5", "::1"] {
            assert!(network(good).is_ok(), "{good}");
        }
        for (bad, remedy) in [
            ("203.0.113.5/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("::ffff:10.0.0.5", "10.0.0.5/32"),
            ("203.0.113.0/33", "203.0.113.0/24"),
            ("lyon", "203.0.113.0/24"),
        ] {
            assert!(network(bad).err().unwrap().remedy.contains(remedy), "{bad}");
        }
    }

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for (good, expected) in [
            ("10.0.0.5:104", "10.0.0.5"),
            ("pacs.example:104", "pacs.example"),
            ("[2001:db8::5]:104", "2001:db8::5"),
        ] {
            assert_eq!(host_and_port(good).ok().as_deref(), Some(good));
            assert_eq!(host(good), expected);
        }
        for bad in [
            "10.0.0.5",
            "pacs",
            ":104",
            "pacs:0",
            "pacs:65536",
            "2001:db8::5:104",
            "10.0.0:104",
            "a b:104",
            "10.0.0.5:0",
        ] {
            assert!(host_and_port(bad).is_err(), "{bad}");
        }
    }
}
