//! Sections about what was moved.

use crate::audit::reading::figures::{Figures, OperationFigures};
use crate::vocabulary::of_reason;

use super::commands::Commands;
use super::html::{Html, counted, grouped, percent};
use super::items::{self, Item};
use crate::cli::words::{amount, duration};

pub(super) fn routes(html: &mut Html, figures: &Figures, commands: &Commands) {
    if figures.routes.is_empty() {
        html.raw("<p class=\"quiet\">No association ended in the period.</p>");
        return;
    }
    let mut routes: Vec<_> = figures.routes.iter().collect();
    routes.sort_by_key(|(_, route)| std::cmp::Reverse(route.bytes.r#in.saturating_add(route.bytes.out)));
    let longest = routes.first().map_or(0, |(_, route)| route.bytes.r#in.saturating_add(route.bytes.out));
    html.raw("<div class=\"items\">");
    for ((peer, upstream), route) in routes.iter().take(items::BARS) {
        let bytes = route.bytes;
        let line = commands.event("association-closed").with("peer", peer).with("upstream", upstream);
        let shown = Item {
            label: &format!("{peer} → {upstream}"),
            note: &counted(route.bucket.count, "association"),
            tone: "plain",
            share: (bytes.r#in.saturating_add(bytes.out), longest),
            figure: &format!("{} in, {} out", amount(bytes.r#in), amount(bytes.out)),
        };
        items::item(html, &shown, &route.bucket, &line, commands);
    }
    html.raw("</div>");
    items::more(html, routes.len());
    html.raw("<p class=\"quiet\">Bytes of the requestor's side, upper layer included: in from it, out to it, of associations that ended in the period.</p>");
}

pub(super) fn operations(html: &mut Html, figures: &Figures, commands: &Commands) {
    if figures.operations.is_empty() {
        html.raw("<p class=\"quiet\">No operation.</p>");
        return;
    }
    let mut kinds: Vec<_> = figures.operations.iter().collect();
    kinds.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.bucket.count));
    html.raw("<div class=\"items\">");
    for (name, kind) in kinds.iter().take(items::BARS) {
        let line = commands.event("operation").with("operation", name);
        operation(html, name, kind);
        items::records(html, &kind.bucket, &line, commands);
        html.raw("</details>");
    }
    html.raw("</div><p class=\"legend\"><i class=\"good\"></i>success <i class=\"warn\"></i>warning <i class=\"bad\"></i>failure <i class=\"refused\"></i>refused by dimsegate's policy</p>");
    if figures.failed.is_empty() {
        return;
    }
    html.raw("<h3>What was no success, by status or reason</h3>");
    let all = commands.event("operation");
    let search = |label: &str| match label.starts_with("0x") {
        true => all.with("status", label),
        false => all.with("reason", label),
    };
    let tone = |label: &str| if label.starts_with("0xB") || label == "0xFE00" { "warn" } else { "bad" };
    items::ranking(html, &figures.failed, tone, words, search, commands);
}

fn operation(html: &mut Html, name: &str, kind: &OperationFigures) {
    let counts = kind.counts;
    let whole = kind.bucket.count;
    html.raw("<details class=\"item\"><summary><span class=\"label\">").text(name).raw(" <small>");
    html.text(amount(kind.bytes)).raw(", longest ").text(duration(Some(kind.longest_ms)));
    html.raw("</small></span><span class=\"track\">");
    let parts = [
        ("<span class=\"bar good\" style=\"width:", counts.success),
        ("<span class=\"bar warn\" style=\"width:", counts.warning),
        ("<span class=\"bar bad\" style=\"width:", counts.failure),
        ("<span class=\"bar refused\" style=\"width:", counts.refused),
    ];
    for (open, count) in parts.into_iter().filter(|(_, count)| *count > 0) {
        html.element(open, percent(count, whole), "%\"></span>");
    }
    let unsuccessful = whole.saturating_sub(counts.success);
    html.raw("</span><span class=\"figure\">").text(grouped(whole));
    if unsuccessful > 0 {
        html.element("<small>, ", grouped(unsuccessful), " not success</small>");
    }
    html.raw("</span></summary>");
}

/// Statuses that a reviewer meets (PS3.7 Annex C, PS3.4 Annexes B and C).
fn words(label: &str) -> String {
    let known = match label {
        "0x0110" => "processing failure",
        "0x0111" => "duplicate SOP instance",
        "0x0112" => "no such SOP instance",
        "0x0117" => "invalid SOP instance",
        "0x0122" => "SOP class not supported",
        "0x0124" => "not authorized",
        "0x0211" => "unrecognized operation",
        "0xA701" | "0xA702" => "out of resources",
        "0xA801" => "move destination unknown",
        "0xB000" => "some elements were coerced, or some sub-operations failed",
        "0xB006" => "some elements were discarded",
        "0xB007" => "the data set does not fit its SOP class",
        "0xFE00" => "cancelled",
        "(none)" => "no response came",
        _ if label.starts_with("0xA7") => "out of resources",
        _ if label.starts_with("0xA9") => "the data set does not fit its SOP class",
        _ if label.starts_with("0xC") => "cannot be understood or processed",
        _ => {
            return of_reason(label)
                .map(|meaning| format!("{}; look at: {}", meaning.what, meaning.look))
                .unwrap_or_default();
        }
    };
    known.to_owned()
}
