//! At which hours of the day peers came.

use crate::audit::reading::figures::Figures;

use super::commands::Commands;
use super::html::{Html, counted, grouped};
use super::items::{self, Item};

/// Peers in the map of hours.
const ROWS: usize = 40;

/// Associations by peer and hour of the day, then each peer with its records.
pub(super) fn section(html: &mut Html, figures: &Figures, commands: &Commands) {
    let mut peers: Vec<_> = figures.peers.iter().collect();
    peers.sort_by_key(|(_, (bucket, _))| std::cmp::Reverse(bucket.count));
    if peers.is_empty() {
        html.raw("<p class=\"quiet\">No association was opened.</p>");
        return;
    }
    let most = peers.iter().flat_map(|(_, (_, hours))| hours).copied().max().unwrap_or(0);
    html.raw("<div class=\"scroll\"><table class=\"heat\"><thead><tr><th>peer");
    for hour in 0..24 {
        html.element("<th>", format_args!("{hour:02}"), "");
    }
    html.raw("<th class=\"num\">all</thead><tbody>");
    for (number, (peer, (bucket, hours))) in peers.iter().take(ROWS).enumerate() {
        html.element("<tr><th scope=\"row\"><a href=\"#peer-", number, "\">").text(peer).raw("</a>");
        for (hour, count) in hours.iter().enumerate() {
            html.raw("<td class=\"").raw(heat(*count, most)).raw("\">");
            if *count > 0 {
                html.element("<a href=\"#peer-", number, "\" title=\"").text(peer);
                html.text(format_args!(
                    ", {hour:02}:00 to {:02}:00 UTC: {}",
                    (hour + 1) % 24,
                    counted(*count, "association")
                ));
                html.element("\">", short(*count), "</a>");
            }
        }
        html.element("<td class=\"num\">", grouped(bucket.count), "");
    }
    html.raw("</tbody></table></div>");
    items::more_than(html, peers.len(), ROWS);
    html.raw("<p class=\"quiet\">Hours of the day in UTC, all days of the period together; a stronger colour is more. A cell leads to its peer below; add <code>--hour 14</code> to the command there for one hour.</p><div class=\"items\">");
    let longest = peers.first().map_or(0, |(_, (bucket, _))| bucket.count);
    for (number, (peer, (bucket, _))) in peers.iter().take(ROWS).enumerate() {
        let line = commands.event("association-opened").with("peer", peer);
        let figure = grouped(bucket.count);
        let shown =
            Item { label: peer, note: "", tone: "plain", share: (bucket.count, longest), figure: &figure };
        html.element("<div class=\"anchor\" id=\"peer-", number, "\">");
        items::item(html, &shown, bucket, &line, commands);
        html.raw("</div>");
    }
    html.raw("</div>");
}

/// Six shades; the scale is a square root, so that few stay visible beside many.
fn heat(count: u64, most: u64) -> &'static str {
    const SHADES: [&str; 6] = ["h1", "h2", "h3", "h4", "h5", "h6"];
    if count == 0 || most == 0 {
        return "h0";
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let shade = ((count as f64 / most as f64).sqrt() * 6.0).ceil() as usize;
    SHADES.get(shade.saturating_sub(1)).copied().unwrap_or("h6")
}

fn short(count: u64) -> String {
    match count {
        0..1_000 => count.to_string(),
        1_000..1_000_000 => format!("{}k", count / 1_000),
        _ => format!("{}M", count / 1_000_000),
    }
}
