//! The proxy itself. Only the peers of the demonstration open DICOM sockets beside it.
//!
//! # The way of a byte
//!
//! ```text
//!  requestor's socket                                                              upstream's socket
//!        |                                                                                  ^
//!        v  tls decrypts in place                                          vectored write   |
//!      Leg --> Inbox --> Deframer --> State --> spans over the inbox --> Packer's plan --> Leg
//!              stays where it is      decides   (or over what a          headers of new
//!              until it is written              rewrite made)            PDUs between them
//!      |_____|  |__________________________________________________________________|    |_____|
//!       drive                             machine, without waiting                        drive
//! ```
//!
//! The same stands the other way round for what the upstream says. `drive` asks the `machine` what each of the two halves
//! wants, and waits for it: bytes, room to write, an answer, a deadline. Nobody else waits once an association is open.
//!
//! | file | holds |
//! | --- | --- |
//! | `gate`, `in_force` | what all associations share; the configuration with what it has open |
//! | `live` | the associations that are open at this moment, how far each has come, and the order to end one |
//! | `judging` | the one decision, asked again about those |
//! | `recent` | the last refusals |
//! | `listeners`, `listener` | all accept loops, and one |
//! | `session`, `established`, `opened` | one connection as the protocol tells it |
//! | `slots` | places for connections |
//! | `handed_on` | from an address that several tenants have to the gate of one |
//! | `threshold` | what is asked of every connection before it is let in |
//! | `arrival`, `entrance`, `proxy_protocol`, `proxy_header` | from a socket to a leg, and the records of those who are not let in |
//! | `handshake`, `associate`, `upstream`, `early` | the two A-ASSOCIATE exchanges |
//! | `machine` | both directions of an open association: messages, rules, books, deadlines |
//! | `drive` | the machine between its two legs |
//! | `seldom`, `alarm` | waiting for a deadline without a look at each byte |
//! | `decoding` | what decodes frames |
//! | `counting` | patients whom somebody sees today, counted |
//! | `consenting` | whether patients have consented: lists in force, servers asked |
//! | `in_turn` | work on threads for that, so much of it at once |
//! | `looking_up` | studies that an upstream is asked about, for peers that may see some only |
//! | `brought` | instances that such peers have stored, for storage commitment |
//! | `asking` | the crosswalk, for one association |
//! | `leg` | bytes in and out |
//! | `caught` | a panic, as an answer like others |
//! | `nothing_allowed` | an association of which no presentation context is allowed |
//! | `tokens`, `borne` | tokens of requests, checked and taken; what one means for an association |
//! | `proof`, `assumed` | what TLS proved, and what it and a user identity would prove, for whoever explains a decision |
//! | `traced` | what those see who trace an association; its legs tell the rest |
//! | `people`, `identified`, `user_identity`, `proving` | the users of the file, whom a request names, whether that is so, and how many are asked at once |
//! | `ids` | how associations are called |
//! | `refusals` | those who were not let in, gathered by the minute |
//! | `repeated` | refusals counted against whoever was refused, and who is due to be shut out |
//! | `farewell`, `parting`, `records` | how it ends, and what is written down |
//! | `verification` | a C-ECHO of dimsegate itself |
//!
//! # Why
//!
//! - **Why one task for both directions**, and one owner of their state: what they share is looked at for each message, and
//!   needs no lock so. How they take turns at one socket is then a rule of the machine, and not of a scheduler.
//! - **Why a machine and a driver**, and no futures of each half: see `machine`.
//! - **What waits, and where.** On a thread of the runtime an association decides, frames and copies. Blocks, limits, rights
//!   and what a crosswalk has in memory are answered there at once, and a decision has its clock among its facts, so that
//!   `explain` can ask for any hour. Passcodes are hashed on threads of their own (`users`); frames, names of hosts, files
//!   and questions to many associations have those for work that blocks. One question cannot be put off: a rule asks the
//!   crosswalk in the middle of an element. Where that has to look at the disk, the thread hands its other tasks on first.
//!   What is dear and stays is the signatures of a TLS handshake; chains that were verified a moment ago are remembered.
//! - **Permits come before what is dear**: a slot before the accept, the connection's permit before TLS, room for the request
//!   before it is read, the association's permit and a turn of its peer before a passcode is hashed, the permit before the
//!   upstream is dialled, a place in the queue of its peer before a frame is decoded.

mod alarm;
mod arrival;
mod asking;
mod associate;
mod assumed;
mod borne;
mod brought;
mod caught;
mod consenting;
mod counting;
mod decoding;
mod drive;
mod early;
mod entrance;
mod established;
mod farewell;
mod gate;
mod handed_on;
mod handshake;
mod identified;
mod ids;
mod in_force;
mod in_turn;
mod judging;
mod leg;
mod listener;
mod listeners;
mod live;
mod looking_up;
mod machine;
mod nothing_allowed;
mod opened;
mod parting;
mod people;
mod proof;
mod proving;
mod proxy_header;
mod proxy_protocol;
mod recent;
mod records;
mod refusals;
mod repeated;
mod seldom;
mod session;
mod slots;
mod threshold;
mod tokens;
mod traced;
mod upstream;
mod user_identity;
mod verification;

pub(crate) use assumed::assumed;
pub(crate) use borne::{borne, borne_verdict, reason_of, still_borne};
pub(crate) use gate::{Gate, Stage};
pub(crate) use identified::Identified;
pub(crate) use in_force::InForce;
pub use listeners::BindError;
pub(crate) use listeners::{Bound, ListenFor, Listeners};
pub(crate) use live::{Changes, Context, Contexts, Entry, Mark, OfUpstream, Order, Role, Wanted, When};
#[doc(hidden)]
pub use machine::played;
pub(crate) use proof::{Ending, Proven, proven_by};
pub(crate) use recent::{Because, Recalled};
pub(crate) use repeated::Due;
pub use upstream::{AddressState, Availability, UpstreamState};
pub(crate) use verification::check;
pub use verification::{ECHO_AE_TITLE, EchoError, Echoed, echo};
