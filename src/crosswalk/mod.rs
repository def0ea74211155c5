//! The crosswalk: an embedded database that remembers which pseudonym stands for which real value, one for each rewrite
//! domain, so that those who know only pseudonyms can use them (PS3.15 E.1.2, E.3.9).
//!
//! # Why SQLite
//!
//! What is lost here can be made again by nobody, so the choice is the engine whose crashes, full disks and damaged
//! files have been tested longest, whose format will still be read in decades, and which says "corrupt" where others
//! panic. It commits with one fsync (write-ahead log, `synchronous = FULL`), overwrites what is erased
//! (`secure_delete`), and lets commands read while the proxy writes. It costs C code and about a megabyte; a C compiler
//! is needed anyway. redb, in Rust and smaller, has to be reopened after any failed write, keeps erased pages, and lets
//! nobody read beside the writer. Licences: public domain, and MIT for the binding. The file has to be on a local disk:
//! its journal is shared memory.
//!
//! # What somebody sees who has the file and not the key
//!
//! How many correspondences there are, of which kind, how long their values are together, and in which order they came.
//! Values are AES-256-GCM, bound to their domain, kind, place and key version; they are found by HMACs with a key of
//! their own, so that neither a value nor a relation between two rows can be guessed or tried. Both keys are derived
//! (HKDF) from the key file and the random name of the domain.
//!
//! A correspondence takes about 240 bytes of the file.
//!
//! # When something is durable
//!
//! [`Crosswalk::store`] returns when it is on the disk. One writer thread commits all that waits together.
//!
//! # Who waits for a look-up
//!
//! Whoever asks, and nobody else. What is known in memory is told at once. For the rest, a thread of a runtime leaves its other
//! tasks to another thread while it is at the database; the machine of an association could not ask later and go on, since
//! rules ask in the middle of an element.
//!
//! # Who may use it at the same time
//!
//! One process has it open as a [`Crosswalk`], and is the only one that writes: it keeps what it knows in memory, and another
//! writer would make that wrong. Any other may read beside it, as a [`Guest`].

mod database;
mod error;
mod guest;
mod handle;
mod import;
mod known;
mod lock;
mod row;
mod secret;
mod upkeep;
mod writer;

pub use error::{CrosswalkError, NotStored};
pub use guest::Guest;
pub use handle::Crosswalk;
pub use import::{Assigned, Contradiction, Imported, NotImported, import};
pub use secret::Secret;
pub use upkeep::{Holdings, copy, erase, export, probe, rotate, show};

#[cfg(test)]
mod tests;
