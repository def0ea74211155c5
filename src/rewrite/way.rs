//! The two ways across the boundary between real values and pseudonyms.

/// Which way a data set crosses the boundary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    ToPseudonyms,
    ToReal,
}
