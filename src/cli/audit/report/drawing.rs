//! Drawings: what came over time, and at which hours.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::{Figures, Period};

use super::commands::Commands;
use super::html::{Html, grouped};
use super::items::{self, Item};

const WIDTH: f64 = 1000.0;
const UP: f64 = 110.0;
const DOWN: f64 = 46.0;
const AXIS: f64 = 20.0;
/// Peers in the map of hours.
const ROWS: usize = 40;
/// Steps of the table under the drawing.
const STEPS: usize = 400;

/// Associations above the line, refusals below it, each on a scale of its own.
pub fn timeline(html: &mut Html, figures: &Figures, commands: &Commands) {
    let steps = steps(figures);
    let most = |of: fn(&(u64, u64)) -> u64| figures.timeline.values().map(of).max().unwrap_or(0);
    let (opened, refused) = (most(|step| step.0), most(|step| step.1));
    #[allow(clippy::cast_precision_loss)]
    let slot = WIDTH / steps.len().max(1) as f64;
    html.raw("<svg class=\"timeline\" viewBox=\"0 0 1000 182\" role=\"img\" aria-label=\"Associations and refusals over time\">");
    for (number, (begin, counts)) in steps.iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let x = number as f64 * slot;
        let (up, down) = (scaled(counts.0, opened, UP), scaled(counts.1, refused, DOWN));
        html.raw("<g><title>").text(label(*begin, figures.step)).raw(": ").text(grouped(counts.0));
        html.raw(" associations, ").text(grouped(counts.1)).raw(" refusals</title>");
        html.raw("<rect class=\"hit\" y=\"0\" height=\"162\" x=\"").text(format_args!("{x:.1}"));
        html.raw("\" width=\"").text(format_args!("{slot:.1}")).raw("\"/>");
        bar(html, "<rect class=\"in\"", x, UP - up, slot, up);
        bar(html, "<rect class=\"out\"", x, UP + 2.0, slot, down);
        html.raw("</g>");
    }
    html.raw("<line x1=\"0\" x2=\"1000\" y1=\"111\" y2=\"111\"/>");
    let every = (steps.len() / 8).max(1);
    for (place, (number, (begin, _))) in steps.iter().enumerate().step_by(every).enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let x = number as f64 * slot;
        // A narrow screen has room for every third label.
        html.raw(if place % 3 == 0 { "<text" } else { "<text class=\"minor\"" });
        html.raw(" y=\"").text(UP + DOWN + AXIS).raw("\" x=\"").text(format_args!("{x:.1}")).raw("\">");
        html.text(label(*begin, figures.step)).raw("</text>");
    }
    html.raw("</svg><p class=\"legend\"><i class=\"in\"></i>associations, at most ").text(grouped(opened));
    html.raw(step_words(figures.step)).raw(" <i class=\"out\"></i>refusals, at most ").text(grouped(refused));
    html.raw(step_words(figures.step)).raw("; two scales</p>");
    table(html, figures, &steps, commands);
}

fn step_words(step: Duration) -> &'static str {
    match step.whole_hours() {
        1 => " an hour",
        24 => " a day",
        _ => " a week",
    }
}

fn bar(html: &mut Html, open: &'static str, x: f64, y: f64, slot: f64, height: f64) {
    if height > 0.0 {
        let gap = (slot * 0.15).min(2.0);
        html.raw(open).raw(" x=\"").text(format_args!("{:.1}", x + gap / 2.0));
        html.raw("\" y=\"")
            .text(format_args!("{y:.1}"))
            .raw("\" width=\"")
            .text(format_args!("{:.1}", slot - gap));
        html.raw("\" height=\"").text(format_args!("{height:.1}")).raw("\"/>");
    }
}

fn scaled(count: u64, most: u64, height: f64) -> f64 {
    if count == 0 || most == 0 {
        return 0.0;
    }
    #[allow(clippy::cast_precision_loss)]
    let share = count as f64 / most as f64;
    (share * height).max(1.5)
}

type Step = (OffsetDateTime, (u64, u64));

/// Every step of the period, those without records too.
fn steps(figures: &Figures) -> Vec<Step> {
    let step = figures.step.whole_seconds();
    let first = figures.period.from.unix_timestamp().div_euclid(step) * step;
    let begins = (0_i64..).map(|number| first.saturating_add(number.saturating_mul(step)));
    let within = begins.take_while(|begin| *begin < figures.period.to.unix_timestamp()).take(STEPS * 4);
    within
        .filter_map(|begin| OffsetDateTime::from_unix_timestamp(begin).ok())
        .map(|begin| (begin, figures.timeline.get(&begin).copied().unwrap_or_default()))
        .collect()
}

