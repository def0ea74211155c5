//! Where the configuration states what decided.

use std::fmt;

/// Lines of keys of one table of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyLines(Box<[Stated]>);

/// A key of the configuration, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Its name in its table.
    pub key: &'static str,
    /// Counted from 1; 0 where it is not told, since the lines before it are somebody else's.
    pub line: usize,
}

impl KeyLines {
    /// Where a key stands; `None` where the table does not have it.
    pub fn of(&self, key: &str) -> Option<Stated> {
        self.0.iter().find(|stated| stated.key == key).copied()
    }
}

impl FromIterator<Stated> for KeyLines {
    fn from_iter<I: IntoIterator<Item = Stated>>(stated: I) -> Self {
        Self(stated.into_iter().collect())
    }
}

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(self.key),
            line => write!(f, "{} in line {line}", self.key),
        }
    }
}
