//! TOML to compiled settings, with every problem at once.
//!
//! [`load()`] reads a file and everything that it names (certificates, keys, secrets), and gives either [`Settings`] that
//! can be put into force as they are, or all [`Diagnostics`]. What is in force meanwhile is never touched. Relative
//! paths are relative to the working directory, or where the file says so to itself, and errors name both.
//!
//! # Why
//!
//! - **Why every problem at once.** Whoever corrects a configuration does so in an editor, often far away and at night; one
//!   problem for each try would be an evening.
//! - **Why it opens nothing.** A configuration is also read to check it, to explain a decision and to compare two, beside a proxy
//!   that runs. Databases, sockets and the trail are opened by [`daemon`](crate::daemon), from what is compiled here.
//! - **Why by hand over spans, and not by derived types.** A message has to name line, column and key, say what was expected and
//!   what is spelt nearly so, and go on to the next problem. A derived reader ends at its first error.
//! - **Why the compiled types are those of the rooms that use them.** What cannot be said in these types cannot be configured, so
//!   that no room checks its settings a second time.

mod addresses;
mod admin;
mod admission;
mod agreement;
mod audit;
mod automatic_blocks;
mod backup;
mod certificates;
mod claims;
mod compiling;
mod consent;
mod counted;
mod crosswalk;
mod descriptors;
mod diagnostic;
mod factors;
mod folder;
mod issuer;
mod keys;
mod limits;
mod listener;
mod load;
mod loops;
mod mask;
mod metrics;
mod names;
mod notify;
mod part;
mod peer;
mod places;
mod policy;
mod queries;
mod report;
mod repository;
mod rewrite;
mod role;
#[cfg(test)]
pub(crate) mod sample;
mod scope;
mod secret;
mod secrets;
mod section;
mod settings;
mod shadow;
mod shape;
mod share;
mod sharing;
mod shown;
mod spelling;
mod suggest;
mod syntax;
mod tenants;
#[cfg(test)]
mod tests;
mod tls;
mod two_way;
mod units;
mod upstream;
mod url;
mod user_identity;
mod users;
mod words;

pub(crate) use addresses::holds_everybody;
pub use addresses::{checked_host_and_port, checked_network};
pub use audit::log_level;
pub use compiling::{Loaded, TenantSettings};
pub use diagnostic::{Diagnostic, Diagnostics};
pub use keys::Keys;
pub use load::{admin_listen, load, load_files, load_of, load_text, log_format};
pub use part::{
    CrosswalkTables, Rules, crosswalk_tables, patient_identifiers, records_of, rules, ruleset, users_of,
};
pub use places::Places;
pub(crate) use repository::host_name;
pub use secret::{crosswalk_key, users_key};
pub use settings::*;
pub(crate) use shown::{Shown, shown, shown_text};
pub(crate) use suggest::nearest;
pub(crate) use units::{duration_of as duration, size_of as size};
pub use url::origin as url_origin;
