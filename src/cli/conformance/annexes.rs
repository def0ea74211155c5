//! PS3.2 A.8: what rewriting changes, and what there is of the proxy's own.

use super::block::{below, heading, listed, paragraph, table};
use crate::cli::audit::report::html::Html;
use crate::config::Settings;
use crate::rewrite::{BurnedIn, EDITION, ProfileOption, ProfileSpec, Ruleset};

pub(super) fn section(html: &mut Html, settings: &Settings) {
    heading(html, "8.1 IOD contents");
    paragraph(
        html,
        "The proxy makes no SOP instances. Of those that pass, it changes what follows, and nothing else.",
    );
    let used: std::collections::BTreeSet<_> =
        settings.policy.peers.iter().filter_map(|peer| peer.rewrite.as_deref()).collect();
    if used.is_empty() {
        paragraph(html, "Nothing: no peer has a rewrite.");
    }
    for name in used {
        if let Some(rules) = settings.rewrites.get(name) {
            rewrite(html, name, rules);
        }
    }
    heading(html, "8.2 Data dictionary of private attributes");
    paragraph(html, "The proxy has no private attributes of its own.");
    heading(html, "8.3 Coded terminology and templates");
    let profiled = settings.rewrites.values().any(|rules| rules.profile().is_some());
    paragraph(
        html,
        match profiled {
            true => {
                "Codes of CID 7050 De-identification Method (PS3.16), in De-identification Method Code Sequence (0012,0064). No other codes, and no templates."
            }
            false => "The proxy writes no codes, and uses no templates.",
        },
    );
    heading(html, "8.4 Grayscale image consistency");
    paragraph(html, "Not applicable: nothing is displayed.");
    heading(html, "8.5 Standard extended, specialized and private SOP classes");
    paragraph(
        html,
        "The proxy has none of its own. Those of others pass where the role of a peer lists them.",
    );
    heading(html, "8.6 Private transfer syntaxes");
    paragraph(
        html,
        "The proxy has none of its own. Those of others pass where the role of a peer lists them and it has no rewrite.",
    );
}

fn rewrite(html: &mut Html, name: &str, rules: &Ruleset) {
    below(html, format_args!("Rewrite {name}"));
    let tags = (0..rules.len()).map(|rule| rules.tag_text(rule));
    paragraph(
        html,
        format_args!(
            "Rules of the site, of which the first that fits an attribute decides, at every depth: {}.",
            listed(tags, "none")
        ),
    );
    let Some(spec) = rules.profile() else {
        return paragraph(
            html,
            "No profile of PS3.15 Annex E is applied; no conformance to one is claimed. What no rule names stays as it is.",
        );
    };
    paragraph(
        html,
        format_args!(
            "Basic Application Level Confidentiality Profile, PS3.15 Annex E, Table E.1-1 of edition {EDITION}. The de-identification report (dimsegate rewrite --report) lists every attribute of that table as it is applied."
        ),
    );
    options(html, spec);
    let refused = |refused: bool| if refused { "refused" } else { "passed" };
    paragraph(
        html,
        format_args!(
            "Objects likely to carry burned-in text: {}. Private SOP classes: {}. Encapsulated documents: {}.",
            burned_in(&spec.burned_in),
            refused(spec.refuse_private_classes),
            if spec.refuse_documents {
                "refused"
            } else {
                "a PDF is replaced by an empty page, others are refused"
            }
        ),
    );
    paragraph(
        html,
        "Written: Patient Identity Removed (0012,0062) YES, De-identification Method (0012,0063), De-identification Method Code Sequence (0012,0064) and Longitudinal Temporal Information Modified (0028,0303). UIDs of instances become others, the same for the same, but where they are retained.",
    );
}

fn options(html: &mut Html, spec: &ProfileSpec) {
    let rows = ProfileOption::ALL.map(|option| {
        let (code, meaning) = option.method();
        [meaning.to_owned(), code.to_owned(), if spec.has(option) { "yes" } else { "no" }.to_owned()]
    });
    table(html, "Options of the profile", ["option", "code (DCM)", "applied"], rows, "");
}

fn burned_in(burned_in: &BurnedIn) -> &'static str {
    match burned_in {
        BurnedIn::Pass => "passed",
        BurnedIn::Refuse => "refused",
        BurnedIn::Mask { refuse_others: true, .. } => "masked, or refused where no mask fits",
        BurnedIn::Mask { refuse_others: false, .. } => "masked, or passed where no mask fits",
    }
}
