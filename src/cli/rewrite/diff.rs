//! The table of `--diff`.

use std::io::{self, Write};

use crate::cli::table::{Table, screen};
use crate::dataset::Tag;
use crate::rewrite::{Change, Content, Ruleset, Transform};
use crate::wire::escape;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;

const INDENT: &str = "  ";

/// Prints what was changed in one file: tag, keyword, sequences around it, values before and after, rule. On a screen that
/// is too narrow for that each change takes a few lines; nothing is cut.
pub fn print(
    rules: &Ruleset,
    from: &str,
    to: &str,
    transform: &Transform,
    shown: &mut dyn Write,
) -> io::Result<()> {
    writeln!(shown, "{from} -> {to}: {} elements changed", transform.summary().elements)?;
    let tolerated = transform.summary().tolerated.words();
    if !tolerated.is_empty() {
        writeln!(shown, "{INDENT}put right before: {}", tolerated.join(", "))?;
    }
    let mut table =
        Table::new([""; 5]).within(screen(usize::MAX).saturating_sub(INDENT.len())).stacked(usize::MAX);
    transform.changes().iter().for_each(|change| table.row(row(rules, change)));
    for line in table.lines(|_, _, cell| cell.to_owned()) {
        writeln!(shown, "{INDENT}{line}")?;
    }
    match transform.changes_left_out() {
        0 => Ok(()),
        more => writeln!(shown, "  and {more} more"),
    }
}

fn row(rules: &Ruleset, change: &Change) -> [String; 5] {
    let around = change.path.iter().map(|step| format!("{}[{}]", step.sequence, step.item));
    let path: Vec<String> = around.chain([change.tag.to_string()]).collect();
    let rule = rules.why(change.rule);
    let after = format!("-> {}", content(&change.after));
    [path.join("."), keyword(change.tag), content(&change.before), after, rule]
}

fn keyword(tag: Tag) -> String {
    let entry = StandardDataDictionary.by_tag(tag);
    entry.map_or("-", |entry| entry.alias()).to_owned()
}

fn content(content: &Content) -> String {
    match content {
        Content::Absent => "absent".to_owned(),
        Content::Sequence => "sequence".to_owned(),
        Content::Bulk { length: Some(length) } => format!("{length} bytes"),
        Content::Bulk { length: None } => "encapsulated".to_owned(),
        Content::Value { start, whole } => format!("\"{}\"{}", escape(start), if *whole { "" } else { "…" }),
    }
}
