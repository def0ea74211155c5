//! What the stream asks of a TLS library.
//!
//! # Why
//!
//! rustls 0.23 decrypts in place only through its unbuffered connections, and its next release replaces that interface by one
//! that lends decrypted data by itself. Everything that knows the one of today is in `unbuffered`, behind this trait, so that
//! the change is one file. `Cargo.toml` stays with 0.23 until then.

use std::io::{self, IoSlice};

use rustls::{CommonState, Error};

use super::outgoing::Outgoing;
use crate::buffer::Inbox;

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

/// One end of a TLS connection, of which the stream owns socket and buffers.
pub trait Side: Unpin {
    /// What the handshake settled.
    fn settled(&self) -> &CommonState;

    /// Takes records until there is data, which stays where it was decrypted, or none is whole. After an error it must not
    /// be asked again.
    ///
    /// # Errors
    /// What is wrong with the records; the alert for the peer is in `outgoing`.
    fn step(&mut self, incoming: &mut Inbox, outgoing: &mut Outgoing) -> Result<Step, Error>;

    /// Takes bytes to send, as many as there is room for; what was received before must have been decrypted.
    ///
    /// # Errors
    /// `BrokenPipe` where nothing can be sent any more.
    fn encrypt(
        &mut self,
        slices: &[IoSlice<'_>],
        incoming: &mut Inbox,
        outgoing: &mut Outgoing,
    ) -> io::Result<usize>;

    /// Puts a close_notify alert behind what is to be sent (RFC 8446 §6.1), so that the peer can tell an end from a cut.
    ///
    /// # Errors
    /// There is no room for it.
    fn close(&mut self, incoming: &mut Inbox, outgoing: &mut Outgoing) -> io::Result<()>;
}
