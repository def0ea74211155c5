//! A backup: one file with all that cannot be made again, for those who hold a key, and the way back.
//!
//! ```text
//! age-encryption.org/v1                  whom it is for; every chunk sealed, the last one marked as the last
//!   manifest.json                        first: which version, what is in it, how long each member is, and its SHA-256
//!   conf/dimsegate.toml                  then the members, in that order
//!   state/blocks.json
//!   …
//! ```
//!
//! What is inside of the encryption is a tar file (POSIX.1-1988, ustar), so that `age --decrypt | tar --extract` is a way back
//! without this program. Nothing here knows of sockets, TOML or rules: what belongs in a backup, whoever makes one says.
//!
//! | file | holds |
//! | --- | --- |
//! | `place` | where a member lies, so that it never leaves the folder that it is restored into |
//! | `kind` | what there is to back up |
//! | `manifest` | what a backup says of itself |
//! | `entry` | the header of a member |
//! | `writing` | a backup is made, whole or not at all |
//! | `reading` | it is read, and unpacked into a folder of its own |
//! | `last` | when the last one was made |
//! | `error` | why not |
//!
//! # Why
//!
//! - **Why the manifest is first**: whoever reads knows how much comes before the first byte of it is written, and a header behind it
//!   is compared with the one that has to be there, and never believed. So each member is read twice when a backup is made; one that
//!   changed in between fails it.
//! - **Why it is always encrypted**: also without keys it holds hashes of passcodes, and who is shut out.
//! - **What encryption does not say** is who made it: whoever has the public key can. So the SHA-256 of the file is in the trail.

mod entry;
mod error;
mod kind;
mod last;
mod manifest;
mod place;
mod reading;
mod writing;

pub use crate::age::{Identity, Recipient};
pub use error::BackupError;
pub use kind::Kind;
pub use last::Last;
pub use manifest::{Head, Manifest, Member, Reference, VERSION};
pub use place::{NotAPlace, Place};
pub use reading::Archive;
pub use writing::{Content, Made, Source, digest_of, write};

#[cfg(test)]
mod tests;
