//! There and back: pseudonyms out, real values in, and what is looked for by them.

mod answers;
mod character_sets;
mod domain;
mod issuers;
mod keys;
mod modes;
mod own_uids;
mod patients;
mod restoring;
mod worklist;
