//! Upstreams that are the proxy itself.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use super::report::Located;
use super::section::Section;
use super::settings::ListenerSettings;
use super::{addresses, repository};

/// Any port will do to ask for a way.
const DISCARD: u16 = 9;

/// Tells of each address of an upstream at which a listener of the same file is. No name is looked up.
pub(super) fn risks(root: &Section<'_>, upstreams: &[Located<String>], listeners: &[ListenerSettings]) {
    let mut by_port: BTreeMap<u16, Vec<&ListenerSettings>> = BTreeMap::new();
    for listener in listeners.iter().filter(|listener| listener.address.port() != 0) {
        by_port.entry(listener.address.port()).or_default().push(listener);
    }
    for upstream in upstreams {
        let port = upstream.value.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let there = port.and_then(|port: u16| by_port.get(&port));
        let meant = there.map(|_| meant(addresses::host(&upstream.value))).unwrap_or_default();
        let itself = |listener: &&&ListenerSettings| meant.iter().any(|ip| takes(listener.address, *ip));
        if let Some(listener) = there.into_iter().flatten().find(itself) {
            let problem = format!(
                "is where listener \"{}\" in line {} of this proxy listens: associations can come back to it without end",
                listener.name, listener.line
            );
            root.report.risk(&upstream.place, problem, "write the address of the PACS");
        }
    }
}

/// What a host can be without asking anybody.
fn meant(host: &str) -> Vec<IpAddr> {
    const LOOPBACK: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
    match host.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        // Connecting to no address leads to this machine.
        Ok(IpAddr::V4(ip)) if ip.is_unspecified() => vec![LOOPBACK[0]],
        Ok(IpAddr::V6(ip)) if ip.is_unspecified() => LOOPBACK.to_vec(),
        Ok(ip) => vec![ip],
        Err(_) if is_here(host) => LOOPBACK.to_vec(),
        Err(_) => Vec::new(),
    }
}

fn is_here(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host == repository::host_name().to_ascii_lowercase()
}

/// Whether a connection to this address arrives at the listener.
fn takes(listener: SocketAddr, ip: IpAddr) -> bool {
    match listener.ip().to_canonical() {
        IpAddr::V4(any) if any.is_unspecified() => ip.is_ipv4() && is_local(ip),
        // IPv4 too, mapped, unless the system is told otherwise.
        IpAddr::V6(any) if any.is_unspecified() => is_local(ip),
        one => one == ip,
    }
}

/// Whether the address is one of this machine: it goes to such an address from that address itself. Nothing is sent.
/// Whether it can be bound says less: under `ip_nonlocal_bind`, any can be.
fn is_local(ip: IpAddr) -> bool {
    ip.is_loopback() || way_to(ip).is_ok_and(|from| from == ip)
}

/// The address from which this machine goes to another one.
fn way_to(ip: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect((ip, DISCARD))?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use super::{meant, takes, way_to};

    #[test]
    fn an_address_arrives_where_its_family_and_its_machine_are_listened_for() {
        for (host, listener, expected) in [
            ("127.0.0.1", "0.0.0.0:104", true),
            ("127.0.0.1", "127.0.0.1:104", true),
            ("127.0.0.1", "127.0.0.2:104", false),
            ("127.0.0.1", "[::]:104", true),
            ("::1", "[::]:104", true),
            ("::1", "0.0.0.0:104", false),
            ("::ffff:127.0.0.1", "127.0.0.1:104", true),
            ("0.0.0.0", "127.0.0.1:104", true),
            ("::", "[::1]:104", true),
            ("localhost", "127.0.0.1:104", true),
            ("LOCALHOST.", "[::1]:104", true),
            ("proxy.localhost", "0.0.0.0:104", true),
            ("198.51.100.7", "0.0.0.0:104", false),
            ("198.51.100.7", "198.51.100.7:104", true),
            // Can be bound, and is no machine's.
            ("224.0.0.1", "0.0.0.0:104", false),
            ("pacs.example", "0.0.0.0:104", false),
        ] {
            let listener = listener.parse().unwrap();
            let found = meant(host).into_iter().any(|ip| takes(listener, ip));
            assert_eq!(found, expected, "{host} at {listener}");
        }
    }

    #[test]
    fn what_this_machine_is_called_in_its_network_arrives_at_all_its_addresses() {
        let Ok(own) = way_to("198.51.100.7".parse().unwrap()) else { return };
        assert!(takes("0.0.0.0:104".parse().unwrap(), own) && takes("[::]:104".parse().unwrap(), own));
        assert!(!takes("127.0.0.1:104".parse().unwrap(), own));
    }
}
