//! What is wrong, and where: the element, or what holds it.

use super::{Holds, PathStep, Scanner};
use crate::dataset::error::{ScanError, ScanProblem};
use crate::dataset::{Tag, is_listed};

impl Scanner {
    /// An error of the element that is read, or should be.
    #[cold]
    pub(super) fn error(&self, tag: Tag, problem: ScanProblem) -> ScanError {
        let tag = is_listed(tag).then_some(tag);
        ScanError { tag, path: self.path().collect(), offset: self.position, problem }
    }

    /// An error of the sequence, or of the fragments, that were under way.
    #[cold]
    pub(super) fn error_of_holder(&self, problem: ScanProblem) -> ScanError {
        let mut path: Vec<PathStep> = self.path().collect();
        let holder = match self.frame().holds {
            Holds::Fragments => Some(self.frame().tag),
            // Whoever found an item in it can tell that it is one.
            _ => {
                path.pop().filter(|step| step.item > 0 || is_listed(step.sequence)).map(|step| step.sequence)
            }
        };
        // At the top there is the element before.
        let last = Some(self.frame().tag).filter(|&tag| self.frames.is_empty() && is_listed(tag));
        ScanError { tag: holder.or(last), path: path.into(), offset: self.position, problem }
    }
}
