//! `vocabulary` of a `[[rewrite]]`: files with words that stay in texts.

use std::path::{Path, PathBuf};

use super::report::{Located, Wrong};
use super::section::Section;
use crate::files::{self, full};
use crate::rewrite::Vocabulary;

/// Bytes of the longest file.
const LONGEST: u64 = 1 << 20;
/// Lines of one file that are told, where more are wrong.
const MOST_TOLD: usize = 20;

/// The words of all files that are named.
pub(super) fn vocabulary(section: &Section<'_>) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    for file in section.paths("vocabulary") {
        section.report.reads(&file.value);
        match read(&file.value) {
            Ok(bytes) => add(section, &file, &bytes, &mut vocabulary),
            Err(wrong) => section.report.wrong(&file.place, wrong),
        }
    }
    vocabulary
}

fn read(file: &Path) -> Result<Vec<u8>, Wrong> {
    let remedy = "write a file with one word a line, in UTF-8; # begins a comment";
    let bytes = files::read(file, LONGEST + 1)
        .map_err(|error| Wrong::new(format!("{} cannot be read: {error}", full(file)), remedy))?;
    if bytes.len() as u64 > LONGEST {
        let problem = format!("{} is longer than {LONGEST} bytes", full(file));
        return Err(Wrong::new(problem, "list fewer words"));
    }
    Ok(bytes)
}

fn add(section: &Section<'_>, file: &Located<PathBuf>, bytes: &[u8], vocabulary: &mut Vocabulary) {
    let problems = vocabulary.read(bytes);
    for found in problems.iter().take(MOST_TOLD) {
        let problem = format!("{}:{}: {}", file.value.display(), found.line, found.problem);
        section.report.error(&file.place, problem, found.remedy);
    }
    if let Some(more) = problems.len().checked_sub(MOST_TOLD).filter(|more| *more > 0) {
        let problem = format!("{}: {more} more lines are wrong", file.value.display());
        section.report.error(&file.place, problem, "mend those that are told, and check again");
    }
}
