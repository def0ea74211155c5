//! What a Patient ID (0010,0020) says by itself.

/// Whether a Patient ID names nobody: padding and empty values only.
pub(super) fn is_nobody(patient: &[u8]) -> bool {
    patient.iter().all(|b| matches!(b, 0 | b' ' | b'\\'))
}
