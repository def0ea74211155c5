//! The identifier of a query or retrieval, as far as a role looks at it.

use std::collections::{BTreeMap, BTreeSet};

/// (0008,0052) Query/Retrieve Level.
const LEVEL: u32 = 0x0008_0052;

/// What an identifier asks by. Tags are group and element, one behind the other; values are without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    top: BTreeMap<u32, String>,
    step: BTreeMap<u32, String>,
    matched: BTreeSet<u32>,
}

impl Sought {
    /// `top` are the values at its top, `step` those in the one item of (0040,0100), `matched` every attribute, at any depth, that
    /// has a value which not everything matches, and the sequences around it.
    pub fn new(
        top: impl IntoIterator<Item = (u32, String)>,
        step: impl IntoIterator<Item = (u32, String)>,
        matched: BTreeSet<u32>,
    ) -> Self {
        Self { top: top.into_iter().collect(), step: step.into_iter().collect(), matched }
    }

    /// (0008,0052), where it has a value.
    pub fn level(&self) -> Option<&str> {
        self.top.get(&LEVEL).map(String::as_str).filter(|level| !level.is_empty())
    }

    /// A value at the top. In a worklist, that of a procedure step where it belongs there.
    pub(super) fn value(&self, tag: u32, is_worklist: bool) -> Option<&str> {
        let is_of_steps = matches!(tag, 0x0040_0001..=0x0040_0FFF | 0x0008_0060);
        let values = if is_worklist && is_of_steps { &self.step } else { &self.top };
        values.get(&tag).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn matched(&self) -> impl Iterator<Item = u32> {
        self.matched.iter().copied()
    }
}
