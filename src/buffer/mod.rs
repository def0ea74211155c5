//! Bytes on their way: large buffers that are lent while data flows, the inbox that a peer's bytes are read into, and the shelf
//! where frames lie that peers share the memory for. No I/O.
//!
//! A room of its own, below all others: TLS decrypts in the inbox that the upper layer reads from, and neither knows the other.

mod inbox;
mod lent;
mod shelf;

pub use inbox::Inbox;
pub use lent::Buffer;
#[cfg(test)]
pub use lent::NoneMayWait;
pub use shelf::{Corner, Held, Lot, NoRoom, Shelf};
