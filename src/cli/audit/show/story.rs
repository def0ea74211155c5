//! The chapters of the story.

mod beginning;
mod end;
mod values;
mod work;

use time::OffsetDateTime;

use super::super::row::clock;
use crate::audit::record::{AssociationClosed, Context, Event, Operation, Record};
use crate::cli::demo::story::Style;
use crate::cli::table::{visible, wrapped};
use crate::cli::words::duration;
use crate::vocabulary::Ended;

/// Operations that are told one by one.
const TOLD: usize = 100;

/// The lines of the story of an association, from all its records.
pub(crate) fn tell(records: &[Record], id: &str, folder: &str, screen: Screen) -> Vec<String> {
    let of = |event: &str| records.iter().find(|record| record.event.name() == event);
    let refused = of("association-rejected").or_else(|| of("connection-refused"));
    let closing = of("association-closed");
    let closed = closing.and_then(closed_of);
    let begin = of("association-opened").or(closing).or(refused).or(records.first());
    let Some(begin) = begin else { return Vec::new() };
    let Screen { style, width, now } = screen;
    let mut story = Chapters { lines: Vec::new(), style, width: width.saturating_sub(INDENT.len()), now };
    story.title(id, begin, closed, refused);
    story.who(begin);
    match refused {
        Some(refused) => story.refusal(refused),
        None => story.admission(begin),
    }
    story.contexts(closed.map_or_else(|| contexts_of(begin), |closed| &closed.contexts));
    let operations: Vec<(&Record, &Operation)> =
        records.iter().filter_map(|record| Some((record, record.operation()?))).collect();
    story.operations(&operations, begin, id, folder);
    story.rewritten(&operations, closed);
    for alert in records.iter().filter(|record| matches!(record.event, Event::SecurityAlert(_))) {
        story.alert(alert);
    }
    if refused.is_none() {
        story.end(closed);
    }
    story.lines
}

fn closed_of(record: &Record) -> Option<&AssociationClosed> {
    match &record.event {
        Event::AssociationClosed(closed) => Some(closed),
        _ => None,
    }
}

fn contexts_of(record: &Record) -> &[Context] {
    match &record.event {
        Event::AssociationOpened(opened) => &opened.contexts,
        _ => &[],
    }
}

/// Who looks: at how many columns, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    pub style: Style,
    pub width: usize,
    pub now: OffsetDateTime,
}

struct Chapters {
    lines: Vec<String>,
    style: Style,
    /// Of what stands under a chapter.
    width: usize,
    now: OffsetDateTime,
}

const INDENT: &str = "  ";

impl Chapters {
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

    fn title(
        &mut self,
        id: &str,
        begin: &Record,
        closed: Option<&AssociationClosed>,
        refused: Option<&Record>,
    ) {
        let how = match (refused, closed) {
            (Some(_), _) => self.style.red("refused"),
            (None, None) => self.style.yellow("still open, or its end was not recorded"),
            (None, Some(closed)) => {
                let ended =
                    format!("{} after {}", visible(closed.ended.label()), duration(Some(closed.duration_ms)));
                if closed.ended.word() == Some(Ended::Released) {
                    self.style.green(&ended)
                } else {
                    self.style.red(&ended)
                }
            }
        };
        self.lines.push(format!("{} {}: {how}", self.style.bold("Association"), visible(id)));
        self.lines.push(self.style.dim(&format!("{} UTC", clock(&visible(&begin.time)))));
    }
}
