//! The two ends of rustls as one.

use std::io::{self, IoSlice};

use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};
use rustls::{CommonState, Error};

use super::outgoing::Outgoing;
use super::sealing::seal;
use crate::buffer::Inbox;
use crate::tls::in_place::{self, Note};

/// How far the records that are there lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A record of data was decrypted.
    Data,
    /// More records are needed; data can be sent.
    NeedsMore,
    /// More records are needed before the handshake can end.
    Handshaking,
    /// The peer said close_notify.
    PeerClosed,
}

/// An unbuffered connection of either kind.
pub trait Side: Unpin {
    /// rustls's data of one kind of end.
    type Data;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data>;

    /// What the handshake settled.
    fn state(&self) -> &CommonState;

    /// The server name that the client asked for.
    fn asked_for(&mut self, _server_name: String) {}

    /// Lets rustls take records until there is data, or none is whole. After an error it must not be asked again.
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

    /// Takes bytes to send, as many as there is room for; what was received before must have been decrypted.
    fn encrypt(
        &mut self,
        slices: &[IoSlice<'_>],
        incoming: &mut Inbox,
        outgoing: &mut Outgoing,
    ) -> io::Result<usize> {
        match self.process(incoming.sealed()).state.map_err(io::Error::other)? {
            ConnectionState::WriteTraffic(traffic) => seal(traffic, slices, outgoing),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Puts a close_notify alert behind what is to be sent (RFC 8446 §6.1), so that the peer can tell an end from a cut.
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

/// A listener's end, and the name that it was asked for.
pub struct Server {
    connection: UnbufferedServerConnection,
    name: Option<String>,
}

impl Server {
    pub fn new(connection: UnbufferedServerConnection) -> Self {
        Self { connection, name: None }
    }

    pub fn server_name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

impl Side for Server {
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

impl Side for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(&'c mut self, records: &'i mut [u8]) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(records)
    }

    fn state(&self) -> &CommonState {
        self
    }
}
