//! Aligned columns for people at a terminal.
//!
//! Cells may hold anything, values from the wire too: whatever could move the cursor or forge a line is escaped, and
//! what does not fit is cut with an ellipsis.

use std::fmt;

const GAP: &str = "  ";
const NARROWEST: usize = 8;

/// Rows under a header, printed within a width.
#[derive(Clone, Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
    width: usize,
    /// Columns that give way before any other does.
    elastic: Vec<usize>,
}

impl Table {
    /// A table with these column titles, 100 characters wide at most.
    pub fn new<const N: usize>(titles: [&str; N]) -> Self {
        let titles = titles.iter().map(|title| (*title).to_owned()).collect();
        Self { rows: vec![titles], width: 100, elastic: Vec::new() }
    }

    /// The same table within `width` characters, indentation not counted.
    pub fn within(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// The same table whose `columns`, counted from 0, are narrowed before the others.
    pub fn elastic(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.elastic.extend(columns);
        self
    }

    /// Adds a row; cells are escaped here.
    pub fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(|cell| visible(cell.as_ref())).collect());
    }

    /// The lines, each cell handed padded to `paint` with its row (0 is the header) and column, so that colour does
    /// not count as width.
    pub fn lines(&self, paint: impl Fn(usize, usize, &str) -> String) -> Vec<String> {
        let widths = self.widths();
        let line = |(row, cells): (usize, &Vec<String>)| {
            let last = cells.len().saturating_sub(1);
            let padded = cells.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let cell = cut(cell, width);
                let padding = if column == last { 0 } else { width };
                format!(
                    "{}{}",
                    paint(row, column, &cell),
                    " ".repeat(padding.saturating_sub(cell.chars().count()))
                )
            });
            padded.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
        };
        self.rows.iter().enumerate().map(line).collect()
    }

    /// Natural widths, the widest column narrowed until the row fits.
    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let mut widths: Vec<usize> = (0..columns)
            .map(|column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0))
            .collect();
        let room = self.width.saturating_sub(GAP.len() * columns.saturating_sub(1));
        narrow(&mut widths, room, |column| self.elastic.contains(&column));
        narrow(&mut widths, room, |_| true);
        widths
    }
}

/// Takes from the widest of these columns until all columns together fit `room`, or none has any left to give.
fn narrow(widths: &mut [usize], room: usize, may: impl Fn(usize) -> bool) {
    while widths.iter().sum::<usize>() > room {
        let candidates =
            widths.iter_mut().enumerate().filter(|(column, width)| may(*column) && **width > NARROWEST);
        match candidates.max_by_key(|(_, width)| **width) {
            Some((_, width)) => *width -= 1,
            None => break,
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines(|_, _, cell| cell.to_owned()).iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Text that shows what it holds: control and invisible characters become their escapes, quotes stay.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

/// At most `width` characters, the last an ellipsis where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut shown: String = text.chars().take(width.saturating_sub(1)).collect();
    shown.push('…');
    shown
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn columns_line_up_and_lines_do_not_trail_blanks() {
        let mut table = Table::new(["tag", "value"]);
        table.row(["(0010,0010)", "DOE^JANE"]);
        table.row(["(0010,0020)", ""]);
        assert_eq!(table.to_string(), "tag          value\n(0010,0010)  DOE^JANE\n(0010,0020)\n");
    }

    #[test]
    fn the_widest_column_gives_way_first() {
        let mut table = Table::new(["a", "b"]).within(20);
        table.row(["short", "a value that is far too long"]);
        assert_eq!(table.to_string(), "a      b\nshort  a value that…\n");
    }

    #[test]
    fn an_elastic_column_gives_way_before_a_wider_one() {
        let mut table = Table::new(["a", "b"]).within(36).elastic([1]);
        table.row(["twenty-four characters..", "sixteen letters."]);
        assert_eq!(table.to_string().lines().last(), Some("twenty-four characters..  sixteen l…"));
    }

    #[test]
    fn a_value_cannot_move_the_cursor_or_forge_a_line() {
        let mut table = Table::new(["value"]);
        table.row(["a\x1b[2Jb\nc\u{202e}\"d\\"]);
        assert_eq!(table.to_string(), "value\na\\u{1b}[2Jb\\nc\\u{202e}\"d\\\n");
    }

    #[test]
    fn paint_sees_cells_and_does_not_move_columns() {
        let mut table = Table::new(["a", "b"]);
        table.row(["1", "2"]);
        let lines = table.lines(|row, column, cell| format!("<{row}{column}{cell}>"));
        assert_eq!(lines, ["<00a>  <01b>", "<101>  <112>"]);
    }
}
