//! The upper layer service (PS3.8 §7) for one that is at the end of an association, over any stream. It opens no socket.

mod transport;

pub use transport::{Transport, prepare};
