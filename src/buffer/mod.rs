//! Bytes on their way: large buffers that are lent while data flows, and the inbox that a peer's bytes are read into. No I/O.
//!
//! A room of its own, below all others: TLS decrypts in the inbox that the upper layer reads from, and neither knows the other.

mod inbox;
mod lent;

pub use inbox::Inbox;
pub use lent::Buffer;
#[cfg(test)]
pub use lent::NoneMayWait;
