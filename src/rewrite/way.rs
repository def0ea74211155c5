//! The two ways across the boundary between real values and pseudonyms.

/// Which way a data set crosses the boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// From the patients' side to where only pseudonyms are known: what rules and profile are written for.
    #[default]
    ToPseudonyms,
    /// Back: what a reader sends is put under the real patient, study and instance.
    ToReal,
}
