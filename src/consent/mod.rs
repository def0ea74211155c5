//! What patients have consented to, by a `[[consent]]`: a list, the object itself, or a server of FHIR.
//!
//! Nothing here knows of sockets, TOML or DIMSE: whom an object is of is told as [`Who`], and what for as a text.
//!
//! | file | holds |
//! | --- | --- |
//! | `said` | whom is asked about, and what a source says of them |
//! | `fields` | one line of a list, in its fields |
//! | `table` | patients of a list as hashes, sorted |
//! | `list` | a list read: a line for each patient and purpose |
//! | `element` | what an object says of itself, PS3.3 C.7.2.3 |
//! | `fhir` | what a server answers (FHIR R4 Consent), and how it is asked |
//! | `remembered` | what a server has said, for a while |
//!
//! # Why
//!
//! - **Who is the same patient**: the same identifier and the same issuer, as everywhere in the proxy. Where one of two has no issuer, the
//!   `issuer` of the `[[consent]]` says whose it is; without that they are two.
//! - **Why a withdrawal reaches further than a grant**: a mistake that withholds is found by whoever waits for the object, one that shows
//!   is found by nobody. So a withdrawal counts before any grant, for all purposes where it names none, and for every purpose where nobody
//!   says what for; and in a list, a withdrawal without an issuer counts for the identifier of every issuer.
//! - **Why hashes**: a list of a million patients is looked through for each object. Sorted hashes take 28 bytes for each, whatever
//!   their identifiers are, and nobody finds a name in a dump of the memory. Their key is made for each list that is read, and kept nowhere.

mod element;
mod fhir;
mod fields;
mod list;
mod remembered;
mod said;
mod table;
#[cfg(test)]
mod tests;

pub use element::{Distribution, of_object};
pub use fhir::{LARGEST_ANSWER, query, said_by};
pub use list::{List, ListError, MOST_BYTES};
pub use remembered::Remembered;
pub use said::{Said, Who};
