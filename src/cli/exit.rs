//! Exit statuses, those of `sysexits.h` where one fits.

/// `EX_DATAERR`: input that cannot be read; what could be done of the rest is done.
pub(super) const UNREADABLE: u8 = 65;
/// `EX_UNAVAILABLE`: cannot bind, cannot record, or the other side does not answer.
pub(super) const UNAVAILABLE: u8 = 69;
/// `EX_CONFIG`: the configuration has problems.
pub(super) const BAD_CONFIGURATION: u8 = 78;
