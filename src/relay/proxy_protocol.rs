//! The PROXY protocol header, versions 1 and 2, that a load balancer writes in front of a connection
//! (<https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt>). Read byte for byte, so that nothing of the
//! connection itself is taken.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The longest header of version 1, CR LF included.
const V1_LONGEST: usize = 107;

/// Longer address blocks of version 2 are no use to anybody here.
const V2_LONGEST: usize = 2048;

/// Why the header cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("the connection ended inside the PROXY protocol header: {0}")]
    Io(#[from] io::Error),
    #[error("expected a PROXY protocol header, version 1 or 2, and found \"{0}\"")]
    NotThere(String),
    #[error("a PROXY protocol header whose {0} cannot be read")]
    Malformed(&'static str),
}

/// Reads the header. `None`: the balancer speaks for itself (LOCAL, UNKNOWN), as in a health check.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, HeaderError> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if start == V2_SIGNATURE {
        return version_2(stream).await;
    }
    if !start.starts_with(b"PROXY ") {
        return Err(HeaderError::NotThere(crate::wire::escape(&start)));
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= V1_LONGEST {
            return Err(HeaderError::Malformed("line end"));
        }
        line.push(stream.read_u8().await?);
    }
    version_1(&line)
}

fn version_1(line: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    let text = std::str::from_utf8(line).map_err(|_| HeaderError::Malformed("text"))?;
    let mut words = text.trim_end().split(' ').skip(1);
    if words.next() == Some("UNKNOWN") {
        return Ok(None);
    }
    let address: Option<IpAddr> = words.next().and_then(|word| word.parse().ok());
    let port: Option<u16> = words.nth(1).and_then(|word| word.parse().ok());
    match (address, port) {
        (Some(address), Some(port)) => Ok(Some(SocketAddr::new(address, port))),
        _ => Err(HeaderError::Malformed("source address")),
    }
}

async fn version_2(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, HeaderError> {
    let [command, family] = [stream.read_u8().await?, stream.read_u8().await?];
    let length = usize::from(stream.read_u16().await?);
    if length > V2_LONGEST {
        return Err(HeaderError::Malformed("length"));
    }
    let mut block = vec![0; length];
    stream.read_exact(&mut block).await?;
    match command {
        0x20 => Ok(None),
        0x21 => match family {
            0x11 => v4(&block).map(Some),
            0x21 => v6(&block).map(Some),
            0x00 => Ok(None),
            _ => Err(HeaderError::Malformed("address family")),
        },
        _ => Err(HeaderError::Malformed("command")),
    }
}

fn v4(block: &[u8]) -> Result<SocketAddr, HeaderError> {
    let Some(&[a, b, c, d, _, _, _, _, high, low]) = block.first_chunk::<10>() else {
        return Err(HeaderError::Malformed("source address"));
    };
    Ok(SocketAddr::new(Ipv4Addr::new(a, b, c, d).into(), u16::from_be_bytes([high, low])))
}

fn v6(block: &[u8]) -> Result<SocketAddr, HeaderError> {
    let malformed = HeaderError::Malformed("source address");
    let Some((source, rest)) = block.split_first_chunk::<16>() else { return Err(malformed) };
    let Some(&[high, low]) = rest.get(16..).and_then(|ports| ports.first_chunk::<2>()) else {
        return Err(malformed);
    };
    Ok(SocketAddr::new(Ipv6Addr::from(*source).into(), u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use super::{HeaderError, V2_SIGNATURE, read};

    async fn parse(bytes: &[u8]) -> Result<Option<String>, HeaderError> {
        let mut rest = bytes;
        let found = read(&mut rest).await?;
        assert_eq!(rest, b"\x01\0", "the bytes behind the header are not touched");
        Ok(found.map(|address| address.to_string()))
    }

    #[tokio::test]
    async fn both_versions_name_the_source() {
        let v1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 104\r\n\x01\0";
        assert_eq!(parse(v1).await.unwrap().unwrap(), "192.0.2.7:56324");
        let v6 = b"PROXY TCP6 2001:db8::1 2001:db8::2 56324 104\r\n\x01\0";
        assert_eq!(parse(v6).await.unwrap().unwrap(), "[2001:db8::1]:56324");
        let mut whole = V2_SIGNATURE.to_vec();
        whole.extend_from_slice(&[0x21, 0x11, 0, 12, 192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 0, 104, 1, 0]);
        assert_eq!(parse(&whole).await.unwrap().unwrap(), "192.0.2.7:56324");
    }

    #[tokio::test]
    async fn a_balancer_that_speaks_for_itself_names_nobody() {
        assert_eq!(parse(b"PROXY UNKNOWN\r\n\x01\0").await.unwrap(), None);
        let mut local = V2_SIGNATURE.to_vec();
        local.extend_from_slice(&[0x20, 0, 0, 0, 1, 0]);
        assert_eq!(parse(&local).await.unwrap(), None);
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        for bytes in [&b"\x01\0\0\0\0\xcd\0\x01\0\0PACS  "[..], b"PROXY TCP4 nonsense here 1 2\r\n", b"PROXY"]
        {
            assert!(read(&mut &*bytes).await.is_err());
        }
        let endless = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 500]].concat();
        assert!(matches!(read(&mut &endless[..]).await, Err(HeaderError::Malformed("line end"))));
    }
}
