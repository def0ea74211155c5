//! The PROXY protocol header, version 2, that is written in front of a connection to an upstream which wants to know whose it is
//! (<https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>, 2.2).

use std::net::{IpAddr, SocketAddr};

use super::proxy_protocol::V2_SIGNATURE;
use crate::tls::Session;

const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

const UNIQUE_ID: u8 = 0x05;
const SSL: u8 = 0x20;
const SSL_VERSION: u8 = 0x21;
const SSL_COMMON_NAME: u8 = 0x22;
const SSL_CIPHER: u8 = 0x23;

/// The requestor uses TLS, and showed a certificate on this connection and in this session.
const OVER_TLS: u8 = 0x01;
const WITH_CERTIFICATE: u8 = 0x02 | 0x04;

/// Bytes of a value: a unique id may not be longer.
const LONGEST: usize = 128;

/// dimsegate speaks for itself, as in a health check.
pub(super) fn local() -> Vec<u8> {
    header(LOCAL, 0, &[])
}

/// A requestor at `from` that connected to `reached`, by the association's id; with TLS, what was proven of it.
pub(super) fn of_requestor(
    from: SocketAddr,
    reached: SocketAddr,
    tls: Option<&Session>,
    id: &str,
) -> Vec<u8> {
    let mut block = Vec::new();
    let family = match (from.ip().to_canonical(), reached.ip().to_canonical()) {
        (IpAddr::V4(from), IpAddr::V4(reached)) => {
            block.extend_from_slice(&[from.octets(), reached.octets()].concat());
            TCP_OVER_IPV4
        }
        // Behind a load balancer the two need not be of one family.
        (from, reached) => {
            block.extend_from_slice(&[from, reached].map(sixteen).concat());
            TCP_OVER_IPV6
        }
    };
    block.extend_from_slice(&from.port().to_be_bytes());
    block.extend_from_slice(&reached.port().to_be_bytes());
    put(&mut block, UNIQUE_ID, id.as_bytes());
    if let Some(tls) = tls {
        put(&mut block, SSL, &proven(tls));
    }
    header(PROXY, family, &block)
}

fn proven(tls: &Session) -> Vec<u8> {
    let certificate = tls.certificate.as_ref();
    let client = OVER_TLS | if certificate.is_some() { WITH_CERTIFICATE } else { 0 };
    // Zero: a certificate was shown and verified.
    let verify = u32::from(certificate.is_none());
    let mut value = vec![client];
    value.extend_from_slice(&verify.to_be_bytes());
    put(&mut value, SSL_VERSION, format!("TLSv{}", tls.version).as_bytes());
    if let Some(name) = certificate.and_then(|certificate| certificate.common_name.as_deref()) {
        put(&mut value, SSL_COMMON_NAME, name.as_bytes());
    }
    put(&mut value, SSL_CIPHER, tls.cipher.as_bytes());
    value
}

fn sixteen(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn put(block: &mut Vec<u8>, kind: u8, value: &[u8]) {
    // A name that were cut would be another one.
    let value = value.get(..LONGEST).filter(|_| kind == UNIQUE_ID).unwrap_or(value);
    block.push(kind);
    block.extend_from_slice(&length(value.len()));
    block.extend_from_slice(value);
}

fn header(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    [&V2_SIGNATURE[..], &[command, family], &length(block.len()), block].concat()
}

/// No block comes near what two bytes can say.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::{local, of_requestor};
    use crate::identity::Certificate;
    use crate::relay::proxy_protocol::read;
    use crate::tls::Session;
    use std::net::SocketAddr;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    async fn source(header: &[u8]) -> Option<SocketAddr> {
        let mut rest = header;
        let found = read(&mut rest).await.unwrap();
        assert!(rest.is_empty());
        found
    }

    #[tokio::test]
    async fn the_header_is_the_one_of_the_specification() {
        assert_eq!(local(), b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00");
        assert_eq!(source(&local()).await, None);
        let v4 = of_requestor(address("192.0.2.7:56324"), address("198.51.100.1:104"), None, "a1");
        assert_eq!(
            v4,
            b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x11\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x00\x68\x05\x00\x02a1"
        );
        assert_eq!(source(&v4).await, Some(address("192.0.2.7:56324")));
    }

    #[tokio::test]
    async fn addresses_of_two_families_are_written_as_one() {
        let mixed = of_requestor(address("[2001:db8::1]:9"), address("198.51.100.1:104"), None, "a1");
        assert_eq!(source(&mixed).await, Some(address("[2001:db8::1]:9")));
        assert_eq!(mixed[32..48], *b"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc6\x33\x64\x01");
        let mapped =
            of_requestor(address("[::ffff:192.0.2.7]:9"), address("[::ffff:10.0.0.1]:104"), None, "a");
        assert_eq!(source(&mapped).await, Some(address("192.0.2.7:9")));
    }

    #[test]
    fn what_tls_proved_stands_behind_the_addresses() {
        let certificate = Certificate {
            common_name: Some("lyon".into()),
            ..Certificate::from_der_or_fingerprint(b"no certificate")
        };
        let mut tls = Session {
            version: "1.3",
            cipher: "TLS_AES_256_GCM_SHA384".into(),
            group: None,
            certificate: Some(certificate),
            authorities: Vec::new(),
            sni: None,
        };
        let header =
            |tls: &Session| of_requestor(address("192.0.2.7:9"), address("10.0.0.1:104"), Some(tls), "a");
        let proven = header(&tls).split_off(28 + 4);
        assert_eq!(
            proven,
            b"\x20\x00\x2f\x07\x00\x00\x00\x00\x21\x00\x07TLSv1.3\x22\x00\x04lyon\x23\x00\x16TLS_AES_256_GCM_SHA384"
        );
        tls.certificate = None;
        let proven = header(&tls).split_off(28 + 4);
        assert_eq!(
            proven,
            b"\x20\x00\x28\x01\x00\x00\x00\x01\x21\x00\x07TLSv1.3\x23\x00\x16TLS_AES_256_GCM_SHA384"
        );
    }
}
