//! A period of the trail, with its proof, in one file that somebody else can check: `case.zip`.
//!
//! | member | holds |
//! | --- | --- |
//! | `records/audit-YYYY-MM-DD.jsonl` | the lines of the period byte for byte, and those behind it up to the next checkpoint, which signs them |
//! | `audit.head` | the head of the trail as it was then |
//! | `export.json` | what this is: [`Statement`] |
//! | `configuration/…`, `certificates/…` | what whoever exports puts beside them |
//! | `SHA256SUMS` | the SHA-256 of every other member, as sha256sum(1) checks them |
//! | `SHA256SUMS.sig` | the Ed25519 signature of that file by the key that signs the trail, where it was at hand |
//!
//! # Why
//!
//! - **Why a chain without its beginning.** Each line names the hash of the one before, so that the checkpoint at the end signs
//!   every line of the part. What was before it is nobody's business who gets a case.
//! - **Why a second signature.** Who has no key can leave out the first days of a part, or the last, and what is left is a
//!   part in good order. The signature over `SHA256SUMS` says that these were all.
//! - **Why the crate `rawzip`.** It writes and reads what PKWARE's APPNOTE says, Zip64 too, as a stream and with nothing
//!   beneath it, and shows every entry of an archive: two of one name cannot hide each other. Compression is flate2's.
//!
//! Nothing here holds more of a trail in memory than a line.

mod check;
mod digesting;
mod history;
mod period;
mod statement;
mod write;
mod zip;

pub use check::{Export, NotAnExport, Wrong, verify};
pub use statement::{Configuration, InForce, NotRead, Ran, Statement, Told, UsedCertificate};
pub use write::{Beside, ExportError, Order, write};

/// Where the lines lie.
const RECORDS: &str = "records/";
const HEAD: &str = "audit.head";
const STATEMENT: &str = "export.json";
const MANIFEST: &str = "SHA256SUMS";
const SIGNATURE: &str = "SHA256SUMS.sig";
/// Longer than any line that is ours.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
