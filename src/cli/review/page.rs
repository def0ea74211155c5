//! The page of a review, in the manner of the report on the records.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::model::{Account, OfIssuer, Review, Reviewed, Seen, Trail};
use super::rights::{Right, Rights};
use crate::cli::audit::ends::{Nearness, nearness, words};
use crate::cli::audit::report::html::{Html, counted, grouped, percent};
use crate::cli::audit::report::page::{day, minute, tile};
use crate::cli::shell::{self, Own};
use crate::cli::words::noun;

/// Rows of a list in which somebody may have written many.
pub(super) const ROWS: usize = 200;

/// One self-contained page, which may run nothing and fetch nothing.
pub(super) fn page(review: &Review, written: OffsetDateTime) -> String {
    let mut html = Html::default();
    let (from, to) = (day(review.period.from), day(review.period.to));
    shell::begin(&mut html, format_args!("Access review {from} to {to}"), Own::default());
    head(&mut html, review, written);
    html.raw("<main>");
    tiles(&mut html, review, written);
    let mut section = |id: &'static str, title: &'static str, body: &dyn Fn(&mut Html)| {
        shell::section(&mut html, id, title, body);
    };
    section("decide", "To decide", &|html| findings(html, review));
    section("peers", "Peers", &|html| peers(html, review));
    section("users", "Users", &|html| users(html, review));
    section("ends", "What ends", &|html| ends(html, review, written));
    section("guesses", "Wrong proofs and lock-outs", &|html| guesses(html, review));
    section("blocks", "Blocks", &|html| blocks(html, review));
    section("reading", "What this page rests on", &|html| reading(html, review));
    html.raw("</main></body></html>\n");
    html.finish()
}

const CONTENTS: &str = "<nav><a href=\"#decide\">To decide</a><a href=\"#peers\">Peers</a><a href=\"#users\">Users</a>\
    <a href=\"#ends\">Ends</a><a href=\"#guesses\">Lock-outs</a><a href=\"#blocks\">Blocks</a><a href=\"#reading\">Method</a></nav>";

fn head(html: &mut Html, review: &Review, written: OffsetDateTime) {
    html.raw("<header><div><p class=\"brand\">dimsegate</p><h1>Access review</h1><p class=\"period\"><b>");
    html.text(minute(review.period.from))
        .raw("</b> to <b>")
        .text(minute(review.period.to))
        .raw("</b> UTC</p>");
    html.raw("<p class=\"quiet\">of <code>")
        .text(&review.configuration)
        .raw("</code>, from the records in <code>");
    html.text(&review.trail.directory).raw("</code>, which are ").text(&review.trail.verdict);
    html.raw("; ").text(review.trail.beginning());
    html.raw("; written ").text(minute(written)).raw(" UTC</p></div>").raw(CONTENTS).raw("</header>");
}

fn tiles(html: &mut Html, review: &Review, now: OffsetDateTime) {
    html.raw("<div class=\"tiles\">");
    let mut one = |to: &'static str, count: usize, what: String, more: &str| {
        let tone = if count > 0 { "bad" } else { "good" };
        tile(html, to, tone, &grouped(count as u64), what, more);
    };
    let (peers, users) = (&review.peers, &review.users);
    let never = || if review.trail.tells_all() { "never came" } else { "in no record" }.to_owned();
    let absent = peers.iter().filter(|peer| peer.seen.never_came()).count();
    one("#peers", absent, never(), &format!("of {}", counted(peers.len(), "peer")));
    let refused = peers.iter().filter(|peer| peer.seen.only_refused().is_some()).count();
    one("#peers", refused, "only refused".to_owned(), &format!("of {}", counted(peers.len(), "peer")));
    let absent = users.iter().filter(|user| user.never_came()).count();
    one("#users", absent, never(), &format!("of {}", counted(users.len(), "user")));
    let unused: usize = peers.iter().map(|peer| peer.rights.never_done().len()).sum();
    let allowed: usize = peers.iter().map(|peer| peer.rights.operations.len()).sum();
    one(
        "#peers",
        unused,
        "never used".to_owned(),
        &format!("of {} that peers may do", counted(allowed, "operation")),
    );
    let accounts =
        users.iter().filter(|user| user.end.is_some_and(|end| nearness(end, now) != Nearness::Later)).count();
    one(
        "#ends",
        review.ends.len() + accounts,
        "ended or ending soon".to_owned(),
        "certificates, lists, accounts",
    );
    let locked = review.guesses.iter().filter(|guess| guess.locked_out > 0).count();
    one(
        "#guesses",
        locked,
        format!("{} locked out", noun(locked as u64, "user")),
        "after wrong passcodes or codes",
    );
    let blocks = review.blocks.len();
    one("#blocks", blocks, noun(blocks as u64, "block"), "in force");
    html.raw("</div>");
}

