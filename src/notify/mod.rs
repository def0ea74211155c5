//! Somebody is told what they should look at: a POST to a hook, or a command.
//!
//! | file | holds |
//! | --- | --- |
//! | `occasion` | what there is to tell of, and which records are of which |
//! | `due` | what is told now, and what was told already |
//! | `target` | `[[notify]]`, with its certificates and its key read |
//! | `message` | what is sent, and its signature |
//! | `hook`, `command` | the two ways to somebody |
//! | `delivery` | a task for each target: tries again, and gives up |
//!
//! # Why from the records
//!
//! Everything that a person should look at is a record already. Whoever tells people reads the same words, so that a message
//! says nothing that the trail does not, and nothing is decided twice. Only what cannot be recorded (a disk that takes nothing)
//! comes another way.

mod command;
mod delivery;
mod due;
mod hook;
mod message;
mod occasion;
mod target;

pub(crate) use delivery::{Notifying, test};
pub use message::Message;
pub use occasion::Occasion;
pub use target::{Hook, Target, Tls, Way};
