//! `dimsegate audit report`: one HTML page about a period, that needs nothing but itself.

mod certificates;
mod commands;
mod hours;
pub(in crate::cli) mod html;
mod items;
mod operations;
pub(in crate::cli) mod page;
mod security;
mod timeline;
mod trail;
mod unusual;
mod users;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use time::{Duration, OffsetDateTime};

use super::trail::Trail;
use super::{complain, period, tell_damage};
use crate::audit::reading::figures::{Period, figures};
use crate::cli::exit;
use crate::cli::words::counted;
use crate::files::full;

const EXAMPLE: &str = "Examples:
  dimsegate audit report audit -o report.html
  dimsegate audit report audit --from 2026-03-01 --to 2026-03-31 -o march.html

Without --from it covers the seven days before --to; without --to, up to now. What is usual is learned from up to
90 days of records before the period. The page loads nothing and runs nothing: style and drawings are inside.

Exit status: 0, 65 something was damaged or is encrypted (the page says what), 69 the page cannot be written.";

/// Write one HTML page about a period: figures, drawings, and what is unusual
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// Begin of the period; 7 days before its end, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::from)]
    pub from: Option<OffsetDateTime>,
    /// End of the period; now, if it is not given
    #[arg(long, value_name = "TIME", value_parser = period::to)]
    pub to: Option<OffsetDateTime>,
    /// The page to write
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
}

const WEEK: Duration = Duration::days(7);

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let written = OffsetDateTime::now_utc();
    let to = args.to.unwrap_or(written);
    let from = args.from.or_else(|| to.checked_sub(WEEK)).unwrap_or(to);
    if from >= to {
        return complain("--from is not before --to", 2);
    }
    let figures = figures(&files, Period { from, to });
    let folder = args.trail.folder.to_string_lossy();
    let page = page::page(&figures, &folder, written);
    let status = tell_damage(&figures.kept);
    if let Err(error) = write(&args.output, page.as_bytes()) {
        return complain(&format!("{}: cannot be written: {error}", full(&args.output)), exit::UNAVAILABLE);
    }
    let records = counted(figures.records, "record");
    let _ = writeln!(std::io::stdout().lock(), "{}: {records}", args.output.display());
    status
}

/// The page whole or not at all; it holds what the records hold, so only its owner and group may read it.
pub(in crate::cli) fn write(path: &Path, page: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(page)?;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o640))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
