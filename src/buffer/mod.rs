//! Bytes on their way: large buffers that are lent while data flows, the inbox that a peer's bytes are read into, and the shelf
//! where frames lie that peers share the memory for. No I/O.
//!
//! A room of its own, below all others: TLS decrypts in the inbox that the upper layer reads from, and neither knows the other.
//!
//! # What stays when many associations have ended
//!
//! The memory of associations that have ended stays with the allocator and is used again: the second 3,000 idle associations
//! need none beyond that of the first. It does not go back to the system. Buffers and shelves have no part in that: what an
//! association holds is some hundred small pieces, and the allocator of the C library gives back only what lies behind the last
//! piece in use. One piece that lives on, such as a table that grew, keeps all before it, with a single arena and with the
//! smallest thresholds as well. An allocator that gives pages back wherever they lie (mimalloc 2.3, without huge pages) returned
//! two thirds, and held 2 % more for each association that is open, at no difference of CPU that could be told from noise;
//! mimalloc 3.3 returned next to nothing. So no other allocator was taken: it would be one more library in C, which everything
//! goes through, for memory that is there to be used by the next associations.

mod inbox;
mod lent;
mod shelf;

pub use inbox::Inbox;
pub use lent::Buffer;
#[cfg(test)]
pub use lent::NoneMayWait;
pub use shelf::{Corner, Held, Lot, NoRoom, Shelf};
