//! Regular expressions, within bounds.

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

/// A compiled one may take this much memory.
const MOST: usize = 1 << 20;

/// A pattern compiled, in any case of its letters where that is asked for.
///
/// # Errors
/// What is wrong with it, on one line.
pub(super) fn compiled(pattern: &str, in_any_case: bool) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(pattern);
    builder.case_insensitive(in_any_case).size_limit(MOST).dfa_size_limit(MOST);
    builder.build().map_err(|error| one_line(&error))
}

/// Several patterns that are looked for at once. Which of them find something is told, and not where.
///
/// # Errors
/// As [`compiled`].
pub(super) fn compiled_together(
    patterns: impl Iterator<Item = impl AsRef<str>>,
    in_any_case: bool,
) -> Result<RegexSet, String> {
    let mut builder = RegexSetBuilder::new(patterns);
    builder.case_insensitive(in_any_case).size_limit(MOST).dfa_size_limit(MOST);
    builder.build().map_err(|error| one_line(&error))
}

/// The last line of an error is what is wrong; those before draw it.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned()
}
