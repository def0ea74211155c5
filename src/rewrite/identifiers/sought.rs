//! What is looked for in the texts of a data set, for those who clean a text in another way.

use std::ops::Range;
use std::sync::Arc;

use super::cleaning::{Reach, found};
use super::finder::Finder;
use super::shapes::Shapes;
use crate::dataset::Vr;

/// What finds the identifiers of the header, and what is one by its shape.
#[derive(Clone)]
pub(in crate::rewrite) struct Sought {
    pub(in crate::rewrite) finder: Arc<Finder>,
    pub(in crate::rewrite) shapes: Arc<Shapes>,
}

impl Sought {
    /// Where identifiers stand in a text, in order and none inside of another.
    pub(in crate::rewrite) fn ranges(&self, vr: Vr, text: &str) -> Vec<Range<usize>> {
        found((&self.finder, &self.shapes), vr, text, Reach::All)
    }
}

/// Never shows whose they are.
impl std::fmt::Debug for Sought {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sought").finish_non_exhaustive()
    }
}
