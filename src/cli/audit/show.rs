//! `dimsegate audit show`: one association, told so that a person can follow it.

pub(super) mod story;

use std::io::Write;
use std::ops::ControlFlow;
use std::process::ExitCode;

use time::OffsetDateTime;

use super::trail::Trail;
use super::{complain, tell_damage};
use crate::audit::reading::{Filter, search};
use crate::audit::record::Record;
use crate::cli::demo::story::Style;
use crate::cli::table::screen;

const EXAMPLE: &str = "Example:
  dimsegate audit search audit --from 1h --outcome refused
  dimsegate audit show audit 5a1e0c93d7b2486f-1

The id stands in every record of an association. All its records as they were written:
audit search DIR --association ID --json

Exit status: 0, 65 something was damaged or is encrypted, 3 no such association.";

const NOT_FOUND: u8 = 3;
/// Records of one association that are held; what comes between is counted.
const HELD: usize = 100_000;

/// Tell one association as a story
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    #[command(flatten)]
    pub trail: Trail,
    /// Its id, as records have it
    #[arg(value_name = "ASSOCIATION")]
    pub association: String,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let filter = Filter { association: Some(args.association.clone()), ..Filter::default() };
    let mut records: Vec<Record> = Vec::new();
    let kept = search(&files, &filter, |line| {
        if records.len() >= HELD && line.windows(18).any(|part| part == br#""event":"operation"#) {
            return ControlFlow::Continue(());
        }
        records.extend(Record::read(&line));
        ControlFlow::Continue(())
    });
    let status = tell_damage(&kept);
    if records.is_empty() {
        let folder = args.trail.folder.display();
        return complain(&format!("{folder}: no record of an association {:?}", args.association), NOT_FOUND);
    }
    let folder = args.trail.folder.to_string_lossy();
    let now = OffsetDateTime::now_utc();
    let screen = story::Screen { style: Style::of_standard_output(), width: screen(140), now };
    let lines = story::tell(&records, &args.association, &folder, screen);
    // A reader that has gone away has read enough.
    let _ = lines.iter().try_for_each(|line| writeln!(std::io::stdout().lock(), "{line}"));
    status
}
