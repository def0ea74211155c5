//! The Basic Application Level Confidentiality Profile and its options (PS3.15 Annex E), as rules behind those that an
//! administrator wrote.
//!
//! The tables are generated ([`attributes`], [`safe_private`], [`concepts`], [`burned_in`]) but [`signs`]; what a code means for an
//! element says `compile`. The IOD is not analysed: of a code such as X/Z/D the choice that keeps every IOD valid is taken, no
//! attribute is added that the object lacks, and attributes in the table lose their value whatever the IOD says.

mod attributes;
mod beyond;
mod burned_in;
mod compile;
mod concepts;
mod content;
mod decision;
mod declared;
mod fit;
mod method;
mod option;
mod policy;
mod references;
mod rows;
mod safe_private;
mod signs;
mod spec;

use rows::{Concept, SafePrivate};

pub use attributes::{EDITION, ROWS};
pub(super) use beyond::BEYOND;
pub(super) use burned_in::BURNED_IN;
pub(super) use compile::append;
pub(super) use content::ContentItems;
pub(super) use decision::Profile;
pub(super) use declared::DeclaredSafe;
pub(super) use method::CLEAN_PIXELS;
pub use option::ProfileOption;
pub(super) use policy::{FLAG, Pixels};
pub(super) use references::is_of_reference;
pub use rows::Row;
pub(super) use safe_private::SAFE;
pub(super) use signs::{SIGNS, WANTED as SIGNS_ARE_IN};
pub use spec::{BurnedIn, ProfileSpec};
