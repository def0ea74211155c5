//! The head of every page that a command writes: its policy, which lets nothing from elsewhere in, and its style.

use std::fmt::Display;

use super::audit::report::html::Html;

/// Style of pages with forms, labels and pictures.
pub(super) const OF_FORMS: &str = include_str!("rewrite/shell.css");

/// What a page has besides what all have.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Own<'s> {
    /// Style of its own, behind that of all.
    pub style: &'static str,
    /// The SHA-256 of the one script that it may run, in Base64; empty: none.
    pub script: &'s str,
    /// Whether it may show pictures that it holds itself.
    pub has_pictures: bool,
}

/// Up to the opening tag of the body.
pub(super) fn begin(html: &mut Html, title: impl Display, own: Own<'_>) {
    html.raw(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    );
    if own.has_pictures {
        html.raw("; img-src data:");
    }
    if !own.script.is_empty() {
        html.raw("; script-src 'sha256-").text(own.script).raw("'");
    }
    html.raw(
        "\"><meta name=\"referrer\" content=\"no-referrer\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>",
    );
    html.text(title).raw("</title><style>").raw(include_str!("audit/report/style.css")).raw(own.style);
    html.raw("</style></head><body>");
}

/// A part of a page that its navigation leads to.
pub(super) fn section(html: &mut Html, id: &'static str, title: &'static str, body: impl FnOnce(&mut Html)) {
    html.raw("<section id=\"").raw(id).raw("\"><h2>").raw(title).raw("</h2>");
    body(html);
    html.raw("</section>");
}
