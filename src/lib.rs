//! dimsegate: a transparent DICOM proxy at the DIMSE level.
//!
//! A remote node opens an association, usually over TLS; dimsegate decides whether it may, opens the same
//! association to the PACS, and relays every message both ways, rewriting data sets where a rule says so and
//! recording everything.
//!
//! # The way of a byte
//!
//! ```text
//! relay::listener -> tls -> wire::associate -> policy::decide -> relay::upstream
//!                                                     |
//!         +-------------------------------------------+
//!         v
//!   relay::drive    relay::machine                                            relay::drive
//!   read, decrypt -> wire::deframer -> dimse -> policy -> rewrite -> wire::packer -> write
//!        |                                                                           ^
//!        +--> inbox: bytes lie here until they are written, and are not copied ------+
//! ```
//!
//! `relay::session` reads as that protocol, from the first byte to the closing record.
//!
//! # Rooms, and which way the arrows point
//!
//! | room | standard | holds |
//! | --- | --- | --- |
//! | [`notation`] | | bytes as hexadecimal digits, text inside of a URI |
//! | [`buffer`] | | buffers that are lent while data flows, the inbox that a peer's bytes are read into, the shelf for frames |
//! | [`wire`] | PS3.8 §9.3 | PDUs, the A-ASSOCIATE codec, fragments |
//! | [`dimse`] | PS3.7 | command sets, message assembly, status codes |
//! | [`dataset`] | PS3.5 | the scanner and writer of elements, in every transfer syntax |
//! | [`rewrite`] | PS3.15 E | rules, and the streaming transform over `dataset` |
//! | [`crosswalk`] | PS3.15 E | what pseudonyms stand for, in an encrypted database |
//! | [`vocabulary`] | | the word for each thing that happens: label, meaning, where to look, answer, alert |
//! | [`files`] | | files that somebody named: how errors call them, small ones written whole, lines that grow, locks, whose they are, and whether they changed |
//! | [`identity`] | | what a certificate says |
//! | [`users`] | RFC 6238 | people of a file: passcodes, one-time codes, who has to wait after wrong ones |
//! | [`tokens`] | RFC 7519 | JSON Web Tokens: whose they are, whether they are right, and which were taken |
//! | [`patients`] | | how many patients somebody has seen today, on the disk, and by no name |
//! | [`consent`] | | what patients have consented to: lists, what objects say, servers of FHIR |
//! | [`policy`] | | facts to verdict and reason, and whom an administrator shuts out; rates behind a clock |
//! | [`age`] | | files that only a reviewer's key opens (age-encryption.org/v1) |
//! | [`backup`] | | one encrypted file with all that cannot be made again, and the way back |
//! | [`audit`] | PS3.15 A.5 | typed events, the sink that keeps them, and their way to repositories |
//! | [`config`] | | TOML to compiled settings, with every problem at once |
//! | [`evidence`] | | what configuration and records show of the controls that auditors ask for |
//! | [`tls`] | PS3.15 B | rustls settings, the stream and its handshake, certificates made and shown |
//! | [`http`] | | HTTP on loopback, on a Unix socket or behind TLS, within bounds |
//! | [`metrics`] | | what is counted and measured, in the words of OpenMetrics |
//! | [`upper`] | PS3.8 §7 | an association with one leg: dimsegate itself as requestor or acceptor |
//! | [`trace`] | | associations as they went over both legs, for whoever asked to see them; never a value of a data set |
//! | [`notify`] | | somebody is told what they should look at: hooks and commands |
//! | [`relay`] | PS3.7 D.3.3.7 | sockets: listener, session, upstream; the machine of an association, and what drives it |
//! | [`daemon`] | | what lives as long as the process: start, reload and stop of all of it |
//! | [`admin`] | | the administration interface of a running proxy |
//! | [`cli`] | | a file or a folder a subcommand, those that ask a running proxy too |
//!
//! `notation`, `vocabulary`, `files`, `buffer`, `wire`, `dimse`, `dataset`, `rewrite`, `crosswalk`, `policy`, `identity`, `users`, `tokens`, `patients`, `consent`, `age`, `backup` and the audit events
//! know nothing of sockets, TOML or the relay; `trace` gets bytes and opens no socket; `upper` takes a stream and opens none. `config` compiles into their types;
//! `relay` uses all of them. `tests/scenarios/layers.rs` says which room may use which, and reads their `use crate::` paths.
//!
//! # Words
//!
//! One word stands for one thing, in names, comments, records and in what is said to people.
//!
//! | word | is |
//! | --- | --- |
//! | requestor, upstream | the two ends of an association: who asked for it, and the archive (or other node) behind the proxy |
//! | peer | a requestor that the configuration knows: a `[[peer]]` |
//! | user | a person of the file of users or of a token, or whom a request names as one (PS3.7 D.3.3.7) |
//! | claimed, proven | a user as a request names them; one whose passcode or token was right, too |
//! | factor | a kind of proof that comes with a request, and that a role may require: certificate, passcode, one-time code, token |
//! | issuer, token | an `[[issuer]]`, whose word on a user counts; that word, signed: a JSON Web Token |
//! | right | what an association may do: what the role of its peer allows and, where a user is proven, one of the user's too |
//! | leg | one end's half of an association: a connection, its stream, and what was agreed on it |
//! | association | both legs together, from the A-ASSOCIATE-RQ to the closing record |
//! | message | a command set, and the data set behind it (PS3.7 §6.3.1) |
//! | operation, exchange | a request with its responses, in a record; the same while it is open, in the relay |
//! | reason, cause | why a connection or an association was refused; why an operation was |
//! | refusal, denial, rejection | the no of the policy to an association; to an operation; the PDU that says so (A-ASSOCIATE-RJ) |
//! | tenant | one of several organisations in a process, a `[[tenant]]`: all that it has is its own |
//! | machine | what is no tenant's in a file that has some, and whoever runs the process |
//! | site | a tenant, or all there is where there are none, as it runs: a gate with its records |
//! | block | whom an administrator shuts out while the proxy runs, whatever the configuration allows |
//! | notification, occasion | a `[[notify]]`, who is told what they should look at; what there is to tell of, a word of its `when` |
//! | record, event | a line of the trail; what it tells of, a type for each kind that writes and reads it: [`audit::record`] |
//! | scope, inside, outside | which studies a peer may see; a study for which every condition holds; any other, and what is not known: [`policy::scope`] |
//! | trace | what goes over both legs of an association, told to whoever asked to see it: [`trace`] |
//! | label | the stable word that records, log and metrics carry for one of these: [`vocabulary`] |
//! | ended | how an association came to its end, whatever its reason |
//! | tolerated | what of a message breaks the standard, and was read all the same |
//! | way | across a boundary: to pseudonyms, or to what is real |

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

pub mod admin;
pub mod age;
pub mod audit;
pub mod backup;
pub mod buffer;
// Help shows these comments, and sections of a configuration have brackets: "the [[peer]] that matched".
#[allow(rustdoc::broken_intra_doc_links)]
pub mod cli;
pub mod config;
pub mod consent;
pub mod crosswalk;
pub mod daemon;
pub mod dataset;
pub mod dimse;
pub mod evidence;
pub mod files;
pub mod http;
pub mod identity;
#[cfg(test)]
mod logged;
pub mod metrics;
pub mod notation;
pub mod notify;
pub mod patients;
pub mod policy;
pub mod relay;
pub mod rewrite;
#[cfg(test)]
mod scratch;
pub mod tls;
pub mod tokens;
pub mod trace;
pub mod upper;
pub mod users;
pub mod vocabulary;
pub mod wire;
