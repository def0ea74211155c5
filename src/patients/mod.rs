//! How many patients a name has seen today: `max-patients-per-day` of a `[[role]]`.
//!
//! [`Seen`] remembers who saw whom, on the disk before anything is shown. Nothing here knows of sockets, TOML or DIMSE: whom an
//! answer is about, or a study of, [`Patient`] is told.
//!
//! | file | holds |
//! | --- | --- |
//! | `patient` | one patient, and whose list they are on |
//! | `seen` | who saw whom today, and whether that may be one more |
//! | `kept` | the two files of it: hashes, and the key that they are made with |
//!
//! # Why
//!
//! - **What counts** is a patient whose data went to a name or was to go: by an answer to a C-FIND, and by a C-MOVE or C-GET that
//!   the archive was asked for. Whose a study is, the archive says, never the requestor: some archives look for the UID of the
//!   level alone, whatever Patient ID a retrieval names beside it, and a C-MOVE brings nothing back that could be looked at. So
//!   a retrieval is counted before it goes on, and its objects are those of the studies that were counted (`relay::machine::scoped`).
//! - **Who is the same patient**: the same Patient ID and Issuer of Patient ID. Without an issuer, it is a patient of that
//!   upstream; without a Patient ID, each study is a patient of its own, which counts too many and never too few. All of that is as the upstream
//!   says it: behind two-way pseudonyms, too, each patient has one name there.
//! - **Why a day of the calendar, in UTC**: everybody can tell when it begins, and what is counted lies between two midnights of
//!   the records, which are in UTC too. The last 24 hours would be a moment that nobody can name, and hours of a role may have several zones.
//! - **Why hashes with a key**: who has the file, or a copy of it, learns how many, and not who. The same patient has another hash
//!   on each list and each day, so that nobody can be followed over days. Names are hashes as well.
//! - **Why two lists at once**: that of the peer, whoever asks, and that of the user, from wherever, each where it is limited: as
//!   retrievals within an hour are counted.
//! - **What cannot be counted is not shown**: a disk that is full, a file that is damaged, a key that is gone, no room. An error
//!   says which; nothing is begun anew by itself, since that would give everybody another day.

mod kept;
mod patient;
mod seen;
#[cfg(test)]
mod tests;

pub use patient::{Name, Patient};
pub use seen::{NotTaken, Seen};
