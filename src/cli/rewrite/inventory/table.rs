//! An inventory at a terminal.

use std::io::{self, Write};

use super::{Listed, legend};
use crate::cli::table::{Table, screen};
use crate::cli::words::counted;

/// The riskiest first; a text that is wider than the screen is cut.
pub(super) fn print(listed: &Listed, shown: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(["attribute", "keyword", "VR", "text", "times", "why", "file"])
        .within(screen(usize::MAX))
        .elastic([6]);
    for pair in &listed.pairs {
        let (times, why) = (pair.times.to_string(), pair.why.join(", "));
        table.row([&pair.attribute, &pair.keyword, &pair.vr, &pair.text, &times, &why, &pair.example]);
    }
    for line in table.lines(|_, _, cell| cell.to_owned()) {
        writeln!(shown, "{line}")?;
    }
    writeln!(shown, "{}", summary(listed))?;
    for left in &listed.left_out {
        writeln!(
            shown,
            "{}: {} more with texts that are not listed",
            left.attribute,
            counted(left.times, "element")
        )?;
    }
    for (word, meaning) in legend() {
        writeln!(shown, "{word}: {meaning}")?;
    }
    Ok(())
}

/// How much there is to look at.
pub(super) fn summary(listed: &Listed) -> String {
    let accepted = match listed.accepted {
        0 => String::new(),
        times => format!("; {} with accepted texts not listed", counted(times, "element")),
    };
    format!("{} in {}{accepted}", counted(listed.pairs.len(), "text"), counted(listed.files, "file"))
}
