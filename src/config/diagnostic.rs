//! What is wrong with a configuration, and what would be right.

use std::fmt;
use std::path::PathBuf;

/// One problem or risk, at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Diagnostic {
    /// The file that it is in, as it was named.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// Such as `[[peer]] "lyon" networks[0]`; empty where the file itself is meant.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be right; empty where the problem says it.
    pub remedy: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: ", self.path.display(), self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.problem)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, ", {}", self.remedy) }
    }
}

/// Why a configuration cannot be put into force: every problem, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// At least one.
    pub errors: Vec<Diagnostic>,
    /// Risks found on the way.
    pub warnings: Vec<Diagnostic>,
}

impl fmt::Display for Diagnostics {
    /// The errors, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.errors.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Diagnostics {}
