//! PS3.2 A.4: the implementation model, and what follows from it.

use super::block::{below, heading, listed, paragraph, table};
use super::{entities, interfaces};
use crate::cli::audit::report::html::Html;
use crate::config::Settings;
use crate::evidence::flows;

pub(super) fn section(html: &mut Html, settings: &Settings) {
    heading(html, "4.1 Implementation model");
    below(html, "4.1.1 Application data flow");
    table(
        html,
        "Who may reach what through which listener",
        ["peer", "listeners", "upstreams", "operations", "rewrite"],
        flows(settings).into_iter().map(|flow| {
            [
                flow.peer,
                listed(flow.listeners, "none"),
                listed(flow.upstreams, "none"),
                listed(flow.operations, "none"),
                flow.rewrite.unwrap_or_else(|| "none".to_owned()),
            ]
        }),
        "There is no peer: every association is refused.",
    );
    below(html, "4.1.2 Functional definition of AEs");
    paragraph(
        html,
        "There is one application entity, the proxy. It has no AE title of its own where the configuration gives it none: it answers to the titles that the peers may call, and asks upstreams by the titles of the requestor, or by those that the upstream's settings say.",
    );
    below(html, "4.1.3 Sequencing of real-world activities");
    paragraph(
        html,
        "A request for an association is judged, and only then asked of the upstream; the requestor is answered with what the upstream said. Each message is judged before a byte of it goes on. A release or an abort of one side is passed to the other.",
    );
    heading(html, "4.2 AE specifications");
    entities::section(html, settings);
    heading(html, "4.3 Network interfaces");
    interfaces::network(html, settings);
    heading(html, "4.4 Configuration");
    interfaces::configuration(html, settings);
}