fn label(begin: OffsetDateTime, step: Duration) -> String {
    let day = format_description!("[year]-[month]-[day]");
    let hour = format_description!("[month]-[day] [hour]:[minute]");
    let shown = if step < Duration::DAY { begin.format(hour) } else { begin.format(day) };
    shown.unwrap_or_default()
}

fn table(html: &mut Html, figures: &Figures, steps: &[Step], commands: &Commands) {
    html.raw(
        "<details><summary>As a table, with the command for each row</summary><div class=\"scroll\"><table>",
    );
    html.raw("<thead><tr><th>begin (UTC)<th class=\"num\">associations<th class=\"num\">refusals<th>records</thead><tbody>");
    for (begin, counts) in steps.iter().filter(|(_, counts)| *counts != (0, 0)).take(STEPS) {
        let to = begin.checked_add(figures.step).unwrap_or(*begin);
        let period = Period { from: (*begin).max(figures.period.from), to: to.min(figures.period.to) };
        let line = commands
            .within(period)
            .with("event", "association-opened,association-rejected,connection-refused");
        html.element("<tr><td class=\"mono\">", label(*begin, figures.step), "");
        html.element("<td class=\"num\">", grouped(counts.0), "").element(
            "<td class=\"num\">",
            grouped(counts.1),
            "",
        );
        html.element("<td><code>", line, "</code>");
    }
    html.raw("</tbody></table></div></details>");
}

/// Associations by peer and hour of the day, then each peer with its records.
pub fn peers(html: &mut Html, figures: &Figures, commands: &Commands) {
    let mut peers: Vec<_> = figures.peers.iter().collect();
    peers.sort_by_key(|(_, (bucket, _))| std::cmp::Reverse(bucket.count));
    if peers.is_empty() {
        html.raw("<p class=\"quiet\">No association was opened.</p>");
        return;
    }
    let most = peers.iter().flat_map(|(_, (_, hours))| hours).copied().max().unwrap_or(0);
    html.raw("<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>peer");
    for hour in 0..24 {
        html.element("<th>", format_args!("{hour:02}"), "");
    }
    html.raw("<th class=\"num\">all</thead><tbody>");
    for (number, (peer, (bucket, hours))) in peers.iter().take(ROWS).enumerate() {
        html.element("<tr><th scope=\"row\"><a href=\"#peer-", number, "\">").text(peer).raw("</a>");
        for (hour, count) in hours.iter().enumerate() {
            html.raw("<td class=\"").raw(heat(*count, most)).raw("\">");
            if *count > 0 {
                html.element("<a href=\"#peer-", number, "\" title=\"").text(peer);
                html.text(format_args!(
                    ", {hour:02}:00 to {:02}:00 UTC: {count} associations",
                    (hour + 1) % 24
                ));
                html.element("\">", short(*count), "</a>");
            }
        }
        html.element("<td class=\"num\">", grouped(bucket.count), "");
    }
    html.raw("</tbody></table></div>");
    items::more(
        html,
        peers.len().saturating_sub(ROWS).saturating_add(items::BARS * usize::from(peers.len() > ROWS)),
    );
    html.raw("<p class=\"quiet\">Hours of the day in UTC, all days of the period together; a stronger colour is more. A cell leads to its peer below; add <code>--hour 14</code> to the command there for one hour.</p><div class=\"items\">");
    let longest = peers.first().map_or(0, |(_, (bucket, _))| bucket.count);
    for (number, (peer, (bucket, _))) in peers.iter().take(ROWS).enumerate() {
        let line = commands.event("association-opened").with("peer", peer);
        let figure = grouped(bucket.count);
        let shown =
            Item { label: peer, note: "", tone: "plain", share: (bucket.count, longest), figure: &figure };
        html.element("<div class=\"anchor\" id=\"peer-", number, "\">");
        items::item(html, &shown, bucket, &line, commands);
        html.raw("</div>");
    }
    html.raw("</div>");
}

/// Six shades; the scale is a square root, so that few stay visible beside many.
fn heat(count: u64, most: u64) -> &'static str {
    const SHADES: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];
    if count == 0 || most == 0 {
        return "h0";
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let shade = ((count as f64 / most as f64).sqrt() * 6.0).ceil() as usize;
    SHADES.get(shade.saturating_sub(1)).copied().unwrap_or("h6")
}

fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}