fn findings(html: &mut Html, review: &Review) {
    if review.findings.is_empty() {
        html.raw(
            "<p class=\"quiet\">Nothing: everybody came, used what they may, and nothing ends soon.</p>",
        );
        return;
    }
    html.raw(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"To decide\"><table><thead><tr><th>who or what<th>what there is to decide</thead><tbody>",
    );
    for finding in &review.findings {
        html.raw("<tr class=\"").raw(finding.tone).raw("\"><td>").text(&finding.about);
        html.element("<td class=\"what\">", &finding.sentence, "");
    }
    html.raw("</tbody></table></div>");
}

fn peers(html: &mut Html, review: &Review) {
    html.raw("<div class=\"items\">");
    for Reviewed { name, line, seen, rights } in &review.peers {
        let note = format!("role {}, line {line}", rights.roles.join(", "));
        let last = seen.last.as_deref().unwrap_or_else(|| absent(seen, &review.trail));
        subject(html, (name, &note), last, rights, |html| came(html, seen, "Users"));
    }
    html.raw("</div>");
    gone(html, review, "peer");
}

fn users(html: &mut Html, review: &Review) {
    if review.users.is_empty() {
        html.raw("<p class=\"quiet\">The configuration has no users.</p>");
    }
    issuers(html, review);
    html.raw("<div class=\"items\">");
    for user in &review.users {
        let last = user.seen.last.as_deref().max(user.last_login.as_deref());
        let last = last.unwrap_or_else(|| absent(&user.seen, &review.trail));
        subject(html, (&user.name, &note(user)), last, &user.rights, |html| account(html, user));
    }
    html.raw("</div>");
    gone(html, review, "user");
}

/// In place of when they came last.
fn absent(seen: &Seen, trail: &Trail) -> &'static str {
    match (seen.never_came(), trail.tells_all()) {
        (false, _) => "only refused",
        (true, true) => "never came",
        (true, false) => "in no record",
    }
}

/// Those of a token, the first by name: nobody lists whom an issuer may name.
fn issuers(html: &mut Html, review: &Review) {
    for issuer in &review.issuers {
        html.raw("<p class=\"quiet\">Issuer ").text(&issuer.name).raw(": ");
        match &issuer.last {
            Some(last) => {
                html.text(counted(issuer.users, "user")).raw(" came, with ");
                html.text(counted(issuer.associations, "association")).raw(", the last ").text(last)
            }
            None => html.raw("nobody came"),
        };
        html.raw("</p>");
        who(html, issuer);
    }
}

fn who(html: &mut Html, issuer: &OfIssuer) {
    if issuer.who.is_empty() {
        return;
    }
    fact(html, "Operations", &reasons(&issuer.operations));
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Users of ")
        .text(&issuer.name);
    html.raw("\"><table><thead><tr><th>user<th>last seen<th class=\"num\">associations<th>operations<th>through</thead><tbody>");
    for one in issuer.who.iter().take(ROWS) {
        let last = one.seen.last.clone().or_else(|| one.seen.only_refused()).unwrap_or_default();
        html.element("<tr><td class=\"what\">", &one.name, "").element("<td class=\"mono\">", last, "");
        html.element("<td class=\"num\">", grouped(one.seen.associations), "");
        html.element("<td>", reasons(&one.operations), "").element("<td>", one.seen.with.join(", "), "");
    }
    html.raw("</tbody></table></div>");
    let more = issuer.who.len().saturating_sub(ROWS);
    if more > 0 {
        html.element("<p class=\"quiet\">", counted(more, "user"), " more, whom --json names.</p>");
    }
}

