//! The page, from its head to its last line.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::Figures;

use super::commands::Commands;
use super::html::{Html, grouped};
use super::{drawing, items, operations, security, unusual};
use crate::cli::words::amount;

/// Damaged lines that the page names.
const DAMAGE: usize = 50;

/// One self-contained page. It may run nothing and fetch nothing, whatever a record holds.
pub fn page(figures: &Figures, folder: &str, written: OffsetDateTime) -> String {
    let commands = Commands::new(folder, figures.period);
    let mut html = Html::default();
    html.raw(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"referrer\" content=\"no-referrer\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>Audit report ",
    );
    html.text(day(figures.period.from)).raw(" to ").text(day(figures.period.to));
    html.raw("</title><style>").raw(include_str!("style.css")).raw("</style></head><body>");
    head(&mut html, figures, folder, written);
    html.raw("<main>");
    tiles(&mut html, figures);
    let mut section = |id: &'static str, title: &'static str, body: &dyn Fn(&mut Html)| {
        html.raw("<section id=\"").raw(id).raw("\"><h2>").raw(title).raw("</h2>");
        body(&mut html);
        html.raw("</section>");
    };
    section("unusual", "Unusual", &|html| unusual::section(html, figures, &commands));
    section("time", "Over time", &|html| drawing::timeline(html, figures, &commands));
    section("peers", "Associations by peer and hour", &|html| drawing::peers(html, figures, &commands));
    section("refusals", "Refusals by reason", &|html| security::refusals(html, figures, &commands));
    section("tls", "TLS in use", &|html| security::tls(html, figures, &commands));
    section("certificates", "Certificates of requestors", &|html| {
        security::certificates(html, figures, &commands, written);
    });
    section("routes", "Bytes by route", &|html| operations::routes(html, figures, &commands));
    section("operations", "Operations by outcome", &|html| operations::operations(html, figures, &commands));
    section("endings", "How associations ended", &|html| security::endings(html, figures, &commands));
    section("proxy", "The proxy itself", &|html| {
        let search = |label: &str| commands.event(label);
        items::ranking(html, &figures.process, |_| "plain", |_| String::new(), search, &commands);
    });
    section("reading", "What this page is made of", &|html| reading(html, figures, folder));
    html.raw("</main></body></html>\n");
    html.finish()
}

const CONTENTS: &str = "<nav><a href=\"#unusual\">Unusual</a><a href=\"#time\">Time</a><a href=\"#peers\">Peers</a>\
    <a href=\"#refusals\">Refusals</a><a href=\"#tls\">TLS</a><a href=\"#certificates\">Certificates</a>\
    <a href=\"#routes\">Bytes</a><a href=\"#operations\">Operations</a><a href=\"#endings\">Endings</a>\
    <a href=\"#proxy\">Proxy</a><a href=\"#reading\">Method</a></nav>";

fn head(html: &mut Html, figures: &Figures, folder: &str, written: OffsetDateTime) {
    html.raw("<header><div><p class=\"brand\">dimsegate</p><h1>Audit report</h1><p class=\"period\"><b>");
    html.text(minute(figures.period.from))
        .raw("</b> to <b>")
        .text(minute(figures.period.to))
        .raw("</b> UTC, ");
    html.text(length(figures.period.to - figures.period.from))
        .raw("</p><p class=\"quiet\">from the records in <code>");
    html.text(folder)
        .raw("</code>, written ")
        .text(minute(written))
        .raw(" UTC</p></div>")
        .raw(CONTENTS)
        .raw("</header>");
}

fn tiles(html: &mut Html, figures: &Figures) {
    let operations: u64 = figures.operations.values().map(|kind| kind.bucket.count).sum();
    let failed = figures.failed.count();
    let unusual = (figures.unusual.len() + figures.alerts.ranked().len()) as u64;
    html.raw("<div class=\"tiles\">");
    tile(
        html,
        "#peers",
        "plain",
        &grouped(figures.associations.count),
        "associations",
        &format!("{} peers", figures.peers.len()),
    );
    let reasons = figures.refused.ranked().len();
    let tone = |count: u64| if count > 0 { "bad" } else { "good" };
    let refused = figures.refusals.count;
    tile(html, "#refusals", tone(refused), &grouped(refused), "refusals", &format!("{reasons} reasons"));
    tile(
        html,
        "#unusual",
        tone(unusual),
        &grouped(unusual),
        "unusual",
        &format!("{} security alerts", grouped(figures.alerts.count())),
    );
    tile(
        html,
        "#operations",
        "plain",
        &grouped(operations),
        "operations",
        &format!("{} not success", grouped(failed)),
    );
    let moved = figures.bytes.r#in.saturating_add(figures.bytes.out);
    let ways = format!("{} in, {} out", amount(figures.bytes.r#in), amount(figures.bytes.out));
    tile(html, "#routes", "plain", &amount(moved), "moved", &ways);
    html.raw("</div>");
}

fn tile(html: &mut Html, to: &'static str, tone: &'static str, figure: &str, what: &'static str, more: &str) {
    html.raw("<a class=\"tile ")
        .raw(tone)
        .raw("\" href=\"")
        .raw(to)
        .raw("\"><b>")
        .text(figure)
        .raw("</b><span>");
    html.raw(what).raw("</span><small>").text(more).raw("</small></a>");
}

fn reading(html: &mut Html, figures: &Figures, folder: &str) {
    let kept = &figures.kept;
    html.raw("<p>")
        .text(grouped(figures.records))
        .raw(" records of the period, from ")
        .text(grouped(kept.lines));
    html.raw(" lines that were read. That nobody changed them is not shown here but by <code>");
    html.text(super::super::command::Line::new("verify", folder)).raw("</code>.</p>");
    html.raw("<p>An association counts where it was opened, a refusal where a connection or a request for an association was refused, bytes and endings where an association ended. Times and hours are UTC. Each figure keeps its newest ten records here; its command lists all.</p>");
    for path in &kept.encrypted {
        html.element("<p class=\"bad\">", path.display(), " is encrypted and was not read.</p>");
    }
    if kept.damaged > 0 {
        html.element(
            "<p class=\"bad\">",
            grouped(kept.damaged),
            " damaged lines were skipped:</p><ul class=\"mono\">",
        );
        for damage in kept.damage.iter().take(DAMAGE) {
            html.element("<li>", &damage.place, "").element(": ", &damage.what, "</li>");
        }
        html.raw("</ul>");
    }
}

/// `2026-03-01 08:30`.
pub fn minute(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

pub fn day(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

fn length(length: Duration) -> String {
    match length.whole_hours() {
        0..48 => format!("{} hours", length.whole_hours()),
        hours => format!("{} days", (hours + 12) / 24),
    }
}
