//! The table of `--diff`.

use std::io::{self, Write};

use crate::cli::table::{Table, screen};
use crate::dataset::{Tag, keyword_of};
use crate::rewrite::{Change, Content, Ruleset, Transform};
use crate::wire::escape;

const INDENT: &str = "  ";

/// Prints what was changed in one file: tag, keyword, sequences around it, values before and after, rule. On a screen that
/// is too narrow for that each change takes a few lines; nothing is cut.
pub(super) fn print(
    rules: &Ruleset,
    from: &str,
    to: &str,
    transform: &Transform,
    shown: &mut dyn Write,
) -> io::Result<()> {
    writeln!(shown, "{from} -> {to}: {} elements changed", transform.summary().elements)?;
    let tolerated = transform.summary().tolerated.words();
    if !tolerated.is_empty() {
        writeln!(shown, "{INDENT}put right: {}", tolerated.join(", "))?;
    }
    for line in lines(rules, transform.changes(), screen(usize::MAX)) {
        writeln!(shown, "{line}")?;
    }
    match transform.changes_left_out() {
        0 => Ok(()),
        more => writeln!(shown, "  and {more} more"),
    }
}

/// The changes, on a screen of so many columns.
fn lines(rules: &Ruleset, changes: &[Change], columns: usize) -> Vec<String> {
    let mut table = Table::new([""; 5]).within(columns.saturating_sub(INDENT.len())).stacked(usize::MAX);
    changes.iter().for_each(|change| table.row(row(rules, change)));
    let lines = table.lines(|_, _, cell| cell.to_owned());
    lines.into_iter().map(|line| format!("{INDENT}{line}")).collect()
}

fn row(rules: &Ruleset, change: &Change) -> [String; 5] {
    let around = change.path.iter().map(|step| format!("{}[{}]", step.sequence, step.item));
    let path: Vec<String> = around.chain([change.tag.to_string()]).collect();
    let rule = rules.why(change.rule);
    let after = format!("-> {}", content(&change.after));
    [path.join("."), called(change.tag).to_owned(), content(&change.before), after, rule]
}

/// Its keyword; a private creator has that of all of them.
fn called(tag: Tag) -> &'static str {
    let is_creator = !tag.0.is_multiple_of(2) && (0x10..=0xFF).contains(&tag.1);
    keyword_of(tag).unwrap_or(if is_creator { "PrivateCreator" } else { "-" })
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

#[cfg(test)]
mod tests {
    use super::{Content, Ruleset, Tag, lines};
    use crate::dataset::Vr;
    use crate::rewrite::{Change, RuleSpec, RulesetSpec};

    fn value(text: &str) -> Content {
        Content::Value { start: text.as_bytes().to_vec(), whole: true }
    }

    #[test]
    fn eighty_columns_hold_every_change_whole() {
        let rule = RuleSpec { tag: "PatientName".into(), action: "remove".into(), ..RuleSpec::default() };
        let rules = Ruleset::compile(RulesetSpec { rules: vec![rule], ..RulesetSpec::default() }).unwrap();
        let change =
            |tag, before, after| Change { path: Vec::new(), tag, vr: Vr::LO, rule: 0, before, after };
        let uid = "1.2.826.0.1.3680043.8.498.12345678901234567890123456789012345678";
        let mapped = "2.25.338082322581725663505304454775110843999";
        let changes = [
            change(Tag(0x10, 0x10), value("DOE^JANE"), Content::Absent),
            change(Tag(0x8, 0x1155), value(uid), value(mapped)),
            change(Tag(0x18, 0x9004), Content::Bulk { length: Some(4_000_000_000) }, Content::Sequence),
            change(Tag(0x8, 0x1030), value(&"a word and ".repeat(20)), value(&"x".repeat(200))),
        ];
        let whole = |columns| lines(&rules, &changes, columns).concat().replace(' ', "");
        for columns in [40, 60, 80, 100] {
            let shown = lines(&rules, &changes, columns);
            assert!(shown.iter().all(|line| line.chars().count() <= columns), "{columns}: {shown:#?}");
            assert_eq!(whole(columns), whole(usize::MAX), "{columns}: {shown:#?}");
        }
        assert_eq!(lines(&rules, &changes, usize::MAX).len(), changes.len());
        assert!(lines(&rules, &changes, 80).len() > changes.len());
    }
}
