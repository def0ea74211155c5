//! What TLS hides from whoever listens on the network: whole associations as they went over both legs, for somebody who asked to
//! see them. Never a value of a data set.
//!
//! ```text
//!   relay::leg (requestor) --+  bytes as they came and went,     +--> Trace of somebody -> queue -> Following
//!                            +--> Leg -> Reading -> Witness -----+
//!   relay::leg (upstream)  --+  PDUs, command sets, sizes, times +--> Trace of somebody else -> queue -> Following
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `traces`, `queue` | which traces are open; what waits for the reader of one |
//! | `filter` | which associations somebody wants to see |
//! | `witness` | one association, and who sees it |
//! | `leg` | one leg of it: what came, what went, and who was waited for |
//! | `reading` | PDUs in a stream of bytes (PS3.8 §9.3), read beside the relay |
//! | `negotiation`, `command` | what an A-ASSOCIATE (PS3.8 §9.3.2) and a command set (PS3.7 §9.3, §10.3) say |
//! | `seen`, `shown` | what is seen, and what of it may be shown |
//!
//! # Why
//!
//! - **Why it reads the bytes a second time**, and asks the machine of the relay nothing: what is traced is what was on the wire,
//!   also where the machine is wrong about it, and an association that nobody traces pays for a look at one pointer in each
//!   system call.
//! - **Why data sets are counted and never looked at**: what is not read cannot be told to anybody.
//! - **Why a user identity is a type alone**: its fields are secrets (PS3.7 D.3.3.7).
//! - **Why an instance is a number where identifiers are not to be shown**: that two messages are about the same instance is what
//!   explains them, and which one it is only a patient's record knows. The same number stands for the same UID in all of a trace,
//!   and for nothing outside of it.

mod command;
mod filter;
mod following;
mod leg;
mod negotiation;
mod queue;
mod reading;
mod seen;
mod shown;
#[cfg(test)]
mod tests;
mod traces;
mod witness;

pub(crate) use filter::Whose;
pub use filter::{Filter, MOST_OPEN};
pub(crate) use following::{Followed, Following};
pub(crate) use leg::Leg;
pub use seen::Node;
pub(crate) use seen::What;
pub(crate) use shown::Shown;
pub(crate) use traces::Traces;
pub(crate) use witness::Witness;
