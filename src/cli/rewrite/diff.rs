//! The table of `--diff`.

use std::io::{self, Write};

use crate::dataset::Tag;
use crate::rewrite::{Change, Content, Ruleset, Transform};
use crate::wire::escape;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::StandardDataDictionary;

/// Prints what was changed in one file: tag, keyword, sequences around it, values before and after, rule.
pub fn print(
    rules: &Ruleset,
    from: &str,
    to: &str,
    transform: &Transform,
    shown: &mut dyn Write,
) -> io::Result<()> {
    writeln!(shown, "{from} -> {to}: {} elements changed", transform.summary().elements)?;
    let rows: Vec<[String; 5]> = transform.changes().iter().map(|change| row(rules, change)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [tag, keyword, before, after] = [0, 1, 2, 3].map(width);
    for [a, b, c, d, e] in &rows {
        writeln!(shown, "  {a:tag$}  {b:keyword$}  {c:before$} -> {d:after$}  {e}")?;
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
    [path.join("."), keyword(change.tag), content(&change.before), content(&change.after), rule]
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