fn note(user: &Account) -> String {
    let factor = if user.has_one_time_code { "one-time code" } else { "passcode alone" };
    let roles = user.rights.roles.iter().map(String::as_str).chain(user.administration);
    let roles: Vec<&str> = roles.collect();
    let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
    format!("{}, {roles}, {factor}", user.state)
}

/// A row that opens to what they did and may.
fn subject(
    html: &mut Html,
    (name, note): (&str, &str),
    last: &str,
    rights: &Rights,
    more: impl FnOnce(&mut Html),
) {
    let (used, all) = rights.share();
    html.raw("<details class=\"item\"><summary><span class=\"label\">").text(name);
    html.element(" <small>", note, "</small></span><span class=\"track\">");
    html.raw("<span class=\"bar good\" style=\"width:").text(percent(used, all)).raw("%\"></span></span>");
    let day = last.get(..10).filter(|_| last.starts_with(|first: char| first.is_ascii_digit()));
    html.element("<span class=\"figure\">", day.unwrap_or(last), "");
    if all > 0 {
        html.element(" <small>", format!("{used} of {}", counted(all, "operation")), "</small>");
    }
    html.raw("</span></summary>");
    html.raw("<div class=\"records\">");
    more(html);
    fact(html, "Operations", &operations(&rights.operations));
    fact(html, "Never used", &rights.never_done().join(", "));
    fact(html, "SOP classes used", &operations(&rights.sop_classes));
    fact(html, "SOP classes never used", &rights.classes_never_used().unwrap_or_default());
    fact(html, "Accepted, and nothing done", &rights.contexts_never_used.join(", "));
    html.raw("</div></details>");
}

fn operations(rights: &[Right]) -> String {
    let used = rights.iter().filter(|right| right.times > 0);
    used.map(|right| format!("{} {}", grouped(right.times), right.name)).collect::<Vec<_>>().join(", ")
}

fn came(html: &mut Html, seen: &Seen, with: &'static str) {
    if let (Some(first), Some(last)) = (&seen.first, &seen.last) {
        let when = if first == last { last.clone() } else { format!("{first} to {last}") };
        let opened = match seen.associations {
            0 => "none was opened in the span".to_owned(),
            count => counted(count, "association"),
        };
        fact(html, "Came", &format!("{opened}, {when}"));
    }
    fact(html, with, &seen.with.join(", "));
    fact(html, "Refused", &reasons(&seen.refused));
}

fn account(html: &mut Html, user: &Account) {
    came(html, &user.seen, "Through peers");
    fact(html, "May come through", &user.may_use_peers.join(", "));
    fact(html, "Never came through", &user.peers_never_used.join(", "));
    fact(html, "Logged in last", user.last_login.as_deref().unwrap_or_default());
    fact(html, "Administered", &reasons(&user.administered));
    fact(html, "Ends", user.ends.as_deref().unwrap_or_default());
}

fn reasons(counts: &BTreeMap<String, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{} {name}", grouped(*count))).collect::<Vec<_>>().join(", ")
}

/// Left out where there is nothing to tell.
fn fact(html: &mut Html, what: &'static str, value: &str) {
    if !value.is_empty() {
        html.raw("<p class=\"command\"><span>").raw(what).raw("</span> ").text(value).raw("</p>");
    }
}

fn gone(html: &mut Html, review: &Review, kind: &str) {
    let all = || review.gone.iter().filter(|gone| gone.kind == kind);
    for gone in all().take(ROWS) {
        html.raw("<p class=\"quiet\">").text(&gone.name).raw(" came, and ").text(gone.why).raw(": ");
        html.text(counted(gone.seen.associations, "association")).raw(", the last ");
        html.text(gone.seen.last.as_deref().unwrap_or_default()).raw("</p>");
    }
    let more = all().skip(ROWS).count();
    if more > 0 {
        html.element("<p class=\"quiet\">", counted(more, kind), " more, which --json names.</p>");
    }
}

