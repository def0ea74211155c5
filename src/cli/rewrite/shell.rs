//! The head of a page that this command writes: its policy, which lets nothing from elsewhere in, and its style.

use crate::cli::audit::report::html::Html;

const STYLE: &str = include_str!("shell.css");

/// Up to the opening tag of the body. Of scripts the page may run the one with this SHA-256, in Base64, none where it is empty.
pub(super) fn begin(html: &mut Html, title: &str, script: &str) {
    html.raw(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'",
    );
    if !script.is_empty() {
        html.raw("; script-src 'sha256-").text(script).raw("'");
    }
    html.raw(
        "\"><meta name=\"referrer\" content=\"no-referrer\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\"><title>",
    );
    html.text(title).raw("</title><style>").raw(include_str!("../audit/report/style.css")).raw(STYLE);
    html.raw("</style></head><body>");
}
