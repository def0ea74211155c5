//! Who may do what: facts to verdict and reason, and rates behind a clock. No sockets, no TOML.
//!
//! [`Policy::admits_address`] and [`Blocks::of_address`] are asked before any TLS work, [`decide()`] once the A-ASSOCIATE-RQ is read,
//! [`Role::permits_request`] for every DIMSE request, and [`limits::Limiter`] all along. A [`Reason`](crate::vocabulary::Reason) is the one word
//! for a refusal: what the requestor reads, what the record says and what a metric counts come from it.

mod admission;
mod ae_pattern;
#[warn(missing_docs)]
mod block;
#[warn(missing_docs)]
mod comparison;
mod covers;
mod decide;
#[warn(missing_docs)]
mod factors;
#[warn(missing_docs)]
mod hours;
mod index;
pub mod limits;
mod operation;
mod peer;
#[warn(missing_docs)]
mod rights;
mod role;
pub mod sop_class;
#[warn(missing_docs)]
mod tls_version;
mod treatment;
#[warn(missing_docs)]
mod user;

pub use ae_pattern::{AePattern, AePatternError};
pub use block::{Block, Blocked, BlockedError, Blocks, Known};
pub use comparison::{Change, Things, compare};
pub use decide::{
    Condition, ContextRefusal, ContextVerdict, Facts, Grant, Refusal, Verdict, decide, granted, recognised,
};
pub use factors::{Factor, Factors};
pub use hours::{Hours, HoursError};
pub use operation::{Direction, Operation, UnknownOperation};
pub(crate) use peer::is_name;
pub use peer::{Peer, Policy, RewriteDirection, Route};
pub use rights::Rights;
pub use role::{Denial, Request, Role};
pub use sop_class::{Group, SopClassSet, TransferSyntaxSet, UnknownUid};
pub use tls_version::TlsVersion;
pub use treatment::{Content, Part, Treatment};
pub use user::ProvenUser;

#[cfg(test)]
mod tests;
