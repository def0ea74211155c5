//! The command line that finds the records behind a figure, to be copied into a shell.

use crate::identity::deceptive;

/// `dimsegate audit search …`, put together part by part.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Line(String);

impl Line {
    /// `dimsegate audit WHAT FOLDER`.
    pub(in crate::cli) fn new(what: &str, folder: &str) -> Self {
        Self(format!("dimsegate audit {what} {}", quoted(folder)))
    }

    /// The same with `--option value`, where `value` is to be found as it stands.
    #[must_use]
    pub(in crate::cli) fn with(&self, option: &str, value: &str) -> Self {
        Self(format!("{} --{option} {}", self.0, quoted(&sought(value))))
    }

    /// The same with one more argument.
    #[must_use]
    pub(in crate::cli) fn argument(&self, value: &str) -> Self {
        Self(format!("{} {}", self.0, quoted(value)))
    }
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What cannot be typed stands as `?`, which fits it.
fn sought(value: &str) -> String {
    value.chars().map(|c| if c.is_control() || deceptive(c) { '?' } else { c }).collect()
}

/// One word for a POSIX shell.
pub(in crate::cli) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
