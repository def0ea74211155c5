//! Aligned columns for people at a terminal.
//!
//! Cells may hold anything, values from the wire too: whatever could move the cursor or forge a line is escaped, and
//! what does not fit is cut with an ellipsis.

use std::fmt;

const GAP: &str = "  ";
const NARROWEST: usize = 8;

/// Rows under a header, printed within a width.
#[derive(Clone, Debug)]
pub(super) struct Table {
    rows: Vec<Vec<String>>,
    width: usize,
    /// Columns that give way before any other does.
    elastic: Vec<usize>,
    /// Where a table would be cut, each row becomes a few lines, and cells from this one on are named.
    stacked: Option<usize>,
}

impl Table {
    /// A table with these column titles, 100 characters wide at most.
    pub(super) fn new<const N: usize>(titles: [&str; N]) -> Self {
        let titles = titles.iter().map(|title| (*title).to_owned()).collect();
        Self { rows: vec![titles], width: 100, elastic: Vec::new(), stacked: None }
    }

    /// The same table within `width` characters, indentation not counted.
    pub(super) fn within(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// The same table whose `columns`, counted from 0, are narrowed before the others.
    pub(super) fn elastic(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.elastic.extend(columns);
        self
    }

    /// The same table that is never cut: where it does not fit, each row becomes a few lines. From `named` on, counted from
    /// 0, a cell has the title of its column before it there.
    pub(super) fn stacked(mut self, named: usize) -> Self {
        self.stacked = Some(named);
        self
    }

    /// Adds a row; cells are escaped here.
    pub(super) fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(|cell| visible(cell.as_ref())).collect());
    }

    /// The lines, each cell handed padded to `paint` with its row (0 is the header) and column, so that colour does
    /// not count as width.
    pub(super) fn lines(&self, paint: impl Fn(usize, usize, &str) -> String) -> Vec<String> {
        if let Some(named) = self.stacked.filter(|_| !self.fits()) {
            return self.stack(named, paint);
        }
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
        let shown =
            |(row, cells): &(usize, &Vec<String>)| *row > 0 || cells.iter().any(|cell| !cell.is_empty());
        self.rows.iter().enumerate().filter(shown).map(line).collect()
    }

    fn fits(&self) -> bool {
        let widths = self.natural_widths();
        widths.iter().sum::<usize>() <= self.room(widths.len())
    }

    /// Each row on lines of its own: a cell begins on the line of the one before where it fits there, and goes on, indented,
    /// where it is longer than a line.
    fn stack(&self, named: usize, paint: impl Fn(usize, usize, &str) -> String) -> Vec<String> {
        let Some((titles, rows)) = self.rows.split_first() else { return Vec::new() };
        let mut lines = Vec::new();
        for (row, cells) in rows.iter().enumerate() {
            let mut stack = Stack { width: self.width, lines: Vec::new(), line: String::new(), taken: 0 };
            for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
                let title = titles.get(column).filter(|_| column >= named);
                let text = title.map_or_else(|| cell.clone(), |title| format!("{title} {cell}"));
                stack.cell(&text, |piece| paint(row + 1, column, piece));
            }
            stack.end_line();
            lines.extend(stack.lines);
        }
        lines
    }

    fn room(&self, columns: usize) -> usize {
        self.width.saturating_sub(GAP.len() * columns.saturating_sub(1))
    }

    fn natural_widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cells = |column: usize| self.rows.iter().filter_map(move |row| row.get(column));
        let widest = |column| cells(column).map(|cell| cell.chars().count()).max().unwrap_or(0);
        (0..columns).map(widest).collect()
    }

    /// Natural widths, the widest column narrowed until the row fits.
    fn widths(&self) -> Vec<usize> {
        let mut widths = self.natural_widths();
        let room = self.room(widths.len());
        narrow(&mut widths, room, |column| self.elastic.contains(&column));
        narrow(&mut widths, room, |_| true);
        widths
    }
}

/// The lines of one row.
struct Stack {
    width: usize,
    lines: Vec<String>,
    line: String,
    /// Characters of the line, colour not counted.
    taken: usize,
}

/// Before every line of a row but its first.
const INDENT: &str = "    ";

impl Stack {
    fn cell(&mut self, text: &str, paint: impl Fn(&str) -> String) {
        let gap = if self.line.is_empty() { 0 } else { GAP.len() };
        if self.taken + gap + text.chars().count() > self.width {
            self.end_line();
        } else {
            self.line.push_str(GAP.get(..gap).unwrap_or_default());
            self.taken += gap;
        }
        let room = self.width.saturating_sub(self.taken.max(self.indent().len())).max(NARROWEST);
        for (number, piece) in wrapped(text, room).iter().enumerate() {
            if number > 0 {
                self.end_line();
            }
            if self.line.is_empty() {
                self.line.push_str(self.indent());
                self.taken = self.indent().len();
            }
            self.line.push_str(&paint(piece));
            self.taken += piece.chars().count();
        }
    }

    fn indent(&self) -> &'static str {
        if self.lines.is_empty() { "" } else { INDENT }
    }

    fn end_line(&mut self) {
        if !self.line.is_empty() {
            self.lines.push(std::mem::take(&mut self.line));
            self.taken = 0;
        }
    }
}

/// A text in lines of at most so many characters, cut between words where there are any.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        let length = |text: &str| text.chars().count();
        let taken = lines.last().map_or(0, |line| length(line));
        if taken > 0 && taken + length(word.trim_end()) > width {
            lines.push(String::new());
        }
        let mut word = word;
        while length(word.trim_end()) > width {
            let at = word.char_indices().nth(width).map_or(word.len(), |(at, _)| at);
            let (piece, rest) = word.split_at(at);
            if let Some(line) = lines.last_mut() {
                line.push_str(piece);
            }
            lines.push(String::new());
            word = rest;
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(word);
        }
    }
    lines.into_iter().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
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

/// Columns of the terminal, or of `COLUMNS`, or so many where nothing says.
pub(super) fn screen(otherwise: usize) -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let seen = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    seen.or(asked).unwrap_or(otherwise).max(40)
}

/// Text that shows what it holds: control and invisible characters become their escapes, quotes stay.
pub(super) fn visible(text: &str) -> String {
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
pub(super) fn cut(text: &str, width: usize) -> String {
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
    fn a_stacked_table_is_never_cut() {
        let mut table = Table::new(["time", "what", "peer", "UID"]).within(24).stacked(2);
        table.row(["08:30:00", "C-STORE", "lyon", &"1.2".repeat(12)]);
        table.row(["08:30:01", "a refusal in many more words", "", "1.2"]);
        let lines = table.to_string();
        assert_eq!(
            lines,
            "08:30:00  C-STORE\n    peer lyon\n    UID\n    1.21.21.21.21.21.21.\n    21.21.21.21.21.2\n08:30:01\n    a refusal in many\n    more words  UID 1.2\n"
        );
        assert!(lines.lines().all(|line| line.chars().count() <= 24));
        assert!(table.within(200).to_string().starts_with("time      what "));
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
