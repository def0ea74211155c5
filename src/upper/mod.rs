//! The upper layer service (PS3.8 §7) for one that is at an end of an association, over any stream.
//!
//! The relay stands between two legs; here dimsegate itself is requestor or acceptor: a C-ECHO of its own, and the
//! peers of the demonstration. No socket is opened here: whoever has a stream brings it.
//!
//! ```text
//! Requestor::open(stream, request, terms)  -> Association -> perform / send / begin .. receive -> release or abort
//! Acceptor::accept(stream, terms, judge)   -> Association -> receive .. send                   -> receive gives None
//!
//!   read  -> Inbox -> Incoming (deframer, order of fragments) -> Message: command set, and its data set in pieces
//!   write <- Packer (fragments of the peer's maximum length)  <- command set, data set in pieces
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `transport` | the stream beneath: TCP, TLS, memory |
//! | `channel`, `pace` | its bytes in and out, each wait under a deadline |
//! | `plan`, `lingering` | what the relay's legs do as channels do: plans into few system calls, and patience at the end |
//! | `opening` | the first PDU of either side, whose length is not ours to choose |
//! | `request`, `requestor` | an association that is asked for |
//! | `acceptor`, `answer` | an association that is answered |
//! | `contexts` | what was agreed on |
//! | `incoming` | bytes to messages, without I/O |
//! | `association`, `message`, `sending`, `perform`, `closing` | the established association |
//! | `terms` | what dimsegate offers, and how long it waits |
//! | `error` | what was being done, what came, what was expected |
//!
//! # Why a data set is never a buffer
//!
//! A message is its command set and a [`DataSet`] that lends its pieces as they come, so that an object of a gigabyte costs
//! what one of a kilobyte does. The pieces borrow the association: there is no next message while somebody reads this one, and
//! what a reader leaves is passed over. [`Sending`] is the same the other way round: a data set that is given up has no last
//! fragment, and its association can only be aborted.
//!
//! # Why an error has told the peer
//!
//! Who gets an error has nothing left to do but to drop the association: a peer that can still be told has had its A-ABORT, with the
//! reason that PS3.8 §9.3.8 has for it.

mod acceptor;
mod answer;
mod association;
mod channel;
mod closing;
mod contexts;
mod error;
mod incoming;
mod lingering;
mod message;
mod opening;
mod pace;
mod perform;
mod plan;
mod request;
mod requestor;
mod sending;
mod terms;
#[cfg(test)]
mod tests;
mod transport;

pub use acceptor::Acceptor;
pub use answer::{Acceptance, Answer};
pub use association::Association;
pub(crate) use contexts::only_what_was_asked;
pub use contexts::{Context, Contexts};
pub use error::{Doing, Error};
pub(crate) use lingering::{LINGER, linger};
pub use message::{DataSet, Message};
pub(crate) use opening::{NotOpening, Opening};
pub(crate) use plan::{Outside, Written, poll_write};
pub use request::{Request, Unproposable};
pub use requestor::Requestor;
pub use sending::Sending;
pub use terms::{Deadlines, IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, Terms};
pub use transport::{Transport, prepare};
