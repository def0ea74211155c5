//! The page, from its head to its last line.

use time::macros::format_description;
use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::Figures;

use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::{certificates, hours, items, operations, security, timeline, trail, unusual, users};
use crate::cli::shell::{self, Own};
use crate::cli::words::{amount, noun};

/// Damaged lines that the page names.
const DAMAGE: usize = 50;

/// One self-contained page. It may run nothing and fetch nothing, whatever a record holds.
pub(crate) fn page(figures: &Figures, folder: &str, written: OffsetDateTime) -> String {
    let commands = Commands::new(folder, figures.period);
    let mut html = Html::default();
    let (from, to) = (day(figures.period.from), day(figures.period.to));
    shell::begin(&mut html, format_args!("Audit report {from} to {to}"), Own::default());
    head(&mut html, figures, folder, written);
    html.raw("<main>");
    tiles(&mut html, figures, &commands, written);
    let mut section = |id: &'static str, title: &'static str, body: &dyn Fn(&mut Html)| {
        shell::section(&mut html, id, title, body);
    };
    section("unusual", "What stands out", &|html| unusual::section(html, figures, &commands, written));
    section("time", "Over time", &|html| timeline::section(html, figures, &commands));
    section("peers", "Associations by peer and hour", &|html| hours::section(html, figures, &commands));
    section("users", "Associations by user", &|html| users::section(html, figures, &commands));
    section("refusals", "Refusals by reason", &|html| security::refusals(html, figures, &commands));
    section("tls", "TLS in use", &|html| security::tls(html, figures, &commands));
    section("certificates", "Certificates that were shown", &|html| {
        certificates::section(html, figures, &commands, written);
    });
    section("routes", "Bytes by route", &|html| operations::routes(html, figures, &commands));
    section("operations", "Operations by outcome", &|html| operations::operations(html, figures, &commands));
    section("endings", "How associations ended", &|html| security::endings(html, figures, &commands));
    section("proxy", "The proxy itself", &|html| {
        let search = |label: &str| commands.event(label);
        items::ranking(html, &figures.process, |_| "plain", |_| String::new(), search, &commands);
    });
    section("trail", "The trail itself", &|html| trail::section(html, figures, &commands));
    section("reading", "What this page is made of", &|html| reading(html, figures, folder));
    html.raw("</main></body></html>\n");
    html.finish()
}

const CONTENTS: &str = "<nav><a href=\"#unusual\">What stands out</a><a href=\"#time\">Time</a><a href=\"#peers\">Peers</a>\
    <a href=\"#users\">Users</a>\
    <a href=\"#refusals\">Refusals</a><a href=\"#tls\">TLS</a><a href=\"#certificates\">Certificates</a>\
    <a href=\"#routes\">Bytes</a><a href=\"#operations\">Operations</a><a href=\"#endings\">Endings</a>\
    <a href=\"#proxy\">Proxy</a><a href=\"#trail\">Trail</a><a href=\"#reading\">Method</a></nav>";

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

fn tiles(html: &mut Html, figures: &Figures, commands: &Commands, now: OffsetDateTime) {
    let operations: u64 = figures.operations.values().map(|kind| kind.bucket.count).sum();
    let tone = |count: u64| if count > 0 { "bad" } else { "good" };
    let unusual = unusual::count(figures, commands, now) as u64;
    let shown = certificates::all(figures, commands);
    let pressing = certificates::pressing(&shown, now).len() as u64;
    html.raw("<div class=\"tiles\">");
    let (associations, refused) = (figures.associations.count, figures.refusals.count);
    let peers = counted(figures.peers.len(), "peer");
    tile(html, "#peers", "plain", &grouped(associations), noun(associations, "association"), &peers);
    let reasons = counted(figures.refused.ranked().len(), "reason");
    tile(html, "#refusals", tone(refused), &grouped(refused), noun(refused, "refusal"), &reasons);
    let alerts = counted(figures.alerts.count(), "security alert");
    let stand = if unusual == 1 { "stands out" } else { "stand out" };
    tile(html, "#unusual", tone(unusual), &grouped(unusual), stand.to_owned(), &alerts);
    let failed = format!("{} not success", grouped(figures.failed.count()));
    tile(html, "#operations", "plain", &grouped(operations), noun(operations, "operation"), &failed);
    let moved = figures.bytes.r#in.saturating_add(figures.bytes.out);
    let ways = format!("{} in, {} out", amount(figures.bytes.r#in), amount(figures.bytes.out));
    tile(html, "#routes", "plain", &amount(moved), "moved".to_owned(), &ways);
    let ending = format!("{} ended or ending soon", noun(pressing, "certificate"));
    tile(
        html,
        "#certificates",
        tone(pressing),
        &grouped(pressing),
        ending,
        &format!("{} shown", grouped(shown.len() as u64)),
    );
    html.raw("</div>");
}

pub(in crate::cli) fn tile(
    html: &mut Html,
    to: &'static str,
    tone: &'static str,
    figure: &str,
    what: String,
    more: &str,
) {
    html.raw("<a class=\"tile ")
        .raw(tone)
        .raw("\" href=\"")
        .raw(to)
        .raw("\"><b>")
        .text(figure)
        .raw("</b><span>");
    html.text(what).raw("</span><small>").text(more).raw("</small></a>");
}

fn reading(html: &mut Html, figures: &Figures, folder: &str) {
    let kept = &figures.kept;
    html.raw("<p>")
        .text(counted(figures.records, "record"))
        .raw(" of the period, from ")
        .text(counted(kept.lines, "line"));
    html.raw(" that were read. That nobody changed them is not shown here but by <code>");
    html.text(super::super::command::Line::new("verify", folder)).raw("</code>.</p>");
    html.raw("<p>An association counts where it was opened, a refusal where a connection or a request for an association was refused, bytes and endings where an association ended. Times and hours are UTC. Each figure keeps its newest ten records here; its command lists all.</p>");
    for path in &kept.encrypted {
        html.element("<p class=\"bad\">", path.display(), " is encrypted and was not read.</p>");
    }
    if kept.damaged > 0 {
        html.element(
            "<p class=\"bad\">",
            counted(kept.damaged, "damaged line"),
            " skipped:</p><ul class=\"mono\">",
        );
        for damage in kept.damage.iter().take(DAMAGE) {
            html.element("<li>", &damage.place, "").element(": ", &damage.what, "</li>");
        }
        html.raw("</ul>");
    }
}

/// `2026-03-01 08:30`.
pub(crate) fn minute(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

pub(crate) fn day(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}

fn length(length: Duration) -> String {
    match length.whole_hours() {
        hours @ 0..48 => counted(hours, "hour"),
        hours => counted((hours + 12) / 24, "day"),
    }
}
