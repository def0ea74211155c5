//! Records on their way to audit record repositories: read from the JSON lines, rendered, sent, at least once.
//!
//! Nothing here stands between the relay and its records. A forwarder of its own, on a thread of its own, reads for each
//! repository what the sink has written, from a [`Cursor`](cursor) that is kept on the disk; whatever happens to the
//! repository, the network or this process, it goes on from there.
//!
//! # What counts as delivered
//!
//! - **FHIR**: the server answered 2xx. The cursor moves with each record.
//! - **Syslog over TLS** (RFC 5425) has no acknowledgement, and an open connection says nothing: a process that hangs has
//!   a kernel that takes bytes. What can be known is the end of a stream: the repository's close_notify after ours says
//!   that it has read everything before. So messages go in streams of some seconds or a mebibyte, each ended in order, and
//!   the cursor moves with each that was; when one breaks, all of it is sent again, in a shorter one.
//! - **Syslog over UDP** (RFC 5426): it was sent, no faster than a receiver can be expected to read.
//!
//! What is not delivered yet is its backlog: [`Delivery`] has it in records, bytes and the time of the oldest, the log has
//! it at each attempt that fails, and a record has it once when the oldest waits longer than [`Pace::alarm`]. Days are
//! closed meanwhile; what is still to send of them is kept for that alone ([`unsent`](super::unsent)).
//!
//! So a repository may get a message twice, with the same sequence numbers, and never misses one that it could have had.

mod backoff;
mod cursor;
mod destination;
mod failing;
mod fhir;
mod forwarder;
mod forwarding;
mod pace;
mod parcel;
mod position;
mod progress;
mod reader;
mod seal;
mod sender;
mod status;
mod stream;
mod syslog;
mod turns;
mod udp;

pub use destination::{Begin, Destination, Endpoint, Kind, Syslog, Tls, Transport};

pub(crate) use failing::Failing;
pub use forwarding::{Deliveries, Forwarding};
pub use pace::Pace;
pub use status::Delivery;

#[cfg(test)]
mod tests;
