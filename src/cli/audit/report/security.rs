//! Sections about who was kept out, and what TLS proved.

use time::{Duration, OffsetDateTime};

use crate::audit::reading::figures::{Certificate, Figures, NONE};
use crate::audit::reading::{of_ending, of_reason};

use super::commands::Commands;
use super::html::{Html, grouped};
use super::items;

/// Certificates in the table.
const ROWS: usize = 100;
const SOON: Duration = Duration::days(30);

pub fn refusals(html: &mut Html, figures: &Figures, commands: &Commands) {
    if figures.refused.is_empty() {
        html.raw("<p class=\"quiet\">Nobody was refused.</p>");
        return;
    }
    let all = commands.event("association-rejected,connection-refused");
    let note = |label: &str| {
        of_reason(label)
            .map(|meaning| format!("{}; look at: {}", meaning.what, meaning.look))
            .unwrap_or_default()
    };
    items::ranking(html, &figures.refused, |_| "bad", note, |label| all.with("reason", label), commands);
}

pub fn endings(html: &mut Html, figures: &Figures, commands: &Commands) {
    let tone = |label: &str| if label == "released" { "good" } else { "bad" };
    let note = |label: &str| of_ending(label).map(|meaning| meaning.what.to_owned()).unwrap_or_default();
    let search =
        |label: &str| commands.event("association-closed").with("outcome", &format!("ended={label}"));
    items::ranking(html, &figures.endings, tone, note, search, commands);
}

pub fn tls(html: &mut Html, figures: &Figures, commands: &Commands) {
    let opened = commands.event("association-opened");
    let tone = |label: &str| match label {
        "plain" => "bad",
        "1.3" => "good",
        _ => "plain",
    };
    let note = |label: &str| match label {
        "plain" => "plain TCP: readable and changeable on the way".to_owned(),
        _ => String::new(),
    };
    html.raw("<div class=\"columns\"><div><h3>Versions</h3>");
    items::ranking(html, &figures.versions, tone, note, |label| opened.with("tls", label), commands);
    html.raw("</div><div><h3>Cipher suites</h3>");
    items::ranking(
        html,
        &figures.ciphers,
        |_| "plain",
        |_| String::new(),
        |label| opened.with("cipher", label),
        commands,
    );
    html.raw("</div><div><h3>Key exchange</h3>");
    let note = |label: &str| match label {
        "X25519MLKEM768" => "post-quantum hybrid".to_owned(),
        NONE => "not recorded".to_owned(),
        _ => String::new(),
    };
    items::ranking(html, &figures.groups, |_| "plain", note, |_| opened.clone(), commands);
    html.raw("</div></div>");
}

pub fn certificates(html: &mut Html, figures: &Figures, commands: &Commands, now: OffsetDateTime) {
    let mut shown: Vec<_> = figures.certificates.shown.iter().collect();
    if shown.is_empty() {
        html.raw("<p class=\"quiet\">No association came with a certificate.</p>");
        return;
    }
    // Those that end first, then those that are used most.
    shown.sort_by_key(|(_, one)| (one.ends.is_none(), one.ends, std::cmp::Reverse(one.bucket.count)));
    let opened = commands.event("association-opened");
    html.raw("<div class=\"items\">");
    for (fingerprint, certificate) in shown.iter().take(ROWS) {
        html.raw("<details class=\"item certificate\"><summary><span class=\"label\">")
            .text(&certificate.subject);
        let titles: Vec<&str> = certificate.titles.iter().map(String::as_str).collect();
        html.raw(" <small>").text(certificate.names.join(", ")).raw(" · used by ").text(titles.join(", "));
        html.raw("</small></span>");
        ends(html, certificate, now);
        html.element("<span class=\"figure\">", grouped(certificate.bucket.count), "</span></summary>");
        if !certificate.issuer.is_empty() {
            html.element("<p class=\"quiet\">issued by ", &certificate.issuer, "</p>");
        }
        html.element("<p class=\"mono quiet\">SHA-256 ", fingerprint, "</p>");
        items::records(html, &certificate.bucket, &opened.with("certificate", fingerprint), commands);
        html.raw("</details>");
    }
    html.raw("</div>");
    if shown.iter().any(|(_, certificate)| certificate.ends.is_none()) {
        html.raw("<p class=\"quiet\">Where no end is given, the records do not say when the certificate ends; <code>dimsegate certs show</code> does.</p>");
    }
    let without = figures.certificates.without.count;
    if without > 0 {
        html.element(
            "<p class=\"quiet\">",
            grouped(without),
            " associations came over TLS without a certificate.</p>",
        );
    }
}

fn ends(html: &mut Html, certificate: &Certificate, now: OffsetDateTime) {
    let Some(ends) = certificate.ends else {
        html.raw("<span class=\"ends quiet\"></span>");
        return;
    };
    let left = ends - now;
    let (tone, words) = match left.whole_days() {
        _ if left.is_negative() => ("bad", "ended".to_owned()),
        days if left < SOON => ("bad", format!("ends in {days} days")),
        days => ("quiet", format!("{days} days left")),
    };
    html.raw("<span class=\"ends ")
        .raw(tone)
        .raw("\">")
        .text(words)
        .raw("<small> ")
        .text(super::page::day(ends));
    html.raw("</small></span>");
}
