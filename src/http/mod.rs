//! HTTP/1.1 for people and machines that look after the proxy: on loopback, on a Unix socket, or behind TLS. And a GET of the proxy's own.
//!
//! | file | holds |
//! | --- | --- |
//! | `listen` | where to listen, and why that cannot be had |
//! | `serving` | accepting, places for connections, the end |
//! | `connection` | one connection: its handshake, its requests, its end |
//! | `request` | what is asked of a request before anybody answers it |
//! | `fetching` | the other side: one GET at a server of somebody else |
//! | `hurried` | a reader who does not read |
//! | `caller` | who asks |
//! | `here` | what a browser says of the page that asks |
//! | `problem` | errors that a program can read (RFC 9457) |
//!
//! # Why
//!
//! - **Why hyper's connections and not `axum::serve`**, which bounds neither connections nor time, and knows no TLS.
//! - **Why a body is read before the route is asked**: what is asked of this interface is short. One place then bounds length
//!   and time, and no handler waits for a peer.
//! - **Why no request in chunks**: a length that nobody declares, or declares in two ways, is what request smuggling is made
//!   of (RFC 9112 §11.2), and hyper would settle for one of the two. Whoever asks here knows how long his question is.

use std::time::Duration;

mod caller;
mod connection;
mod fetching;
mod here;
mod hurried;
mod listen;
mod problem;
mod request;
mod serving;
mod shared;

pub use caller::{Caller, Source};
pub use fetching::Get;
pub use here::{is_for_here, only_for_here};
pub use listen::{BindError, Bound, Listen, TlsInForce, bind};
pub use problem::Problem;
pub use serving::Serving;

#[cfg(test)]
mod tests;

/// What whoever asks may take up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at once. For one more the one that has been idle longest is closed; one that still sends its request is idle.
    pub connections: usize,
    /// The same of one account of this machine, or of one site.
    pub share: usize,
    /// Bytes of a request line and its fields, 8192 or more.
    pub head_bytes: usize,
    /// How long a request's head may take from the end of the one before it, a handshake or an idle connection with it.
    pub head_time: Duration,
    /// Bytes of a request's content.
    pub body_bytes: u64,
    /// How long the content may take, and how long a peer may take no byte of an answer.
    pub body_time: Duration,
    /// Requests on one connection.
    pub requests: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections: 64,
            share: 16,
            head_bytes: 16 << 10,
            head_time: Duration::from_secs(15),
            body_bytes: 64 << 10,
            body_time: Duration::from_secs(15),
            requests: 1000,
        }
    }
}
