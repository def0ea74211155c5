//! What stands around the networking of a statement: cover page, table of contents, introduction, media, character sets.

use time::OffsetDateTime;

use super::SECTIONS;
use super::block::{heading, paragraph};
use crate::cli::audit::report::html::Html;
use crate::cli::audit::report::page::day;
use crate::config::Settings;

/// PS3.2 A.0.
pub(super) fn cover(html: &mut Html, settings: &Settings, written: OffsetDateTime) {
    html.raw("<header><div><p class=\"brand\">dimsegate</p><h1>DICOM conformance statement</h1><p class=\"period\">dimsegate <b>");
    html.text(env!("CARGO_PKG_VERSION")).raw("</b>, ").text(day(written));
    html.raw("</p><p class=\"quiet\">of the configuration whose SHA-256, with the certificates and lists that it names, is <code class=\"hash\">");
    html.text(&settings.digest).raw("</code></p></div></header>");
}

/// PS3.2 A.2.
pub(super) fn contents(html: &mut Html, _: &Settings) {
    html.raw("<ul class=\"toc\"><li>0 Cover page</li>");
    for (id, title, _) in SECTIONS {
        html.raw("<li><a href=\"#").raw(id).raw("\">").raw(title).raw("</a>");
        let parts = PARTS.iter().filter(|(of, _)| *of == id);
        html.raw("<ul>");
        parts.for_each(|(_, parts)| {
            parts.iter().for_each(|part| _ = html.element("<li>", part, "</li>"));
        });
        html.raw("</ul></li>");
    }
    html.raw("</ul>");
}

/// The parts of sections that have any, as their headings say.
const PARTS: [(&str, &[&str]); 4] = [
    ("introduction", &["3.1 Audience", "3.2 Remarks", "3.3 Terms"]),
    (
        "networking",
        &["4.1 Implementation model", "4.2 AE specifications", "4.3 Network interfaces", "4.4 Configuration"],
    ),
    (
        "security",
        &["7.1 Security profiles", "7.2 Association level security", "7.3 Application level security"],
    ),
    (
        "annexes",
        &[
            "8.1 IOD contents",
            "8.2 Data dictionary of private attributes",
            "8.3 Coded terminology and templates",
            "8.4 Grayscale image consistency",
            "8.5 Standard extended, specialized and private SOP classes",
            "8.6 Private transfer syntaxes",
        ],
    ),
];

/// PS3.2 A.3.
pub(super) fn introduction(html: &mut Html, _: &Settings) {
    heading(html, "3.1 Audience");
    paragraph(
        html,
        "Whoever connects a device, a workstation or an archive to this proxy, and whoever reviews its security.",
    );
    heading(html, "3.2 Remarks");
    paragraph(
        html,
        "The statement was written by the program from its configuration, and holds for that alone. It does not show by itself that two systems work together: both have to be tried. What the archive behind the proxy supports is in the statement of that archive; the proxy offers less than both, and never more.",
    );
    heading(html, "3.3 Terms");
    paragraph(
        html,
        "Requestor: who asks for an association. Peer: a requestor that the configuration knows. Upstream: the archive or other node behind the proxy. Role: the operations, SOP classes and transfer syntaxes that a peer may use. Rewrite: rules that change data sets on their way. Other terms are those of DICOM PS3.",
    );
}

/// PS3.2 A.5.
pub(super) fn media(html: &mut Html, _: &Settings) {
    paragraph(html, "None: no media are written or read.");
}

/// PS3.2 A.6.
pub(super) fn characters(html: &mut Html, settings: &Settings) {
    paragraph(
        html,
        "Data sets that no rewrite is applied to pass byte for byte, in whatever character set they are.",
    );
    if !settings.rewrites.is_empty() {
        paragraph(
            html,
            "A rewrite reads text by Specific Character Set (0008,0005), with and without code extensions (PS3.3 C.12.1.1.2), and writes it in the same one; Specific Character Set is not changed. What rules of the site write is in ASCII. A real value that is to come back, and that the character set cannot hold, is not written: the data set is refused.",
        );
    }
}
