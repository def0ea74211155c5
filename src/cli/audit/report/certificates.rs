//! The certificates that were shown: what has ended or ends soon stands first, and stands out.

use time::OffsetDateTime;

use crate::audit::reading::figures::{Bucket, Certificate, Figures};

use super::super::command::Line;
use super::super::ends::{Life, Nearness, nearness, words};
use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::items;

/// Certificates in the list.
const ROWS: usize = 100;

/// A certificate, who showed it, and the command for its records.
pub(super) struct Shown<'f> {
    pub certificate: &'f Certificate,
    pub fingerprint: &'f str,
    /// `used by LYON_CT1`, `upstream pacs`.
    pub who: String,
    pub is_of_upstream: bool,
    pub line: Line,
}

impl Shown<'_> {
    fn life(&self) -> Option<Life<'_>> {
        let Certificate { subject, places, shown, ends, .. } = self.certificate;
        let (first_shown, last_shown) = (*shown)?;
        let places = places.iter().map(String::as_str).collect();
        Some(Life { name: subject, places, ends: (*ends)?, first_shown, last_shown })
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.certificate.bucket
    }

    /// How near its end is; `None` where records do not say when it ends.
    pub(super) fn nearness(&self, now: OffsetDateTime) -> Option<Nearness> {
        self.certificate.ends.map(|end| nearness(end, now))
    }
}

/// Those that end first, then those that are used most.
pub(super) fn all<'f>(figures: &'f Figures, commands: &Commands) -> Vec<Shown<'f>> {
    let opened = commands.event("association-opened");
    let requestors = figures.certificates.shown.iter().map(|(fingerprint, certificate)| {
        let titles: Vec<&str> = certificate.titles.iter().map(String::as_str).collect();
        let line = opened.with("certificate", fingerprint);
        let who = format!("used by {}", titles.join(", "));
        Shown { certificate, fingerprint, who, is_of_upstream: false, line }
    });
    let upstreams = figures.certificates.of_upstreams.iter().map(|((name, fingerprint), certificate)| {
        let line = opened.with("upstream", name);
        Shown { certificate, fingerprint, who: format!("upstream {name}"), is_of_upstream: true, line }
    });
    let mut all: Vec<Shown> = requestors.chain(upstreams).collect();
    all.sort_by_key(|one| {
        let ends = one.certificate.ends;
        (ends.is_none(), ends, std::cmp::Reverse(one.certificate.bucket.count))
    });
    all
}

/// Those that have ended or end soon, and were not renewed.
pub(super) fn pressing<'f>(shown: &'f [Shown<'f>], now: OffsetDateTime) -> Vec<&'f Shown<'f>> {
    let renewed = |one: &Shown| {
        let others = || shown.iter().filter(|other| other.is_of_upstream == one.is_of_upstream);
        let life = one.life();
        life.is_some_and(|life| others().filter_map(Shown::life).any(|other| life.is_renewed_by(&other)))
    };
    let near =
        |one: &&Shown| matches!(one.nearness(now), Some(Nearness::Ended | Nearness::Soon)) && !renewed(one);
    shown.iter().filter(near).collect()
}

/// Colour of a nearness.
pub(super) fn tone(nearness: Option<Nearness>) -> &'static str {
    match nearness {
        Some(Nearness::Ended) => "bad",
        Some(Nearness::Soon) => "warn",
        Some(Nearness::Later) | None => "later",
    }
}

pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands, now: OffsetDateTime) {
    let shown = all(figures, commands);
    if shown.is_empty() {
        html.raw(
            "<p class=\"quiet\">No association came with a certificate, and no upstream showed one.</p>",
        );
        return;
    }
    html.raw("<div class=\"items\">");
    for one in shown.iter().take(ROWS) {
        certificate(html, one, commands, now);
    }
    html.raw("</div>");
    items::more_than(html, shown.len(), ROWS);
    if shown.iter().any(|one| one.certificate.ends.is_none()) {
        html.raw("<p class=\"quiet\">Where no end is given, the records do not say when the certificate ends; <code>dimsegate certs show</code> does.</p>");
    }
    let without = figures.certificates.without.count;
    if without > 0 {
        html.element(
            "<p class=\"quiet\">",
            counted(without, "association"),
            " came over TLS without a certificate.</p>",
        );
    }
    html.raw("<p class=\"quiet\">These are certificates that were shown in the period. The proxy's own, those of CAs, and revocation lists: <code>dimsegate audit certificates DIR -c FILE</code>.</p>");
}

fn certificate(html: &mut Html, one: &Shown, commands: &Commands, now: OffsetDateTime) {
    let certificate = one.certificate;
    html.raw("<details class=\"item certificate ")
        .raw(tone(one.nearness(now)))
        .raw("\"><summary><span class=\"label\">");
    html.text(&certificate.subject).raw(" <small>");
    let names = certificate.names.join(", ");
    if !names.is_empty() {
        html.text(names).raw(" · ");
    }
    html.text(&one.who).raw("</small></span>");
    ends(html, one, now);
    html.element("<span class=\"figure\">", grouped(certificate.bucket.count), "</span></summary>");
    if !certificate.issuer.is_empty() {
        html.element("<p class=\"quiet\">issued by ", &certificate.issuer, "</p>");
    }
    html.element("<p class=\"mono quiet hash\">SHA-256 ", one.fingerprint, "</p>");
    items::records(html, one.bucket(), &one.line, commands);
    html.raw("</details>");
}

fn ends(html: &mut Html, one: &Shown, now: OffsetDateTime) {
    html.raw("<span class=\"ends ").raw(tone(one.nearness(now))).raw("\">");
    if let Some(end) = one.certificate.ends {
        html.element("<b>", words(end, now), "</b>").element("<small> ", super::page::day(end), "</small>");
    }
    html.raw("</span>");
}
