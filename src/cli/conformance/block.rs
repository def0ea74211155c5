//! Headings, paragraphs and tables of a statement.

use std::fmt::Display;
use std::time::Duration;

use crate::cli::audit::report::html::Html;

/// `4.2 AE specifications`.
pub(super) fn heading(html: &mut Html, title: impl Display) {
    html.element("<h3>", title, "</h3>");
}

/// A heading one level below.
pub(super) fn below(html: &mut Html, title: impl Display) {
    html.element("<h4>", title, "</h4>");
}

pub(super) fn paragraph(html: &mut Html, text: impl Display) {
    html.element("<p>", text, "</p>");
}

/// A table under its caption; `none` stands where it would have no row.
pub(super) fn table<const N: usize>(
    html: &mut Html,
    caption: &str,
    titles: [&'static str; N],
    rows: impl IntoIterator<Item = [String; N]>,
    none: &'static str,
) {
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        return paragraph(html, none);
    }
    html.element("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", caption, "\"><table>");
    html.element("<caption>", caption, "</caption><thead><tr>");
    for title in titles {
        html.element("<th scope=\"col\">", title, "");
    }
    html.raw("</thead><tbody>");
    for row in rows {
        html.raw("<tr>");
        for cell in row {
            html.element("<td>", cell, "");
        }
    }
    html.raw("</tbody></table></div>");
}

/// As a configuration writes it where it is whole seconds.
pub(super) fn time(duration: Duration) -> String {
    match duration.as_millis() % 1000 {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}

/// Names behind each other, or a word where there are none.
pub(super) fn listed(items: impl IntoIterator<Item = impl Display>, none: &str) -> String {
    let all: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    if all.is_empty() { none.to_owned() } else { all.join(", ") }
}
