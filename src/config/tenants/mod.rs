//! `[[tenant]]`: several organisations in one process, each with a configuration of its own in one file.
//!
//! # How it is done
//!
//! The text of the file is [split] into one text for each tenant and one for the machine, each with the lines of the file, which
//! are empty where another's tables stand. Each text is compiled by the compiler of a file without tenants, into [`Settings`](super::Settings) of its
//! own. So nothing of one tenant is in what another one's code can see: not a peer, a role, a secret, a limit or the number
//! of any of them; lines and columns of problems stay those of the file; and whatever part is compiled, now or later, is a part of
//! one tenant without a thought of others. The daemon makes one gate of each, with its own records, limits, blocks and
//! crosswalks. What later belongs between organisations (agreements, consent, blocks that come and go by themselves)
//! becomes a condition of the one decision, in the text of its tenant.
//!
//! | file | holds |
//! | --- | --- |
//! | `split` | one text into several, and the problems of that: what has no tenant, or one that is not there |
//! | `regions` | where in a file each table begins, as the reader of TOML found it |
//! | `table` | `[[tenant]]` itself: name, share, server names |
//! | `choosing` | one of them, for a command that is about one |
//! | `owned` | files and folders that are one tenant's alone |
//! | `addresses` | two listeners of two tenants at one address, and how a connection there finds its tenant |
//!
//! # What is shared
//!
//! The process, `[log]`, what `[limits]` and `[policy]` say (each tenant has its share of what is counted), and addresses. Two
//! tenants may each have a `[[listener]]` at the same address, with TLS: a connection there belongs to the tenant whose server name
//! it asked for; else to the one whose `client-ca` the verified chain of its certificate ends at. That is settled by the handshake,
//! before the A-ASSOCIATE-RQ is read, and everything behind it is that tenant's alone. What comes before it (a handshake
//! that fails, an address that connects too often) is nobody's yet, and is counted and recorded by the machine: its
//! trail is `[audit]`.

mod addresses;
mod choosing;
mod compiling;
mod owned;
mod regions;
mod split;
mod table;

pub(super) use choosing::NotChosen;
pub(super) use compiling::compile;
pub(super) use split::parts;
