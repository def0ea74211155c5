//! What of a review somebody should decide about: the worst first.

use time::OffsetDateTime;

use super::model::{Account, Finding, Review, Reviewed, Trail};
use super::page::ROWS;
use crate::cli::audit::ends::{Nearness, nearness, words};
use crate::cli::words::{counted, noun};
use crate::vocabulary::Notice;

/// Names that one sentence lists.
const LISTED: usize = 12;
/// Of whoever never came, where that is not all that there is to know.
const UNSEEN: &str = "is in no record that was read, and the records do not tell of the whole span";

/// All of them.
pub(super) fn findings(review: &Review, now: OffsetDateTime) -> Vec<Finding> {
    let mut all = Vec::new();
    if !review.trail.is_intact {
        all.push(of("trail-not-proven", "bad", "the trail", review.trail.verdict.clone()));
    }
    if !review.trail.covers_span {
        let sentence = format!("{}: who came before is not told of", review.trail.beginning());
        all.push(of("records-begin-later", "warn", "the trail", sentence));
    }
    if review.trail.unread > 0 {
        let unread = counted(review.trail.unread, "part");
        all.push(of(
            "records-not-read",
            "bad",
            "the trail",
            format!("{unread} of the records could not be read: what they tell is missing here"),
        ));
    }
    if review.trail.left_out > 0 {
        let sentence = format!(
            "more came than are told apart: {} or more of the records are missing here",
            counted(review.trail.left_out, "name")
        );
        all.push(of("names-left-out", "bad", "the trail", sentence));
    }
    review.peers.iter().for_each(|peer| of_peer(peer, &review.trail, &mut all));
    review.users.iter().for_each(|user| of_user(user, review, now, &mut all));
    for guess in review.guesses.iter().filter(|guess| guess.locked_out > 0) {
        let sentence = format!(
            "was locked out: {} were wrong, {} of them while locked out",
            counted(guess.times, "attempt"),
            guess.locked_out
        );
        all.push(of("locked-out", "warn", &format!("user {}", guess.user), sentence));
    }
    for end in &review.ends {
        let (kind, tone) = match nearness(end.end, now) {
            Nearness::Ended => (Notice::CertificateEnded.label(), "bad"),
            _ => ("certificate-ends", "warn"),
        };
        all.push(of(kind, tone, &end.place, format!("{} {}", end.what, words(end.end, now))));
    }
    for block in &review.blocks {
        let until = block
            .until
            .as_ref()
            .map_or("until it is taken back".to_owned(), |until| format!("until {until}"));
        all.push(of(
            "blocked",
            "note",
            &block.of,
            format!("is blocked {until}, by {}: {}", block.by, block.reason),
        ));
    }
    ["peer", "user"].iter().for_each(|kind| of_gone(review, kind, &mut all));
    all.sort_by_key(|finding| ["bad", "warn", "note"].iter().position(|tone| *tone == finding.tone));
    all
}

fn of(kind: &'static str, tone: &'static str, about: &str, sentence: String) -> Finding {
    Finding { kind, tone, about: about.to_owned(), sentence }
}

/// What may have come without a record that was read is not to be taken out for that.
fn of_peer(peer: &Reviewed, trail: &Trail, all: &mut Vec<Finding>) {
    let about = format!("peer {}", peer.name);
    if let Some(refused) = peer.seen.only_refused() {
        return all.push(of("peer-only-refused", "warn", &about, format!("was never let in, and {refused}")));
    }
    if peer.seen.never_came() {
        let sentence = match trail.tells_all() {
            true => format!("never came: take the [[peer]] of line {} out, if nobody needs it", peer.line),
            false => UNSEEN.to_owned(),
        };
        return all.push(of("peer-never-seen", "warn", &about, sentence));
    }
    let never = peer.rights.never_done();
    if !never.is_empty() {
        let role = peer.rights.roles.join(", ");
        let sentence = format!("never used {} of role {role}", listed(&never));
        all.push(of("rights-never-used", "note", &about, sentence));
    }
}

fn of_gone(review: &Review, kind: &str, all: &mut Vec<Finding>) {
    let gone = || review.gone.iter().filter(|gone| gone.kind == kind);
    for gone in gone().take(ROWS) {
        all.push(of("gone", "note", &format!("{kind} {}", gone.name), format!("came, and {}", gone.why)));
    }
    let more = gone().skip(ROWS).count() as u64;
    if more > 0 {
        let about = format!("{more} more {}", noun(more, kind));
        all.push(of("gone", "note", &about, "came, and --json names them".to_owned()));
    }
}

fn of_user(user: &Account, review: &Review, now: OffsetDateTime, all: &mut Vec<Finding>) {
    let about = format!("user {}", user.name);
    if user.state != "in force" {
        let sentence = format!("is {}: remove the user, if nobody needs it", user.state);
        return all.push(of("account-over", "note", &about, sentence));
    }
    if let Some(end) = user.end.filter(|end| nearness(*end, now) != Nearness::Later) {
        all.push(of("account-ends", "warn", &about, words(end, now)));
    }
    came(user, review, all);
    if !user.has_one_time_code {
        let role = user.administration.map_or(String::new(), |role| format!(", and is {role}"));
        let tone = if user.administration.is_some() { "warn" } else { "note" };
        all.push(of("no-second-factor", tone, &about, format!("has a passcode alone{role}")));
    }
    let never = user.rights.never_done();
    if !user.did_nothing() && !never.is_empty() {
        all.push(of(
            "rights-never-used",
            "note",
            &about,
            format!("never used {} of the user's roles", listed(&never)),
        ));
    }
    if !user.did_nothing() && !user.peers_never_used.is_empty() {
        let peers: Vec<&str> = user.peers_never_used.iter().map(String::as_str).collect();
        all.push(of(
            "peers-never-used",
            "note",
            &about,
            format!("never came through peer {}", listed(&peers)),
        ));
    }
}

/// Whether they came, were refused whenever they came, or never came. A proof that was wrong is nobody's: it is told of
/// the name.
fn came(user: &Account, review: &Review, all: &mut Vec<Finding>) {
    let about = format!("user {}", user.name);
    let guess = review.guesses.iter().find(|guess| guess.user == user.name).filter(|_| user.did_nothing());
    let guesses = guess.map(|guess| format!("{} came in this name", counted(guess.times, "wrong proof")));
    let refused: Vec<String> = [user.seen.only_refused(), guesses].into_iter().flatten().collect();
    if !refused.is_empty() {
        let place = if user.did_nothing() { "" } else { " over DIMSE" };
        let sentence = format!("was never let in{place}, and {}", refused.join("; "));
        all.push(of("user-only-refused", "warn", &about, sentence));
    } else if user.never_came() {
        let sentence = if review.trail.tells_all() { "never came, over DIMSE or to log in" } else { UNSEEN };
        all.push(of("user-never-seen", "warn", &about, sentence.to_owned()));
    }
}

fn listed(names: &[&str]) -> String {
    let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
