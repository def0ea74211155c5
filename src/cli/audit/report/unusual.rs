//! Unusual things in sentences.

use crate::audit::reading::figures::{BURST, Figures, Kind, LEARNING, Period, Unusual, WITHIN};
use crate::audit::reading::of_reason;

use super::super::command::Line;
use super::commands::Commands;
use super::html::{Html, grouped};
use super::items;
use crate::cli::words::duration;

/// What is unusual, the most important first; alerts of the proxy itself before all.
pub fn section(html: &mut Html, figures: &Figures, commands: &Commands) {
    let mut none = true;
    html.raw("<div class=\"findings\">");
    for (label, bucket) in figures.alerts.ranked() {
        none = false;
        let line = commands.event("security-alert").with("reason", label);
        html.raw("<details class=\"finding bad\"><summary><b>Security alert</b> <span>").text(label);
        if let Some(meaning) = of_reason(label) {
            html.raw(": ").raw(meaning.what).raw(". Look at: ").raw(meaning.look);
        }
        html.element("</span><span class=\"figure\">", grouped(bucket.count), "</span></summary>");
        items::records(html, bucket, &line, commands);
        html.raw("</details>");
    }
    for unusual in &figures.unusual {
        none = false;
        finding(html, unusual, figures, commands);
    }
    html.raw("</div>");
    if none {
        html.raw("<p class=\"quiet\">Nothing.</p>");
    }
    method(html, figures);
}

fn finding(html: &mut Html, unusual: &Unusual, figures: &Figures, commands: &Commands) {
    let Told { tone, name, text, line } = tell(unusual, figures, commands);
    html.raw("<details class=\"finding ")
        .raw(tone)
        .raw("\"><summary><b>")
        .raw(name)
        .raw("</b> <span>")
        .text(text);
    let let_in = match unusual.kind {
        Kind::Burst { .. } => "",
        _ if unusual.refused => " It was refused.",
        _ => " It was let in.",
    };
    html.raw(let_in).element(
        "</span><span class=\"figure\">",
        grouped(unusual.bucket.count),
        "</span></summary>",
    );
    items::records(html, &unusual.bucket, &line, commands);
    html.raw("</details>");
}

struct Told {
    tone: &'static str,
    name: &'static str,
    text: String,
    line: Line,
}

fn tell(unusual: &Unusual, figures: &Figures, commands: &Commands) -> Told {
    let arrivals = commands.event("association-opened,association-rejected");
    let opened = commands.event("association-opened");
    match &unusual.kind {
        Kind::Burst { address, seconds, first, last } => {
            let to = last.checked_add(time::Duration::MICROSECOND).unwrap_or(*last);
            let within = Period { from: *first, to: to.min(figures.period.to) };
            let took = duration(u64::try_from(*seconds).ok().map(|seconds| seconds.saturating_mul(1_000)));
            Told {
                tone: "bad",
                name: "Burst of refusals",
                text: format!("{address} was refused {} times in {took}.", unusual.bucket.count),
                line: commands
                    .within(within)
                    .with("event", "association-rejected,connection-refused")
                    .with("address", address),
            }
        }
        Kind::KnownTitleFromNewAddress { title, address, known } => Told {
            tone: "bad",
            name: "Known AE title, new address",
            text: format!("{title} came from {address} for the first time; it was known from {known}."),
            line: arrivals.with("calling", title).with("address", address),
        },
        Kind::NewCertificateOfTitle { title, fingerprint } => Told {
            tone: "warn",
            name: "Known AE title, new certificate",
            text: format!("{title} showed certificate {fingerprint} for the first time."),
            line: opened.with("calling", title).with("certificate", fingerprint),
        },
        Kind::NewTitleFromKnownAddress { title, address } => Told {
            tone: "warn",
            name: "New AE title, known address",
            text: format!("{address} called itself {title} for the first time."),
            line: arrivals.with("calling", title).with("address", address),
        },
        Kind::FirstPeer { peer } => Told {
            tone: "note",
            name: "First-ever peer",
            text: format!("{peer} had not been seen before."),
            line: opened.with("peer", peer),
        },
        Kind::NewAddress { address } => Told {
            tone: "warn",
            name: "New address, new AE titles",
            text: format!("{address} came for the first time, most recently as {}.", titles(unusual)),
            line: arrivals.with("address", address),
        },
        Kind::Hour { peer, hour } => Told {
            tone: "warn",
            name: "Unusual hour",
            text: format!(
                "{peer} came between {hour:02}:00 and {:02}:00 UTC, when it never had come, nor an hour sooner or later.",
                (hour + 1) % 24
            ),
            line: opened.with("peer", peer).with("hour", &hour.to_string()),
        },
    }
}

/// The AE titles of the newest records, each once.
fn titles(unusual: &Unusual) -> String {
    let mut titles: Vec<&str> =
        unusual.bucket.newest.iter().filter_map(|record| record.calling_ae_title.as_deref()).collect();
    titles.sort_unstable();
    titles.dedup();
    titles.join(", ")
}

fn method(html: &mut Html, figures: &Figures) {
    html.raw("<p class=\"quiet\">");
    match figures.learned_from {
        None => html.raw("There is nothing from which the usual could be learned. "),
        Some(began) => {
            let known = figures.period.from - began;
            if known < LEARNING {
                html.raw("These records begin with or just before the period, so their first day taught what is usual and nothing of it is called new. ");
            }
            html.raw("The usual is known from ").text(super::page::minute(began)).raw(" UTC on. ")
        }
    };
    html.raw("A burst is ").text(BURST).raw(" refusals of one address within ").text(WITHIN.whole_minutes());
    html.raw(" minutes.</p>");
}
