//! What a configuration and the records of a period show of the controls that auditors ask for.
//!
//! A [`Control`] names checks; a check is one pure function from [`Facts`] to a [`Finding`]: found, with the line of the
//! configuration and the command that shows it, missing, with what to do, or nothing that a proxy can show. [`judged`] puts both
//! together for one [`Report`].
//!
//! | file | holds |
//! | --- | --- |
//! | `control` | the controls: data of the publishers' texts, and mappings of our own, which are marked as such |
//! | `report` | which controls a report has, and what was found of each |
//! | `finding` | what a check says |
//! | `check` | every check by its name |
//! | `checks` | what each of them looks at |
//! | `facts`, `recorded` | what they look at: settings, places of keys, figures of the records |
//! | `flows` | who sends what where, by the configuration |
//!
//! # Why
//!
//! - **Why nothing is found without records.** Evidence is about a period. A file shows what somebody wrote, and not that it was
//!   in force: only records that name the digest of the configuration do. A period without such records is missing throughout.
//! - **Why a report never says more than "provides evidence for".** Whether an organisation does what a law asks, people judge, from
//!   much that no proxy sees. So each caveat is printed, with the date of the data, and proposals are marked as proposed.
//! - **Why no SOP class, patient or user is in it.** A report is handed on; it names places in the configuration and commands, and
//!   whoever may read the records runs them.
//! - **Why what is to come is missing here.** Tenants and emergencies have their checks in `checks::elsewhere`; each
//!   says that this version has nothing to show.

mod check;
mod checks;
mod control;
mod facts;
mod finding;
mod flows;
mod recorded;
mod report;
#[cfg(test)]
pub(crate) mod tests;

pub use check::{CHECKS, Check};
pub use control::{Control, Controls, controls};
pub use facts::{Facts, Trail, keys_beside, loose_keys};
pub use finding::{Finding, Found, Missing, Place, Query};
pub use flows::{Flow, flows};
pub use recorded::{Recorded, recorded};
pub use report::{Judged, Report, Standing, judged};
