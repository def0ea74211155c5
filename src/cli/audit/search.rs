//! `dimsegate audit search`: the records that meet every condition.

mod arguments;
mod misspelt;
mod table;

pub(super) use arguments::Args;
pub(super) use table::{Newest, print};

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use super::who::Requestors;
use super::{complain, tell_damage};
use crate::audit::reading::{Filter, Kept, RecordFile, associations_of, search};
use crate::cli::demo::story::Style;
use crate::cli::table::screen;

/// On a terminal, unless --limit says otherwise.
const SCREENFUL: usize = 200;

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let files = match args.trail.files() {
        Ok(files) => files,
        Err(status) => return status,
    };
    let filter = match args.filter() {
        Ok(filter) => filter,
        Err(wrong) => return complain(&wrong, USAGE),
    };
    let terminal = io::stdout().is_terminal();
    let (kept, found) = if args.who {
        requestors(&files, &filter)
    } else if args.table || (terminal && !args.json) {
        newest(&files, &filter, args.limit.unwrap_or(if terminal { SCREENFUL } else { usize::MAX }))
    } else {
        lines(&files, &filter, args.limit)
    };
    match args.misspelt(&files, found) {
        Some(wrong) => complain(&wrong, USAGE),
        None => tell_damage(&kept),
    }
}

/// Of a command line that asks for what cannot be.
const USAGE: u8 = 2;

/// One line for each requestor.
fn requestors(files: &[RecordFile], filter: &Filter) -> (Kept, usize) {
    let mut all = Requestors::default();
    let kept = search(files, filter, |line| {
        all.add(&line);
        ControlFlow::Continue(())
    });
    let count = all.records();
    let known = associations_of(files, &all.unknown());
    let lines = all.lines(&known, screen(160), Style::of_standard_output());
    let mut out = io::stdout().lock();
    // A reader that has gone away has read enough.
    let _ = lines.iter().try_for_each(|line| writeln!(out, "{line}"));
    (kept, count)
}

/// A table of the newest.
fn newest(files: &[RecordFile], filter: &Filter, limit: usize) -> (Kept, usize) {
    let mut newest = Newest::of(limit);
    let kept = search(files, filter, |line| newest.take(line));
    let _ = print(&newest, files, &mut io::stdout().lock(), screen(160), Style::of_standard_output());
    (kept, newest.count)
}

/// The lines as they were written.
fn lines(files: &[RecordFile], filter: &Filter, limit: Option<usize>) -> (Kept, usize) {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    if let Some(limit) = limit {
        let mut newest = Newest::of(limit);
        let kept = search(files, filter, |line| newest.take(line));
        let written = newest.lines.iter().try_for_each(|line| write_line(&mut out, line));
        let _ = written.and_then(|()| out.flush());
        return (kept, newest.count);
    }
    let mut count = 0;
    let kept = search(files, filter, |line| {
        count += 1;
        match write_line(&mut out, &line) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let _ = out.flush();
    (kept, count)
}

fn write_line(out: &mut impl Write, line: &[u8]) -> io::Result<()> {
    out.write_all(line)?;
    out.write_all(b"\n")
}
