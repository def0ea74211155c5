//! Figures that open to the records behind them.

use crate::audit::reading::figures::{Bucket, Ranking};
use crate::audit::record::Outcome;

use super::super::command::Line;
use super::super::row::Row;
use super::commands::Commands;
use super::html::{Html, counted, grouped, percent};

/// Bars that are drawn; the rest is counted.
pub(super) const BARS: usize = 25;

/// A bar of a list.
pub(super) struct Item<'i> {
    pub label: &'i str,
    pub note: &'i str,
    /// Colour: `good`, `bad`, `plain`.
    pub tone: &'static str,
    /// What the bar shows, and the longest of the list.
    pub share: (u64, u64),
    pub figure: &'i str,
}

/// A bar that opens to its records.
pub(super) fn item(html: &mut Html, item: &Item, bucket: &Bucket, all: &Line, commands: &Commands) {
    html.raw("<details class=\"item\"><summary><span class=\"label\">").text(item.label);
    if !item.note.is_empty() {
        html.element(" <small>", item.note, "</small>");
    }
    html.raw("</span><span class=\"track\"><span class=\"bar ").raw(item.tone).raw("\" style=\"width:");
    html.text(percent(item.share.0, item.share.1)).raw("%\"></span></span>");
    html.element("<span class=\"figure\">", item.figure, "</span></summary>");
    records(html, bucket, all, commands);
    html.raw("</details>");
}

/// A list of bars, the longest first. `search` gives the command for a label.
pub(super) fn ranking(
    html: &mut Html,
    ranking: &Ranking,
    tone: impl Fn(&str) -> &'static str,
    note: impl Fn(&str) -> String,
    search: impl Fn(&str) -> Line,
    commands: &Commands,
) {
    let ranked = ranking.ranked();
    let longest = ranked.first().map_or(0, |(_, bucket)| bucket.count);
    html.raw("<div class=\"items\">");
    for (label, bucket) in ranked.iter().take(BARS) {
        let shown = Item {
            label,
            note: &note(label),
            tone: tone(label),
            share: (bucket.count, longest),
            figure: &grouped(bucket.count),
        };
        item(html, &shown, bucket, &search(label), commands);
    }
    html.raw("</div>");
    more(html, ranked.len());
}

/// Says how many bars were left out.
pub(super) fn more(html: &mut Html, length: usize) {
    more_than(html, length, BARS);
}

/// Says how many were left out of which so many are drawn.
pub(super) fn more_than(html: &mut Html, length: usize, drawn: usize) {
    if length > drawn {
        html.element("<p class=\"quiet\">and ", length - drawn, " more</p>");
    }
}

/// The newest records of a figure, and the command that lists all of them.
pub(super) fn records(html: &mut Html, bucket: &Bucket, all: &Line, commands: &Commands) {
    html.raw("<div class=\"records\">");
    if (bucket.newest.len() as u64) < bucket.records {
        html.raw("<p class=\"quiet\">The newest ").text(bucket.newest.len()).raw(" of ");
        html.text(counted(bucket.records, "record")).raw("</p>");
    }
    html.raw(
        "<div class=\"scroll\"><table><thead><tr><th>time (UTC)<th>event<th>association<th>peer<th>from<th>AE titles<th>what\
         </thead><tbody>",
    );
    for record in bucket.newest.iter().rev() {
        row(html, &Row::of(record, None));
    }
    html.raw("</tbody></table></div>");
    command(html, "All of them", all);
    if let Some(id) = bucket.newest.iter().rev().find_map(|record| record.association()) {
        command(html, "The newest as a story", &commands.show.argument(id));
    }
    html.raw("</div>");
}

pub(super) fn command(html: &mut Html, what: &'static str, line: &Line) {
    html.raw("<p class=\"command\"><span>").raw(what).raw("</span> <code>").text(line).raw("</code></p>");
}

fn row(html: &mut Html, row: &Row) {
    let tone = match row.outcome {
        Some(Outcome::Failure | Outcome::Refused) => "bad",
        Some(Outcome::Warning) => "warn",
        _ if row.event == "security-alert" => "bad",
        _ => "",
    };
    html.raw("<tr class=\"").raw(tone).raw("\"><td class=\"mono\">").text(&row.time);
    html.element("<td>", &row.event, "").element("<td class=\"mono\">", &row.association, "");
    html.element("<td>", &row.who, "").element("<td class=\"mono\">", &row.address, "");
    html.element("<td>", &row.titles, "").element("<td class=\"what\">", &row.what, "");
}
