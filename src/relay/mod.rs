//! The proxy itself: the only room that opens DICOM sockets.
//!
//! | file | holds |
//! | --- | --- |
//! | `proxy` | start, reload, drain: what the command line drives |
//! | `gate` | what all associations share |
//! | `ids` | what ties records and log together |
//! | `listener` | accept loops |
//! | `session`, `established` | one connection as the protocol tells it |
//! | `arrival`, `entrance`, `proxy_protocol` | from a socket to a leg, and the records of those who are not let in |
//! | `handshake`, `associate`, `upstream`, `early` | the two A-ASSOCIATE exchanges |
//! | `association`, `exchange`, `progress`, `release` | the state that both directions share |
//! | `deadlines` | which deadline has passed |
//! | `seldom` | waiting for a deadline without a look at each byte |
//! | `pump`, `message`, `command`, `writing` | one direction: bytes to messages to the other side |
//! | `failing` | data sets that cannot be rewritten |
//! | `stepping`, `decoding` | data sets that take more than a moment, and what decodes frames |
//! | `phase` | where one direction is in its message |
//! | `asking` | the crosswalk, for one association |
//! | `crossing` | messages between real values and pseudonyms, where a rewrite goes two ways |
//! | `leg` | bytes in and out |
//! | `refusals` | those who were not let in, gathered by the minute |
//! | `ended`, `farewell`, `parting`, `records` | how it ends, and what is written down |
//! | `verification` | a C-ECHO of dimsegate itself |

mod arrival;
mod asking;
mod associate;
mod association;
mod command;
mod comparison;
mod crossing;
mod deadlines;
mod decoding;
mod early;
mod ended;
mod endings;
mod entrance;
mod established;
mod exchange;
mod failing;
mod farewell;
mod gate;
mod handshake;
mod ids;
mod leg;
mod listener;
mod message;
mod nothing_allowed;
mod parting;
mod phase;
mod progress;
mod proxy;
mod proxy_protocol;
mod pump;
mod records;
mod refusals;
mod release;
mod seldom;
mod session;
mod stepping;
mod upstream;
mod verification;
mod writing;

pub use proxy::{Proxy, StartError};
pub use verification::{EchoError, Echoed, echo};
