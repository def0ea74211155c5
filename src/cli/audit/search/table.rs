//! What was found, for people at a terminal.

use std::collections::{HashSet, VecDeque};
use std::io::{self, Write};
use std::ops::ControlFlow;

use super::super::row::Row;
use crate::audit::reading::{RecordFile, associations_of};
use crate::audit::record::{Outcome, Record};
use crate::cli::demo::story::Style;
use crate::cli::table::Table;
use crate::cli::words::counted;

/// The newest lines, and how many there were.
pub(crate) struct Newest {
    pub lines: VecDeque<Vec<u8>>,
    pub count: usize,
    limit: usize,
}

impl Newest {
    pub(crate) fn of(limit: usize) -> Self {
        Self { lines: VecDeque::new(), count: 0, limit }
    }

    pub(crate) fn take(&mut self, line: Vec<u8>) -> ControlFlow<()> {
        self.count += 1;
        self.lines.push_back(line);
        if self.lines.len() > self.limit {
            self.lines.pop_front();
        }
        ControlFlow::Continue(())
    }
}

/// The table of what was found, and a line about how much that was.
pub(crate) fn print(
    found: &Newest,
    files: &[RecordFile],
    out: &mut impl Write,
    width: usize,
    style: Style,
) -> io::Result<()> {
    let records: Vec<Record> = found.lines.iter().filter_map(|line| Record::read(line).ok()).collect();
    let lacking = records.iter().filter_map(Record::operation);
    let ids: HashSet<String> = lacking.map(|operation| operation.association.to_string()).collect();
    let known = associations_of(files, &ids);
    let association = |record: &Record| record.association().and_then(|id| known.get(id));
    let rows: Vec<Row> = records.iter().map(|record| Row::of(record, association(record))).collect();
    let titles = ["time (UTC)", "event", "what", "peer", "from", "AE titles", "association"];
    let mut table = Table::new(titles).within(width).stacked(3);
    for row in &rows {
        table.row([&row.time, &row.event, &row.what, &row.who, &row.address, &row.titles, &row.association]);
    }
    let painted = table.lines(|row, column, cell| paint(row, column, cell, &rows, style));
    if !rows.is_empty() {
        for line in painted {
            writeln!(out, "{line}")?;
        }
    }
    let (shown, count) = (rows.len(), found.count);
    let all = match count {
        0 => "no record".to_owned(),
        _ if shown < count => {
            format!("the newest {shown} of {}; --limit shows more", counted(count, "record"))
        }
        _ => counted(count, "record"),
    };
    writeln!(out, "{}", style.dim(&all))
}

fn paint(row: usize, column: usize, cell: &str, rows: &[Row], style: Style) -> String {
    let found = row.checked_sub(1).and_then(|row| rows.get(row));
    match (found, column) {
        (None, _) => style.bold(cell),
        (Some(_), 0) => style.dim(cell),
        (Some(row), 1) if row.event == "security-alert" => style.red(cell),
        (Some(row), 1 | 2) => match row.outcome {
            Some(Outcome::Failure | Outcome::Refused) => style.red(cell),
            Some(Outcome::Warning) => style.yellow(cell),
            _ => cell.to_owned(),
        },
        _ => cell.to_owned(),
    }
}
