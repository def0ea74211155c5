//! The handshake, by rustls, up to its keys.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{ExtractedSecrets, ServerConfig};

use super::BUFFER;

/// What rustls says at once is shorter.
const LONGEST: usize = 20 << 10;

/// A connection that rustls has done with.
pub struct Opened {
    pub secrets: ExtractedSecrets,
    /// Room for what is read, and how much of it has been.
    pub incoming: Vec<u8>,
    pub used: usize,
    /// Data that came with the end of the handshake.
    pub early: Vec<u8>,
}

/// What has to be done before rustls can go on.
#[derive(PartialEq, Eq)]
enum Next {
    Go,
    Read,
}

pub fn make(mut near: &TcpStream, config: Arc<ServerConfig>) -> io::Result<Opened> {
    let mut connection = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
    let (mut incoming, mut used) = (vec![0; BUFFER], 0);
    let (mut outgoing, mut early) = (Vec::new(), Vec::new());
    loop {
        let UnbufferedStatus { discard, state, .. } = connection.process_tls_records(&mut incoming[..used]);
        let next = step(state.map_err(io::Error::other)?, near, &mut outgoing, &mut early)?;
        incoming.copy_within(discard..used, 0);
        used -= discard;
        if next == Next::Go {
            continue;
        }
        if !connection.is_handshaking() {
            break;
        }
        match near.read(&mut incoming[used..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => used += read,
        }
    }
    let (secrets, _) = connection.dangerous_into_kernel_connection().map_err(io::Error::other)?;
    Ok(Opened { secrets, incoming, used, early })
}

fn step<Data>(
    state: ConnectionState<'_, '_, Data>,
    mut near: &TcpStream,
    outgoing: &mut Vec<u8>,
    early: &mut Vec<u8>,
) -> io::Result<Next> {
    match state {
        ConnectionState::EncodeTlsData(mut data) => {
            let start = outgoing.len();
            outgoing.resize(start + LONGEST, 0);
            let written = data.encode(&mut outgoing[start..]).map_err(io::Error::other)?;
            outgoing.truncate(start + written);
        }
        ConnectionState::TransmitTlsData(data) => {
            near.write_all(outgoing)?;
            outgoing.clear();
            data.done();
        }
        ConnectionState::ReadTraffic(mut traffic) => {
            while let Some(record) = traffic.next_record() {
                early.extend_from_slice(record.map_err(io::Error::other)?.payload);
            }
        }
        ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) => return Ok(Next::Read),
        other => return Err(io::Error::other(format!("{other:?} in a handshake"))),
    }
    Ok(Next::Go)
}
