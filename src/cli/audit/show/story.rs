//! The chapters of the story.

mod beginning;
mod end;
mod values;
mod work;

use serde_json::Value;
use time::OffsetDateTime;

use super::super::row::clock;
use crate::cli::demo::story::Style;
use crate::cli::table::{visible, wrapped};
use crate::cli::words::duration;
use values::text;

/// Operations that are told one by one.
const TOLD: usize = 100;

/// The lines of the story of an association, from all its records.
pub(crate) fn tell(records: &[Value], id: &str, folder: &str, screen: Screen) -> Vec<String> {
    let of = |event: &str| records.iter().find(|record| record["event"] == event);
    let refused = of("association-rejected").or_else(|| of("connection-refused"));
    let closed = of("association-closed");
    let begin = of("association-opened").or(closed).or(refused).or(records.first());
    let begin = begin.unwrap_or(&Value::Null);
    let Screen { style, width, now } = screen;
    let mut story = Told { lines: Vec::new(), style, width: width.saturating_sub(INDENT.len()), now };
    story.title(id, begin, closed, refused);
    story.who(begin);
    match refused {
        Some(refused) => story.refusal(refused),
        None => story.admission(begin),
    }
    story.contexts(closed.unwrap_or(begin));
    let operations: Vec<&Value> = records.iter().filter(|record| record["event"] == "operation").collect();
    story.operations(&operations, begin, id, folder);
    story.rewritten(&operations, closed);
    for alert in records.iter().filter(|record| record["event"] == "security-alert") {
        story.alert(alert);
    }
    if refused.is_none() {
        story.end(closed);
    }
    story.lines
}

/// Who looks: at how many columns, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub style: Style,
    pub width: usize,
    pub now: OffsetDateTime,
}

struct Told {
    lines: Vec<String>,
    style: Style,
    /// Of what stands under a chapter.
    width: usize,
    now: OffsetDateTime,
}

const INDENT: &str = "  ";

impl Told {
    fn chapter(&mut self, name: &str) {
        self.lines.push(String::new());
        self.lines.push(self.style.bold(name));
    }

    fn say(&mut self, text: &str) {
        let pieces = wrapped(text, self.width.saturating_sub(INDENT.len()));
        let deeper = pieces.iter().enumerate().map(|(number, piece)| match number {
            0 => format!("{INDENT}{piece}"),
            _ => format!("{INDENT}{INDENT}{piece}"),
        });
        self.lines.extend(deeper);
    }

    fn title(&mut self, id: &str, begin: &Value, closed: Option<&Value>, refused: Option<&Value>) {
        let how = match (refused, closed) {
            (Some(_), _) => self.style.red("refused"),
            (None, None) => self.style.yellow("still open, or its end was not recorded"),
            (None, Some(closed)) => {
                let ended =
                    format!("{} after {}", text(closed, "/ended"), duration(closed["duration-ms"].as_u64()));
                if closed["ended"] == crate::vocabulary::Ended::Released.label() {
                    self.style.green(&ended)
                } else {
                    self.style.red(&ended)
                }
            }
        };
        self.lines.push(format!("{} {}: {how}", self.style.bold("Association"), visible(id)));
        self.lines.push(self.style.dim(&format!("{} UTC", clock(&text(begin, "/time")))));
    }
}
