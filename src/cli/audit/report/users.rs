//! Who named which user.

use std::cmp::Reverse;

use crate::audit::reading::figures::{Figures, OfUser};

use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::items::{self, Item};

/// Associations by user, each with its records.
pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands) {
    let mut users: Vec<_> = figures.users.iter().collect();
    users.sort_by_key(|(_, of)| Reverse((of.opened, of.refused)));
    let Some(longest) = users.first().map(|(_, of)| of.opened) else {
        html.raw("<p class=\"quiet\">No association named a user.</p>");
        return;
    };
    let all = commands.event("association-opened,association-rejected");
    html.raw("<div class=\"items\">");
    for (user, of) in users.iter().take(items::BARS) {
        let figure = grouped(of.opened);
        let shown = Item {
            label: user,
            note: &note(of),
            tone: tone(of),
            share: (of.opened, longest),
            figure: &figure,
        };
        items::item(html, &shown, &of.bucket, &all.with("user", user), commands);
    }
    html.raw("</div>");
    items::more(html, users.len());
    html.raw("<p class=\"quiet\">The figures are opened associations. The name of a user whom a token proved begins with the name of its issuer. A name alone proves nobody: anybody can send it, also in an association that is then refused. <code>unknown</code> stands for names that nobody has.</p>");
}

fn note(of: &OfUser) -> String {
    let claimed = of.opened.saturating_sub(of.proven);
    let named = (claimed > 0).then(|| format!("{} by the name alone", grouped(claimed)));
    let refused = (of.refused > 0).then(|| counted(of.refused, "refusal"));
    [named, refused].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn tone(of: &OfUser) -> &'static str {
    if of.opened == of.proven { "good" } else { "plain" }
}
