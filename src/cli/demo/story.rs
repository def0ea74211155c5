//! What the demonstration says to the person at the terminal.

mod association;
mod next;
mod style;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use crate::cli::table::{Table, visible};

use super::changes::{Change, Comparison};
use super::records::Account;
pub(crate) use next::Next;
pub(crate) use style::{Style, bytes as amount};

const WIDTH: usize = 100;
const INDENT: &str = "  ";
/// Where the places of the steps begin, unless what was done is longer.
const PLACES: usize = 58;

/// Prints as things happen. A closed pipe does not end the demonstration: its exit status still tells.
#[derive(Debug)]
pub(crate) struct Story<W> {
    out: W,
    style: Style,
}

impl<W: Write> Story<W> {
    /// Tells the story to `out`.
    pub(crate) fn new(out: W, style: Style) -> Self {
        Self { out, style }
    }

    /// What this is.
    pub(crate) fn title(&mut self) {
        self.line("");
        let title = self.style.bold("dimsegate demo");
        self.line(&format!(
            "{title}: a CT study through TLS, an archive behind, all on this machine's loopback"
        ));
        self.line("");
    }

    /// A step that worked, and where its result is.
    pub(crate) fn done(&mut self, what: &str, place: Option<&Path>) {
        let tick = self.style.green("✓");
        let what = visible(what);
        match place {
            None => self.line(&format!("{INDENT}{tick} {what}")),
            Some(place) => {
                let place = self.style.dim(&visible(&place.to_string_lossy()));
                self.line(&format!("{INDENT}{tick} {what:<PLACES$} {place}"));
            }
        }
    }

    /// What became of one object, and what holds for all of them.
    pub(crate) fn changes(&mut self, which: &str, comparison: &Comparison, notes: &[String]) {
        self.heading("What changed", which);
        let mut table = Table::new(["tag", "keyword", "the modality sent", "the archive holds"])
            .within(WIDTH - 2)
            .elastic([2, 3]);
        for change in &comparison.changes {
            table.row([&change.path, &change.keyword, &before(change), &after(change)].map(String::as_str));
        }
        let style = self.style;
        let lines = table.lines(|row, column, cell| match (row, column) {
            (0, _) => style.dim(cell),
            (_, 3) if cell.starts_with('(') => style.yellow(cell),
            (_, 3) => style.green(cell),
            _ => cell.to_owned(),
        });
        lines.iter().for_each(|line| self.line(&format!("{INDENT}{line}")));
        let changed = comparison.changes.len();
        let total = changed + comparison.unchanged;
        self.line("");
        self.line(&format!(
            "{INDENT}{changed} of {total} elements changed; the other {}, the pixels among them, arrived as they left.",
            comparison.unchanged
        ));
        for note in notes {
            self.line(&format!("{INDENT}{}", visible(note)));
        }
    }

    /// What the reviewer will read about it.
    pub(crate) fn records(&mut self, told: &Account, folder: &Path) {
        self.heading("What was recorded", &format!("JSON lines in {}", folder.display()));
        for line in association::lines(told, self.style, WIDTH - 2) {
            self.line(&format!("{INDENT}{line}"));
        }
    }

    /// Who was refused, what they got, and how often they come.
    pub(crate) fn refusal(&mut self, title: &str, answer: &str, every: Duration) {
        self.heading(
            "Who was refused",
            &format!("and is again every {} seconds, until this ends", every.as_secs()),
        );
        self.line(&format!("{INDENT}{title} got {answer}"));
        self.line(&format!("{INDENT}No peer has this AE title. The page says which line refused it, and what would let it in."));
    }

    /// What a person may do now, to be copied into another terminal.
    pub(crate) fn next(&mut self, next: &Next<'_>) {
        self.heading("What to try next", "in another terminal; Ctrl-C here ends the demonstration");
        for (number, (why, command)) in next.suggestions().into_iter().enumerate() {
            if number > 0 {
                self.line("");
            }
            let why = self.style.dim(&format!("# {why}"));
            self.line(&format!("{INDENT}{why}"));
            for line in command.lines() {
                self.line(&format!("{INDENT}{line}"));
            }
        }
        self.line("");
    }

    /// The end, and what is left.
    pub(crate) fn end(&mut self, folder: &Path, kept: bool) {
        self.line("");
        let folder = visible(&folder.to_string_lossy());
        let kept = if kept { "Everything stays in" } else { "Nothing stays (--dir DIR keeps it): removing" };
        self.line(&format!("{kept} {folder}"));
    }

    fn heading(&mut self, heading: &str, aside: &str) {
        let (heading, aside) = (self.style.bold(heading), self.style.dim(&format!("({})", visible(aside))));
        self.line("");
        self.line(&format!("{heading} {aside}"));
        self.line("");
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.out, "{}", line.trim_end());
        let _ = self.out.flush();
    }
}

fn before(change: &Change) -> String {
    match change.before.as_deref() {
        None => "(absent)".to_owned(),
        Some("") => "(empty)".to_owned(),
        Some(value) => value.to_owned(),
    }
}

fn after(change: &Change) -> String {
    match change.after.as_deref() {
        None => "(removed)".to_owned(),
        Some("") => "(emptied)".to_owned(),
        Some(value) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests;
