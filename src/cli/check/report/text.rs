//! A report for a terminal, or for a mail.

use std::fmt::Write;

use super::model::{Evidence, Shown};
use crate::cli::table::{screen, visible, wrapped};
use crate::cli::words::counted;
use crate::evidence::Place;

const INDENT: &str = "    ";

/// All of it, in lines.
pub(super) fn text(evidence: &Evidence) -> String {
    let width = screen(100).min(120);
    let mut text = String::new();
    let mut line = |words: &str| lines(&mut text, words, "", width);
    line(evidence.title);
    line(&format!(
        "{} to {}, {} in {}",
        evidence.from,
        evidence.to,
        counted(evidence.records, "record"),
        evidence.directory
    ));
    line(&format!("configuration {}, SHA-256 {}", evidence.configuration, evidence.digest));
    line(&evidence.rests_on());
    line(evidence.note);
    line(&format!("data: {}", evidence.data_date));
    if let Some(own) = &evidence.own_mapping {
        line(own);
    }
    evidence.controls.iter().for_each(|control| of(&mut text, control, width));
    let _ = writeln!(text);
    lines(&mut text, &evidence.summary(), "", width);
    text
}

fn of(text: &mut String, control: &Shown, width: usize) {
    let _ = writeln!(text);
    let Shown { reference, title, standing, requirement, proposed, .. } = control;
    let kind = if *proposed { "PROPOSED" } else { requirement };
    lines(text, &format!("{reference}  {title} ({kind}): {standing}"), "", width);
    let mut below = |words: String| lines(text, &words, INDENT, width);
    if let Some(mapping) = &control.mapping {
        below(mapping.clone());
    }
    for found in &control.found {
        let places: Vec<String> = found.places.iter().map(Place::words).collect();
        below(format!("found    {}", found.said));
        if !places.is_empty() {
            below(format!("         {}", places.join("; ")));
        }
        below(format!("         {}", found.query));
    }
    for missing in &control.missing {
        below(format!("missing  {}", missing.what.why));
        below(format!("         {}", missing.what.remedy));
    }
    for why in &control.not_by_proxy {
        below(format!("people   {why}"));
    }
    if let Some(caveat) = &control.caveat {
        below(format!("caveat   {caveat}"));
    }
}

/// A paragraph, each line of it behind the same blanks as its first.
fn lines(text: &mut String, words: &str, indent: &str, width: usize) {
    let blanks = words.len() - words.trim_start().len();
    let indent = format!("{indent}{}", " ".repeat(blanks));
    for line in wrapped(&visible(words.trim_start()), width.saturating_sub(indent.len())) {
        let _ = writeln!(text, "{indent}{line}");
    }
}