fn ends(html: &mut Html, review: &Review, now: OffsetDateTime) {
    let accounts = review.users.iter().filter_map(|user| Some((user.end?, user)));
    let accounts = accounts.filter(|(end, _)| nearness(*end, now) != Nearness::Later);
    let accounts: Vec<_> =
        accounts.map(|(end, user)| (end, format!("the user {}", user.name), String::new())).collect();
    let files = review.ends.iter().map(|end| (end.end, end.what.clone(), end.place.clone()));
    let mut all: Vec<_> = files.chain(accounts).collect();
    all.sort();
    if all.is_empty() {
        html.raw("<p class=\"quiet\">No certificate, list or account has ended or ends within 30 days.</p>");
        return;
    }
    html.raw(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"What ends\"><table><thead><tr><th>end (UTC)<th>from now<th>what<th>where</thead><tbody>",
    );
    for (end, what, place) in &all {
        let tone = if nearness(*end, now) == Nearness::Ended { "bad" } else { "warn" };
        html.raw("<tr class=\"").raw(tone).raw("\"><td class=\"mono\">").text(day(*end));
        html.element("<td>", words(*end, now), "")
            .element("<td class=\"what\">", what, "")
            .element("<td>", place, "");
    }
    html.raw("</tbody></table></div>");
}

fn guesses(html: &mut Html, review: &Review) {
    if review.guesses.is_empty() {
        html.raw("<p class=\"quiet\">No wrong passcode, code or token came.</p>");
        return;
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Guesses and lock-outs\"><table><thead><tr><th>user<th class=\"num\">wrong<th class=\"num\">while locked out<th>last</thead><tbody>");
    for guess in review.guesses.iter().take(ROWS) {
        html.raw("<tr class=\"")
            .raw(if guess.locked_out > 0 { "bad" } else { "" })
            .raw("\"><td class=\"what\">")
            .text(&guess.user);
        html.element("<td class=\"num\">", grouped(guess.times), "");
        html.element("<td class=\"num\">", grouped(guess.locked_out), "");
        html.element("<td class=\"mono\">", guess.last.as_deref().unwrap_or_default(), "");
    }
    html.raw("</tbody></table></div>");
}

fn blocks(html: &mut Html, review: &Review) {
    if review.blocks.is_empty() && review.block_changes.is_empty() {
        html.raw("<p class=\"quiet\">Nobody is blocked, and nobody was.</p>");
        return;
    }
    html.raw("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Blocks in force\"><table><thead><tr><th>in force<th>since<th>until<th>by<th>reason</thead><tbody>");
    for block in &review.blocks {
        html.element("<tr><td>", &block.of, "").element("<td class=\"mono\">", &block.since, "");
        html.element("<td class=\"mono\">", block.until.as_deref().unwrap_or("taken back"), "");
        html.element("<td>", &block.by, "").element("<td class=\"what\">", &block.reason, "");
    }
    html.raw("</tbody></table></div>");
    for change in review.block_changes.iter().rev().take(ROWS) {
        html.raw("<p class=\"quiet\">").text(&change.at).raw(" ").text(&change.by).raw(": ");
        html.text(&change.what).raw("</p>");
    }
}

fn reading(html: &mut Html, review: &Review) {
    html.raw("<p>").text(counted(review.trail.records, "record")).raw(" of the span; they are ");
    html.text(&review.trail.verdict)
        .raw(", and ")
        .text(review.trail.beginning())
        .raw(". Configuration <code class=\"hash\">")
        .text(&review.digest)
        .raw("</code>.</p>");
    if review.trail.unread > 0 {
        html.element(
            "<p class=\"bad\">",
            counted(review.trail.unread, "part"),
            " of them could not be read; what they tell is missing here.</p>",
        );
    }
    if review.trail.left_out > 0 {
        html.element(
            "<p class=\"bad\">",
            counted(review.trail.left_out, "name"),
            " or more of them are not told of here: more came than are told apart.</p>",
        );
    }
    html.raw("<p>A right counts as used where an operation came that dimsegate did not refuse, whatever the PACS answered. What a PACS sends for a C-GET is a part of that C-GET. Of an association that was open for more than a day when the span began, operations count when it ends, and SOP classes do not; beside a C-GET, its C-STOREs do not either, since the record of its end does not tell which way they went. Rights of users are those of their own roles; what they get is never more than the peer that they come through.</p>");
}
