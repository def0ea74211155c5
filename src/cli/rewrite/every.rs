//! Every input, one after the other; what is wrong with one is said, and the next is done.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::curation::Curation;
use super::failure::FileError;
use super::file::rewrite_file;
use super::inputs::{files_of, printable};
use super::{How, diff};

/// Says how many inputs failed. An error is one of the outputs `shown` and `problems`.
pub(super) fn run_with(
    how: &How<'_>,
    (inputs, out): (&[PathBuf], &Path),
    curation: &mut Curation,
    shown: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<usize> {
    if let Err(error) = fs::create_dir_all(out) {
        writeln!(problems, "{}", FileError::Write { to: out.to_owned(), error })?;
        return Ok(1);
    }
    let mut failed = 0;
    let (files, unreadable) = files_of(inputs, out);
    for (path, error) in unreadable {
        failed += 1;
        writeln!(problems, "{}: {}", printable(&path), FileError::open(&path, error))?;
    }
    curation.begin(files.len());
    let bar = if how.diff { ProgressBar::hidden() } else { progress(files.len()) };
    for (path, number) in files.iter().zip(1..) {
        match rewrite_file(how, path, number, out) {
            Ok(done) => {
                if how.diff {
                    diff::print(how.rules, &printable(path), &done.name, &done.transform, shown)?;
                }
                let after = out.join(&done.name);
                failed += bar.suspend(|| curation.rewritten((number, path), &after, problems))?;
            }
            Err(error) => {
                failed += 1;
                curation.refused(number, path, &error);
                bar.suspend(|| writeln!(problems, "{}: {error}", printable(path)))?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(failed)
}

/// Seen on a terminal only.
fn progress(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
    ProgressBar::new(files as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
