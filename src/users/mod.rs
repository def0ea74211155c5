//! People: who they are, and whether somebody is who they say.
//!
//! They live in a file of their own (`[users] file`): name, argon2id hash of a passcode, one-time secret (RFC 6238), roles.
//! [`Store`] reads and changes the file, [`Users`] verifies. Nothing here knows of sockets, HTTP or DIMSE, and time is given.
//!
//! What is kept beside the file, in `FILE.used`, is which one-time codes were used: a code works once, also after a restart.
//!
//! # Why
//!
//! - **Why a file of their own.** The configuration is under version control and read by many; hashes and secrets are not for them.
//!   It changes at other times too: a passcode is set without a change of the configuration.
//! - **Why used codes stand beside it.** The file is what an administrator keeps and puts back; which codes were used is what the
//!   proxy knows, and an older copy of the one must not make a code good again.
//! - **Why an unknown name costs a hash too.** Otherwise time tells which names there are.
//! - **Why who waits is known by user and address.** A lock-out by the name alone lets anybody lock a radiologist out from
//!   anywhere, and one by the address alone hits everybody behind one gateway.

mod common;
mod error;
mod file;
mod hash;
mod lock;
mod lockout;
mod one_time;
mod passcode;
mod replace;
mod sealed;
mod steps;
mod store;
#[cfg(test)]
mod tests;
mod user;
mod verify;

pub use error::UsersError;
pub use hash::Hash;
pub use one_time::{OneTimeSecret, matching};
pub use passcode::{WeakPasscode, made, refused};
pub use sealed::{Key, Sealed};
pub use store::{Store, read};
pub use user::{AdminRole, User, check_new_name, moment};
pub use verify::{Attempt, Code, Refused, Users};
