//! Who may do what: facts to verdict and reason, and rates behind a clock. No sockets, no TOML.
//!
//! [`Policy::admits_address`] and [`Blocks::of_address`] are asked before any TLS work. Once the A-ASSOCIATE-RQ is read,
//! `relay::session` asks [`recognised`] which peer it is, has the user identity checked, and asks [`granted`] what peer and user
//! may. Both together are [`decide()`], for those who have all the facts: replays (`explain`), and the relay where it judges open
//! associations again. [`Rights::permits_request`] is asked for every DIMSE request, and [`limits::Limiter`] all along. A
//! [`Reason`](crate::vocabulary::Reason) is the one word for a refusal: what the requestor reads, what the record says and what
//! a metric counts come from it.
//!
//! | file | holds |
//! | --- | --- |
//! | `facts`, `decide`, `refusal` | facts to verdict: the one decision, in its two halves; the no, and who came nearest |
//! | `peer`, `routing`, `index` | who may connect; where a called AE title leads; whom of ten thousand peers to ask |
//! | `ae_pattern` | AE titles with `*` and `?` |
//! | `admission`, `hours`, `tls_version` | what a role asks before anything is done: its TLS, and when |
//! | `border` | which countries a route joins, and the agreement that it needs |
//! | `proven`, `user`, `factors` | a proven user; what that means for an association; what may be proven, and what is missing |
//! | `request`, `role`, `rights` | a request and the no to it; what one role permits; what peer, user and agreement all allow |
//! | `query`, `answers` | what a role says of queries and retrievals; what becomes of their answers |
//! | `operation`, `sop_class` | what roles list: operations with their direction, SOP classes and transfer syntaxes |
//! | `scope` | which studies a peer may see |
//! | `covers`, `comparison` | whether a role allows all that another does; what a policy admits that another does not |
//! | `block` | whom an administrator shuts out |
//! | `repeated` | who is refused again and again, counted until they are shut out for a while |
//! | `stated` | the line of the configuration that states what decided |
//! | `limits` | rates and counts behind a clock |
//! | `one_site` | addresses that one host can pick among |
//! | `treatment` | what becomes of a message between real values and pseudonyms |
//!
//! # Why
//!
//! - **Why it is pure.** A decision has all that it depends on among its facts, the clock and the blocks too. So `explain` and
//!   `check --diff` ask the very function that let somebody in, an open association can be judged again at any moment, and a
//!   property can be tried over policies that nobody would write.
//! - **Why it has two halves.** A passcode is dear to verify, and whether it is asked for at all depends on the peer. The half
//!   that recognises the peer costs nothing that a stranger could make the proxy pay for; the other comes behind the proof.
//! - **Why an index, and the order of the file all the same.** Whoever writes peers reads them from the top, and the first that
//!   matches decides. The index only leaves out those that cannot match; a property holds it against the plain walk.
//! - **Why a refusal tells who came nearest.** Almost every refusal is a mistake in one line, and whoever looks for it at night
//!   should be led to that line. The requestor is told the reason of the standard and no more.

mod admission;
mod ae_pattern;
mod answers;
mod block;
mod border;
mod comparison;
mod covers;
mod decide;
mod factors;
mod facts;
mod hours;
mod index;
pub mod limits;
mod one_site;
mod operation;
mod peer;
mod proven;
mod query;
mod refusal;
mod repeated;
mod request;
mod rights;
mod role;
mod routing;
pub mod scope;
pub mod sop_class;
mod stated;
mod tls_version;
mod treatment;
mod user;

pub use ae_pattern::{AePattern, AePatternError};
pub use answers::{Allowed, Hidden};
pub use block::{Block, Blocked, BlockedError, Blocks, Known};
pub use border::{Agreement, Borders, Country, Ends, Mechanism, UnknownCountry};
pub use comparison::{Change, RoleChange, Things, compare, compare_roles};
pub use decide::{ContextRefusal, ContextVerdict, Grant, Verdict, decide, granted, recognised};
pub use factors::{Factor, Factors};
pub use facts::Facts;
pub use hours::{Hours, HoursError};
pub use operation::{Direction, Operation, UnknownOperation};
pub(crate) use peer::is_name;
pub use peer::{ConsentWanted, Peer, RewriteDirection};
pub use proven::{LONGEST_USER_NAME, ProvenUser, is_user_name};
pub use query::{AttributePattern, Queries, QueryKey, QueryLevel, Sought};
pub use refusal::{Condition, Refusal};
pub use repeated::{AutomaticBlocks, Repeated, counted_against, weight, weight_of_request};
pub use request::{Denial, Request};
pub use rights::Rights;
pub use role::Role;
pub use routing::{Policy, Route};
pub use scope::Scope;
pub use sop_class::{Group, SopClassSet, TransferSyntaxSet, UnknownUid};
pub use stated::{KeyLines, Stated};
pub use tls_version::TlsVersion;
pub use treatment::{Content, Part, Treatment};

#[cfg(test)]
mod tests;
