//! What came over time: a drawing of associations and one of refusals, each with its own scale.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::{Figures, Period};

use super::commands::Commands;
use super::html::{Html, counted, grouped};

const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 100.0;
/// Steps of the table under the drawings.
const STEPS: usize = 400;

/// One of the two drawings.
struct Drawing {
    what: &'static str,
    bar: &'static str,
    key: &'static str,
    of: fn(&(u64, u64)) -> u64,
}

const DRAWINGS: [Drawing; 2] = [
    Drawing {
        what: "association",
        bar: "<rect class=\"in\"",
        key: "<figcaption><i class=\"in\"></i>",
        of: |step| step.0,
    },
    Drawing {
        what: "refusal",
        bar: "<rect class=\"out\"",
        key: "<figcaption><i class=\"out\"></i>",
        of: |step| step.1,
    },
];

pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands) {
    let steps = steps(figures);
    for drawing in &DRAWINGS {
        draw(html, drawing, &steps, figures.step);
    }
    table(html, figures, &steps, commands);
}

/// The heading says what the highest bar stands for. Labels of the axis are text of the page, so that a narrow screen
/// does not shrink them.
fn draw(html: &mut Html, drawing: &Drawing, steps: &[Step], step: Duration) {
    let most = steps.iter().map(|(_, counts)| (drawing.of)(counts)).max().unwrap_or(0);
    html.raw("<figure class=\"timeline\">").raw(drawing.key);
    match most {
        0 => html.raw("no ").raw(drawing.what),
        _ => html.raw("at most ").text(counted(most, drawing.what)).raw(step_words(step)),
    };
    html.raw("</figcaption>");
    if most > 0 {
        bars(html, drawing, steps, step, most);
        axis(html, steps, step);
    }
    html.raw("</figure>");
}

fn bars(html: &mut Html, drawing: &Drawing, steps: &[Step], step: Duration, most: u64) {
    #[allow(clippy::cast_precision_loss)]
    let slot = WIDTH / steps.len().max(1) as f64;
    html.raw("<svg viewBox=\"0 0 1000 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"");
    html.text(counted(most, drawing.what)).raw(step_words(step)).raw(" at most\">");
    for (number, (begin, counts)) in steps.iter().enumerate() {
        let count = (drawing.of)(counts);
        #[allow(clippy::cast_precision_loss)]
        let x = number as f64 * slot;
        html.raw("<g><title>").text(label(*begin, step)).raw(": ").text(counted(count, drawing.what));
        html.raw("</title><rect class=\"hit\" y=\"0\" height=\"100\" x=\"").text(format_args!("{x:.1}"));
        html.raw("\" width=\"").text(format_args!("{slot:.1}")).raw("\"/>");
        bar(html, drawing.bar, x, slot, scaled(count, most));
        html.raw("</g>");
    }
    html.raw("</svg>");
}

fn axis(html: &mut Html, steps: &[Step], step: Duration) {
    html.raw("<div class=\"axis\">");
    for (place, part) in steps.chunks((steps.len() / 8).max(1)).enumerate() {
        // A narrow screen has room for every third label.
        html.raw(if place % 3 == 0 { "<span" } else { "<span class=\"minor\"" });
        html.raw(" style=\"flex:").text(part.len()).raw("\">");
        html.text(part.first().map(|(begin, _)| label(*begin, step)).unwrap_or_default()).raw("</span>");
    }
    html.raw("</div>");
}

fn step_words(step: Duration) -> &'static str {
    match step.whole_hours() {
        1 => " an hour",
        24 => " a day",
        _ => " a week",
    }
}

fn bar(html: &mut Html, open: &'static str, x: f64, slot: f64, height: f64) {
    if height > 0.0 {
        let gap = (slot * 0.15).min(2.0);
        html.raw(open).raw(" x=\"").text(format_args!("{:.1}", x + gap / 2.0));
        html.raw("\" y=\"").text(format_args!("{:.1}", HEIGHT - height)).raw("\" width=\"");
        html.text(format_args!("{:.1}", slot - gap))
            .raw("\" height=\"")
            .text(format_args!("{height:.1}"))
            .raw("\"/>");
    }
}

/// At least a visible one where it is not nothing.
fn scaled(count: u64, most: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let share = count as f64 / most.max(1) as f64;
    if count == 0 { 0.0 } else { (share * HEIGHT).max(2.0) }
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
