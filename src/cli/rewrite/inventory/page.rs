//! The page on which a curator decides about each text.
//!
//! It has the pairs as data, and a script of its own that draws them; the policy of the page allows that script alone, by its
//! digest, and nothing from elsewhere.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::table::summary;
use super::{Listed, legend};
use crate::cli::audit::report::html::{Html, counted};
use crate::cli::shell::{self, Own};

const SCRIPT: &str = include_str!("page.js");

pub(super) fn page(listed: &Listed, rewrite: &str) -> String {
    let mut html = Html::default();
    let script = STANDARD.encode(digest(&SHA256, SCRIPT.as_bytes()));
    let own = Own { style: shell::OF_FORMS, script: &script, ..Own::default() };
    shell::begin(&mut html, "What is left", own);
    html.raw("<header><p class=\"brand\">dimsegate</p><h1>What is left</h1><p class=\"period\">");
    html.text(summary(listed)).raw(", after <b>").text(rewrite);
    html.raw("</b></p><p class=\"quiet\">The riskiest first. Nothing that is decided here leaves this page: copy it before you close it.</p></header><main>");
    html.raw("<noscript><p class=\"bad\">This page needs its own script; --inventory NAME.json has the same.</p></noscript>");
    html.raw("<section id=\"texts\"><h2>Texts</h2><div id=\"rows\"></div></section>");
    left_out(&mut html, listed);
    html.raw(DECIDED);
    order(&mut html);
    html.raw("</main><script type=\"application/json\" id=\"data\">");
    html.json(&listed.pairs).raw("</script><script>").raw(SCRIPT).raw("</script></body></html>\n");
    html.finish()
}

const DECIDED: &str = "<section id=\"rules\"><h2 id=\"of-rules\">Rules</h2>\
    <p class=\"quiet\">Put these in front of the <code>rules</code> of the [[rewrite]]; a rule holds for its attribute wherever it stands.</p>\
    <textarea id=\"toml\" readonly rows=\"6\" aria-labelledby=\"of-rules\" spellcheck=\"false\"></textarea>\
    <p class=\"actions\"><button type=\"button\" data-copies=\"toml\">Copy rules</button> <span role=\"status\" class=\"quiet\"></span></p></section>\
    <section id=\"kept\"><h2 id=\"of-accepted\">Accepted</h2>\
    <p class=\"quiet\">Keep this list in a file, and give it to the next run with <code>--accepted FILE</code>: what it has is not listed again. It holds the texts. Join it to the list of an earlier run.</p>\
    <textarea id=\"accepted\" readonly rows=\"6\" aria-labelledby=\"of-accepted\" spellcheck=\"false\"></textarea>\
    <p class=\"actions\"><button type=\"button\" data-copies=\"accepted\">Copy accepted</button> <span role=\"status\" class=\"quiet\"></span></p></section>";

fn left_out(html: &mut Html, listed: &Listed) {
    if listed.left_out.is_empty() {
        return;
    }
    html.raw("<section id=\"more\"><h2>Not listed</h2><p class=\"bad\">These attributes have more different texts than are listed: decide about them by a rule.</p><ul class=\"mono\">");
    for left in &listed.left_out {
        html.element("<li>", &left.attribute, ": ").text(counted(left.times, "more element")).raw("</li>");
    }
    html.raw("</ul></section>");
}

fn order(html: &mut Html) {
    html.raw("<section id=\"order\"><h2>The order</h2><p>By what a text looks like, the heaviest reason first; of the same weight those that are rarer. It is an order to look in, and no judgement.</p><dl class=\"terms\">");
    for (word, meaning) in legend() {
        html.element("<dt>", word, "</dt>").element("<dd>", meaning, "</dd>");
    }
    html.raw("</dl></section>");
}
