//! The page of a report, in the manner of the report on the records.

use super::model::{Evidence, NotFound, OfCheck, Shown};
use crate::cli::audit::report::html::{Html, counted, grouped};
use crate::cli::audit::report::page::{minute, tile};
use crate::cli::shell::{self, Own};
use crate::evidence::{Flow, Standing};

/// One self-contained page, which may run nothing and fetch nothing.
pub(super) fn page(evidence: &Evidence) -> String {
    let mut html = Html::default();
    let own = Own { style: include_str!("style.css"), ..Own::default() };
    shell::begin(&mut html, format_args!("Evidence: {}", evidence.title), own);
    head(&mut html, evidence);
    html.raw("<main>");
    tiles(&mut html, evidence);
    shell::section(&mut html, "controls", "Controls", |html| {
        evidence.controls.iter().for_each(|control| self::control(html, control));
    });
    shell::section(&mut html, "flows", "Data flows of the configuration", |html| {
        flows(html, &evidence.flows)
    });
    shell::section(&mut html, "method", "What this page rests on", |html| method(html, evidence));
    html.raw("</main></body></html>\n");
    html.finish()
}

fn head(html: &mut Html, evidence: &Evidence) {
    html.raw("<header><div><p class=\"brand\">dimsegate</p><h1>Evidence</h1><p class=\"period\"><b>");
    html.text(evidence.title).raw("</b>, ").text(minute(evidence.period.from)).raw(" to ");
    html.text(minute(evidence.period.to)).raw(" UTC</p><p>").text(evidence.note);
    html.raw("</p><p class=\"quiet\">of <code>").text(&evidence.configuration);
    html.raw("</code> and the records in <code>").text(&evidence.directory).raw("</code>; ");
    html.text(evidence.rests_on())
        .raw("; written ")
        .text(evidence.written.get(..16).unwrap_or_default().replace('T', " "));
    html.raw(" UTC</p><p class=\"quiet\">Date of the data: ").text(&evidence.data_date).raw("</p>");
    if let Some(own) = &evidence.own_mapping {
        html.element("<p class=\"quiet\"><b>", own, "</b></p>");
    }
    html.raw("</div><nav><a href=\"#controls\">Controls</a><a href=\"#flows\">Data flows</a><a href=\"#method\">Method</a></nav></header>");
}

fn tiles(html: &mut Html, evidence: &Evidence) {
    html.raw("<div class=\"tiles\">");
    let all = format!("of {}", counted(evidence.controls.len(), "control"));
    for (standing, tone) in [
        (Standing::Found, "good"),
        (Standing::Partly, "plain"),
        (Standing::Missing, "bad"),
        (Standing::NotByProxy, "plain"),
    ] {
        let count = evidence.count(standing) as u64;
        let tone = if count == 0 { "plain" } else { tone };
        tile(html, "#controls", tone, &grouped(count), standing.words().to_owned(), &all);
    }
    html.raw("</div>");
}

/// Class of a standing.
fn tone(standing: Standing) -> &'static str {
    match standing {
        Standing::Missing => "bad",
        Standing::Partly => "warn",
        Standing::Found => "good",
        Standing::NotByProxy => "people",
    }
}

fn control(html: &mut Html, control: &Shown) {
    html.raw("<article class=\"control ").raw(tone(control.is)).raw("\"><h3>").text(&control.reference);
    html.element(" <b>", &control.title, "</b></h3><p class=\"marks\"><span class=\"standing\">");
    html.text(control.standing).raw("</span>");
    html.element("<span>", &control.requirement, "</span>");
    if control.proposed {
        html.raw("<span class=\"mark\">PROPOSED, not in force</span>");
    }
    if let Some(mapping) = &control.mapping {
        html.element("<span class=\"mark\">", mapping, "</span>");
    }
    html.raw("</p><dl>");
    control.found.iter().for_each(|one| found(html, one));
    control.missing.iter().for_each(|one| missing(html, one));
    for why in &control.not_by_proxy {
        html.element("<dt>by people</dt><dd>", why, "</dd>");
    }
    html.element("<dt>a proxy can show</dt><dd class=\"quiet\">", control.can_show.join("; "), "</dd>");
    if let Some(caveat) = &control.caveat {
        html.element("<dt>caveat</dt><dd>", caveat, "</dd>");
    }
    html.raw("</dl></article>");
}

/// Places that are shown of one finding; `--json` has all.
const PLACES: usize = 12;

fn found(html: &mut Html, one: &OfCheck) {
    html.element("<dt class=\"good\">found</dt><dd>", &one.said, "");
    if !one.places.is_empty() {
        html.raw("<ul class=\"mono\">");
        for place in one.places.iter().take(PLACES) {
            html.element("<li>", place.words(), "</li>");
        }
        let more = one.places.len().saturating_sub(PLACES);
        if more > 0 {
            html.element("<li>and ", more, " more, which the JSON has</li>");
        }
        html.raw("</ul>");
    }
    html.element("<p class=\"command\"><span>shown by</span> <code>", &one.query, "</code></p></dd>");
}

fn missing(html: &mut Html, one: &NotFound) {
    html.element("<dt class=\"bad\">missing</dt><dd>", &one.what.why, "");
    html.element("<p class=\"quiet\">", &one.what.remedy, "</p></dd>");
}

fn flows(html: &mut Html, flows: &[Flow]) {
    html.raw("<p class=\"quiet\">Who may send or fetch what, through which listener, to which upstream, and what becomes of data sets: of the configuration alone.</p>");
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Data flows\"><table><thead><tr><th>peer<th class=\"num\">line<th>listeners<th>upstreams<th>operations<th>rewrite</thead><tbody>");
    for flow in flows {
        html.element("<tr><td class=\"what\">", &flow.peer, "").element("<td class=\"num\">", flow.line, "");
        html.element("<td>", flow.listeners.join(", "), "").element("<td>", flow.upstreams.join(", "), "");
        html.element("<td>", flow.operations.join(", "), "");
        html.element("<td>", flow.rewrite.as_deref().unwrap_or("none: as they come"), "");
    }
    html.raw("</tbody></table></div>");
}

fn method(html: &mut Html, evidence: &Evidence) {
    html.raw("<p>")
        .text(counted(evidence.records, "record"))
        .raw(" of the period; ")
        .text(evidence.rests_on());
    html.raw(". Configuration <code class=\"hash\">").text(&evidence.digest).raw("</code>.</p>");
    html.raw("<p>Each check looks at the settings as they were compiled, and at counts of the records; the same configuration and records give the same page. A finding stands only where a record of the period names this configuration. Lines are those of the configuration file; where a key is not in the file, its default holds. What is missing may be there elsewhere: in contracts, procedures, other systems.</p>");
}
