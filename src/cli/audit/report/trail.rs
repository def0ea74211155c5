//! The trail itself: what runs found of it, steps of the clock, what was closed, deleted and read.

use crate::audit::reading::figures::{Figures, OfTrail, TrailFigure};
use crate::audit::record::Outcome;
use crate::vocabulary::of_head;

use super::super::command::Line;
use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::items::{self, Item};

/// Something about the trail, in words.
pub(super) struct Saying<'f> {
    /// `bad`, `warn`, `plain`.
    pub tone: &'static str,
    pub name: &'static str,
    pub text: String,
    pub line: Line,
    pub figure: &'f TrailFigure,
}

/// All there is to tell, the worst first.
pub(super) fn told<'f>(figures: &'f Figures, commands: &Commands) -> Vec<Saying<'f>> {
    figures.trail.ordered().into_iter().map(|(of, figure)| tell(&of, figure, commands)).collect()
}

pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands) {
    let told = told(figures, commands);
    if told.is_empty() {
        html.raw("<p class=\"quiet\">The records say nothing of themselves in the period.</p>");
    }
    let longest = told.iter().map(|one| one.figure.bucket.count).max().unwrap_or(0);
    html.raw("<div class=\"items\">");
    for one in &told {
        let count = one.figure.bucket.count;
        let shown = Item {
            label: one.name,
            note: &one.text,
            tone: one.tone,
            share: (count, longest),
            figure: &grouped(count),
        };
        items::item(html, &shown, &one.figure.bucket, &one.line, commands);
    }
    html.raw("</div>");
    if figures.trail.count("checkpoint") == 0 {
        html.raw("<p class=\"quiet\">No checkpoint is in the period: nobody signed these records in it.</p>");
    }
}

fn tell<'f>(of: &OfTrail, figure: &'f TrailFigure, commands: &Commands) -> Saying<'f> {
    let line = commands.event(&of.event);
    let (name, text, line) = match of.event.as_str() {
        "trail-continued" => {
            let line = line.with("reason", &of.label);
            let line = of.outcome.map_or(line.clone(), |outcome| line.with("outcome", outcome.name()));
            (run(of), found(of, figure), line)
        }
        "clock-stepped" => {
            let text = "Times before and behind are not of one clock; the order of what happened is that of the numbers";
            ("The clock was set", text.to_owned(), line)
        }
        "records-deleted" => (
            "Files were deleted",
            format!("with {}, after retention-days", counted(figure.records, "record")),
            line,
        ),
        "file-closed" => ("Days were closed", format!("with {}", counted(figure.records, "record")), line),
        "audit-log-used" => ("Somebody read the records", "with dimsegate audit".to_owned(), line),
        _ => ("Checkpoints", "each signs all records before it; audit verify checks them".to_owned(), line),
    };
    Saying { tone: tone(of), name, text, line, figure }
}

fn tone(of: &OfTrail) -> &'static str {
    match of.outcome {
        Some(Outcome::Failure | Outcome::Refused) => "bad",
        Some(Outcome::Warning) => "warn",
        _ => "plain",
    }
}

fn run(of: &OfTrail) -> &'static str {
    match (of.outcome, of.label.as_str()) {
        (Some(Outcome::Failure), _) => "The trail was changed",
        (_, "new") => "A new trail began",
        (Some(Outcome::Warning), _) => "A run began after a crash",
        _ => "A run began",
    }
}

/// What the head said, and how much was taken over on nobody's word.
fn found(of: &OfTrail, figure: &TrailFigure) -> String {
    let head = of_head(&of.label).map(|meaning| match of.outcome {
        Some(Outcome::Failure) => format!("{}; look at: {}", meaning.what, meaning.look),
        _ => meaning.what.to_owned(),
    });
    let unsigned = (figure.records > 0)
        .then(|| format!("{} taken over that nobody had signed", counted(figure.records, "record")));
    [head, unsigned].into_iter().flatten().collect::<Vec<_>>().join("; ")
}
