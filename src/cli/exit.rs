//! Exit statuses, those of `sysexits.h` where one fits.

/// The audit trail is not what was written; no status of `sysexits.h`.
pub(super) const BROKEN_CHAIN: u8 = 4;
/// Nothing of the audit trail was changed that is signed, and not all of it was signed in its time; no status of
/// `sysexits.h`.
pub(super) const NOT_PROVEN: u8 = 5;
/// `EX_USAGE`: an argument is missing.
pub(super) const USAGE: u8 = 64;
/// `EX_DATAERR`: input that cannot be read; what could be done of the rest is done.
pub(super) const UNREADABLE: u8 = 65;
/// `EX_UNAVAILABLE`: cannot bind, cannot record, or the other side does not answer.
pub(super) const UNAVAILABLE: u8 = 69;
/// `EX_CANTCREAT`: a file cannot be made.
pub(super) const CANNOT_CREATE: u8 = 73;
/// `EX_CONFIG`: the configuration has problems.
pub(super) const BAD_CONFIGURATION: u8 = 78;
