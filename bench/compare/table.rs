//! Figures as rows of text, with what each is to HAProxy's.

use crate::figures::{Figure, Figures};
use crate::setups::{Out, Setup};

pub struct Table {
    pub head: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

/// A row for each figure and way out, a column for each setup; in parentheses the ratio to HAProxy at its defaults.
pub fn of(figures: &Figures) -> Table {
    let head = ["", "out"].into_iter().map(str::to_string);
    let head = head.chain(Setup::ALL.map(|setup| setup.name().to_string())).collect();
    let rows = [Out::Plain, Out::Tls].into_iter().flat_map(|out| {
        let present = move |figure: &Figure| {
            Setup::ALL.iter().any(|setup| figures.median(*figure, *setup, out).is_some())
        };
        Figure::ALL.into_iter().filter(present).map(move |figure| row(figures, figure, out))
    });
    Table { head, rows: rows.collect() }
}

fn row(figures: &Figures, figure: Figure, out: Out) -> Vec<String> {
    let cell = |setup: Setup| match figures.median(figure, setup, out) {
        None => String::new(),
        Some(median) => match figures.ratio(figure, setup, Setup::HaProxy, out) {
            Some(ratio) if setup != Setup::HaProxy => format!("{median:.*} ({ratio:.2})", figure.digits()),
            _ => format!("{median:.*}", figure.digits()),
        },
    };
    [figure.name().to_string(), out.name().to_string()].into_iter().chain(Setup::ALL.map(cell)).collect()
}

/// For a terminal: columns aligned, the first to the left, the rest to the right.
pub fn text(table: &Table) -> String {
    let all = || std::iter::once(&table.head).chain(&table.rows);
    let width = |column: usize| all().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..table.head.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, width))| match column {
            0 => format!("{cell:<width$}"),
            _ => format!("  {cell:>width$}"),
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    all().map(line).collect()
}

pub fn markdown(table: &Table) -> String {
    let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let rule = format!("|---|{}\n", "--:|".repeat(table.head.len() - 1));
    [line(&table.head), rule].into_iter().chain(table.rows.iter().map(|row| line(row))).collect()
}
