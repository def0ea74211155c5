//! Records on their way to audit record repositories: read from the JSON lines, rendered, sent, at least once.
//!
//! Nothing here stands between the relay and its records. A forwarder of its own, on a thread of its own, reads for each
//! repository what the sink has written, from a [`Cursor`](cursor) that is kept on the disk; whatever happens to the
//! repository, the network or this process, it goes on from there.
//!
//! # What counts as delivered
//!
//! - **FHIR**: the server answered 2xx.
//! - **Syslog over TLS** (RFC 5425) has no acknowledgement. TCP_USER_TIMEOUT closes a connection on which anything sent
//!   stays unacknowledged for [`Pace::unacknowledged`]; so what was sent [`Pace::settling`] ago, which is longer, on a
//!   connection that is still open, has reached the repository's machine. The cursor follows at that distance. When a
//!   connection breaks, everything after the cursor is sent again. At an orderly end dimsegate closes its half first;
//!   the repository's own orderly close after that says that it has read everything (unread bytes would make it a reset).
//! - **Syslog over UDP** (RFC 5426): it was sent.
//!
//! What is not delivered yet is its backlog: [`Standing`] has it in records, bytes and the time of the oldest, the log has
//! it at each attempt that fails, and a record has it once when the oldest waits longer than [`Pace::alarm`].
//!
//! So a repository may get a message twice, with the same sequence numbers, and never misses one that it could have had.

mod backlog;
mod backoff;
mod cursor;
mod destination;
mod fhir;
mod forwarder;
mod forwarding;
mod hold;
mod position;
mod sender;
mod status;
mod stream;
mod syslog;
mod udp;

pub use destination::{Begin, Destination, Endpoint, Kind, Syslog, Tls, Transport};
pub use forwarder::Pace;
pub use forwarding::Forwarding;
pub use status::Standing;

#[cfg(test)]
mod tests;
