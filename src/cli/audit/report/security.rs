//! Sections about who was kept out, and how associations were protected.

use crate::audit::reading::figures::{Figures, NONE};
use crate::vocabulary::{Ended, of_ending, of_reason};

use super::commands::Commands;
use super::html::Html;
use super::items;

pub(super) fn refusals(html: &mut Html, figures: &Figures, commands: &Commands) {
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

pub(super) fn endings(html: &mut Html, figures: &Figures, commands: &Commands) {
    let tone = |label: &str| if label == Ended::Released.label() { "good" } else { "bad" };
    let note = |label: &str| of_ending(label).map(|meaning| meaning.what.to_owned()).unwrap_or_default();
    let search =
        |label: &str| commands.event("association-closed").with("outcome", &format!("ended={label}"));
    items::ranking(html, &figures.endings, tone, note, search, commands);
}

pub(super) fn tls(html: &mut Html, figures: &Figures, commands: &Commands) {
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
