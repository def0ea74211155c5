//! What the action of a rule is to do with a value.

use super::subject::Subject;
use super::way::Way;

/// What the action of a rule is to do with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// What it says.
    #[default]
    Forward,
    /// To undo what it did on the way there.
    Back,
    /// To translate what is looked for, whichever way: what it does to data decides.
    Keys,
}

impl Mode {
    /// For a data set on its way.
    pub(super) fn of(way: Way, subject: &Subject) -> Self {
        match (way, subject) {
            (_, Subject::Keys) => Self::Keys,
            (Way::ToReal, _) => Self::Back,
            (Way::ToPseudonyms, _) => Self::Forward,
        }
    }
}
