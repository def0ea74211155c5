//! The commands that list what a figure counts.

use crate::audit::reading::figures::Period;
use crate::audit::reading::stamp;

use super::super::command::Line;

/// Commands about one folder and period.
#[derive(Clone, Debug)]
pub(super) struct Commands {
    pub search: Line,
    pub show: Line,
    folder: String,
}

impl Commands {
    pub(super) fn new(folder: &str, period: Period) -> Self {
        let folder = folder.to_owned();
        let search = Self::search_of(&folder, period);
        Self { search, show: Line::new("show", &folder), folder }
    }

    /// A search in another period.
    pub(super) fn within(&self, period: Period) -> Line {
        Self::search_of(&self.folder, period)
    }

    fn search_of(folder: &str, period: Period) -> Line {
        Line::new("search", folder).with("from", &stamp(period.from)).with("to", &stamp(period.to))
    }

    pub(super) fn event(&self, event: &str) -> Line {
        self.search.with("event", event)
    }
}
