//! What stands out, in sentences.

use time::OffsetDateTime;

use crate::audit::reading::figures::{BURST, Bucket, Figures, Kind, LEARNING, Period, Unusual, WITHIN};
use crate::audit::record::Outcome;
use crate::vocabulary::{Notice, of_reason};

use super::super::command::Line;
use super::super::ends::{Nearness, words};
use super::certificates::{self, Shown};
use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::{items, trail};
use crate::cli::words::duration;

/// What stands out, the most important first: alerts of the proxy itself, then the trail, what is unusual, and certificates.
pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands, now: OffsetDateTime) {
    let before = count(figures, commands, now);
    html.raw("<div class=\"findings\">");
    for (label, bucket) in alerts(figures) {
        let line = commands.event("security-alert").with("reason", label);
        let told = Remark { tone: "bad", name: "Security alert", text: alert(label, bucket), line };
        finding(html, &told, bucket, commands);
    }
    for one in trail::told(figures, commands).into_iter().filter(stands_out) {
        let trail::Saying { tone, name, text, line, figure } = one;
        finding(html, &Remark { tone, name, text, line }, &figure.bucket, commands);
    }
    for unusual in &figures.unusual {
        finding(html, &tell(unusual, figures, commands), &unusual.bucket, commands);
    }
    let shown = certificates::all(figures, commands);
    for one in certificates::pressing(&shown, now) {
        finding(html, &certificate(one, now), one.bucket(), commands);
    }
    html.raw("</div>");
    if before == 0 {
        html.raw("<p class=\"quiet\">Nothing.</p>");
    }
    method(html, figures);
}

/// How many findings there are.
pub(super) fn count(figures: &Figures, commands: &Commands, now: OffsetDateTime) -> usize {
    let shown = certificates::all(figures, commands);
    let of_trail = trail::told(figures, commands).iter().filter(|one| stands_out(one)).count();
    alerts(figures).count() + of_trail + figures.unusual.len() + certificates::pressing(&shown, now).len()
}

/// Alerts of the proxy itself. That the trail was changed is told of the run that found it.
fn alerts(figures: &Figures) -> impl Iterator<Item = (&str, &Bucket)> {
    let told = figures.trail.ordered().iter().any(|(of, _)| of.outcome == Some(Outcome::Failure));
    figures
        .alerts
        .ranked()
        .into_iter()
        .filter(move |(label, _)| !told || *label != Notice::TrailChanged.label())
}

/// What the newest alert of a kind says, or what such alerts mean.
fn alert(label: &str, bucket: &Bucket) -> String {
    let meaning = of_reason(label);
    let newest = bucket.newest.back().and_then(|record| record.explanation());
    let what = newest.filter(|text| !text.is_empty()).or(meaning.map(|meaning| meaning.what));
    let look = meaning.map(|meaning| format!("Look at: {}", meaning.look));
    let said = what.map(|what| format!("{label}: {what}")).unwrap_or_else(|| label.to_owned());
    [Some(said), look].into_iter().flatten().collect::<Vec<_>>().join(". ")
}

fn stands_out(one: &trail::Saying) -> bool {
    one.tone != "plain"
}

fn finding(html: &mut Html, told: &Remark, bucket: &Bucket, commands: &Commands) {
    html.raw("<details class=\"finding ")
        .raw(told.tone)
        .raw("\"><summary><b>")
        .raw(told.name)
        .raw("</b> <span>");
    html.text(&told.text).element(
        "</span><span class=\"figure\">",
        grouped(bucket.count),
        "</span></summary>",
    );
    items::records(html, bucket, &told.line, commands);
    html.raw("</details>");
}

fn certificate(one: &Shown, now: OffsetDateTime) -> Remark {
    let end = one.certificate.ends.unwrap_or(now);
    let name = match one.nearness(now) {
        Some(Nearness::Ended) => "Certificate has ended",
        _ => "Certificate ends soon",
    };
    let (subject, who, day) = (&one.certificate.subject, &one.who, super::page::day(end));
    let text = format!("{subject}, {who}, {} ({day}).", words(end, now));
    Remark { tone: certificates::tone(one.nearness(now)), name, text, line: one.line.clone() }
}

struct Remark {
    tone: &'static str,
    name: &'static str,
    text: String,
    line: Line,
}

fn tell(unusual: &Unusual, figures: &Figures, commands: &Commands) -> Remark {
    let mut told = kind(unusual, figures, commands);
    told.text.push_str(match unusual.kind {
        Kind::Burst { .. } => "",
        _ if unusual.refused => " It was refused.",
        _ => " It was let in.",
    });
    told
}

fn kind(unusual: &Unusual, figures: &Figures, commands: &Commands) -> Remark {
    let arrivals = commands.event("association-opened,association-rejected");
    let opened = commands.event("association-opened");
    match &unusual.kind {
        Kind::Burst { address, seconds, first, last } => {
            let to = last.checked_add(time::Duration::MICROSECOND).unwrap_or(*last);
            let within = Period { from: *first, to: to.min(figures.period.to) };
            let took = duration(u64::try_from(*seconds).ok().map(|seconds| seconds.saturating_mul(1_000)));
            Remark {
                tone: "bad",
                name: "Burst of refusals",
                text: format!("{address} was refused {} in {took}.", counted(unusual.bucket.count, "time")),
                line: commands
                    .within(within)
                    .with("event", "association-rejected,connection-refused")
                    .with("address", address),
            }
        }
        Kind::KnownTitleFromNewAddress { title, address, known } => Remark {
            tone: "bad",
            name: "Known AE title, new address",
            text: format!("{title} came from {address} for the first time; it was known from {known}."),
            line: arrivals.with("calling", title).with("address", address),
        },
        Kind::NewCertificateOfTitle { title, fingerprint } => Remark {
            tone: "warn",
            name: "Known AE title, new certificate",
            text: format!("{title} showed certificate {fingerprint} for the first time."),
            line: opened.with("calling", title).with("certificate", fingerprint),
        },
        Kind::NewTitleFromKnownAddress { title, address } => Remark {
            tone: "warn",
            name: "New AE title, known address",
            text: format!("{address} called itself {title} for the first time."),
            line: arrivals.with("calling", title).with("address", address),
        },
        Kind::FirstPeer { peer } => Remark {
            tone: "note",
            name: "First-ever peer",
            text: format!("{peer} had not been seen before."),
            line: opened.with("peer", peer),
        },
        Kind::NewAddress { address } => Remark {
            tone: "warn",
            name: "New address, new AE titles",
            text: format!("{address} came for the first time, most recently as {}.", titles(unusual)),
            line: arrivals.with("address", address),
        },
        Kind::Hour { peer, hour } => Remark {
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
        unusual.bucket.newest.iter().filter_map(|record| record.calling_ae_title()).collect();
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
