//! The unbuffered connections of rustls 0.23: the only file that knows them.

use std::io::{self, IoSlice};
use std::sync::Arc;

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus, WriteTraffic};
use rustls::{ClientConfig, CommonState, Error, ServerConfig};

use super::outgoing::Outgoing;
use super::sealing::{Seal, seal};
use super::side::{Side, Step};
use crate::buffer::Inbox;
use crate::tls::in_place::{self, Note};

/// An unbuffered connection of either kind.
trait Unbuffered: Unpin {
    /// rustls's data of one kind of end.
    type Data;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    fn state(&self) -> &CommonState;

    /// The server name that the client asked for.
    fn asked_for(&mut self, _server_name: String) {}

    /// After an error: what rustls still has for the peer, the alert last. It comes before any record is looked at again.
    fn last_words(&mut self, incoming: &mut Inbox, outgoing: &mut Outgoing) {
        while self.state().wants_write() {
            let state = self.process(incoming.sealed()).state;
            // A peer that is not told sees the connection end.
            let Ok(state @ ConnectionState::EncodeTlsData(_)) = state else { return };
            if reach(state, outgoing).is_err() {
                return;
            }
        }
    }
}

impl<U: Unbuffered> Side for U {
    fn settled(&self) -> &CommonState {
        self.state()
    }

    fn step(&mut self, incoming: &mut Inbox, outgoing: &mut Outgoing) -> Result<Step, Error> {
        loop {
            let records = incoming.sealed().as_ptr().addr();
            let ((taken, reached), note) = in_place::note(|| {
                let UnbufferedStatus { discard, state } = self.process(incoming.sealed());
                (discard, state.and_then(|state| reach(state, outgoing)))
            });
            let noted = reached.as_ref().map_or(Ok(()), |reached| keep(*reached, &note, records, incoming));
            incoming.unsealed(taken);
            if note.client_hello
                && let Some(name) = in_place::server_name()
            {
                self.asked_for(name);
            }
            match noted.and(reached) {
                Ok(None) => {}
                Ok(Some(step)) => return Ok(step),
                Err(error) => {
                    self.last_words(incoming, outgoing);
                    return Err(error);
                }
            }
        }
    }

    fn encrypt(
        &mut self,
        slices: &[IoSlice<'_>],
        incoming: &mut Inbox,
        outgoing: &mut Outgoing,
    ) -> io::Result<usize> {
        match self.process(incoming.sealed()).state.map_err(io::Error::other)? {
            ConnectionState::WriteTraffic(mut traffic) => seal(&mut traffic, slices, outgoing),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn close(&mut self, incoming: &mut Inbox, outgoing: &mut Outgoing) -> io::Result<()> {
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.process(incoming.sealed()).state {
            let written = traffic.queue_close_notify(outgoing.room()).map_err(io::Error::other)?;
            outgoing.put(written);
        }
        Ok(())
    }
}

/// What a state of rustls asks for. `None`: it was done, and there is more.
fn reach<Data>(state: ConnectionState<'_, '_, Data>, outgoing: &mut Outgoing) -> Result<Option<Step>, Error> {
    Ok(match state {
        ConnectionState::ReadTraffic(mut traffic) => {
            while traffic.next_record().transpose()?.is_some() {}
            Some(Step::Data)
        }
        ConnectionState::EncodeTlsData(mut data) => {
            let written = data.encode(outgoing.room());
            outgoing.put(written.map_err(|error| Error::General(error.to_string()))?);
            None
        }
        ConnectionState::TransmitTlsData(data) => {
            data.done();
            None
        }
        ConnectionState::BlockedHandshake => Some(Step::Handshaking),
        ConnectionState::WriteTraffic(_) | ConnectionState::Closed => Some(Step::NeedsMore),
        ConnectionState::PeerClosed => Some(Step::PeerClosed),
        // Early data is never offered nor accepted.
        _ => return Err(Error::General("an unexpected state of TLS".into())),
    })
}

/// Data that rustls decrypted is what was noted, or the stream cannot be trusted.
fn keep(reached: Option<Step>, note: &Note, records: usize, incoming: &mut Inbox) -> Result<(), Error> {
    match (reached, note.records, note.data) {
        (Some(Step::Data), 1, Some((address, length))) => {
            address.checked_sub(records).and_then(|from| incoming.data(from, length))
        }
        (Some(Step::Data), ..) | (_, 1.., _) => None,
        _ => Some(()),
    }
    .ok_or_else(|| Error::General("decrypted data is not where it was noted".into()))
}

impl<Data> Seal for WriteTraffic<'_, Data> {
    fn encrypt(&mut self, plain: &[u8], room: &mut [u8]) -> io::Result<usize> {
        WriteTraffic::encrypt(self, plain, room).map_err(io::Error::other)
    }
}

/// A listener's end, and the name that it was asked for.
pub struct Server {
    connection: UnbufferedServerConnection,
    name: Option<String>,
}

/// The end towards an upstream.
pub struct Client(UnbufferedClientConnection);

impl Server {
    pub(crate) fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = UnbufferedServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self { connection, name: None })
    }

    pub(crate) fn server_name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl Client {
    pub(crate) fn new(config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        UnbufferedClientConnection::new(config, name).map(Self).map_err(io::Error::other)
    }
}

impl Unbuffered for Server {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.connection.process_tls_records(records)
    }

    fn state(&self) -> &CommonState {
        &self.connection
    }

    fn asked_for(&mut self, server_name: String) {
        self.name = Some(server_name);
    }
}

impl Unbuffered for Client {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.0.process_tls_records(records)
    }

    fn state(&self) -> &CommonState {
        &self.0
    }
}
