//! A review for a terminal, or for a mail.

use std::fmt::Write;

use super::model::{Account, Review, Reviewed, Seen};
use super::rights::Rights;
use crate::cli::table::{Table, screen, visible, wrapped};
use crate::cli::words::counted;

/// All of it, in lines.
pub(super) fn text(review: &Review) -> String {
    let mut text = format!(
        "Access review of {}\n{} to {}, from {} in {}\n",
        visible(&review.configuration),
        review.from,
        review.to,
        counted(review.trail.records, "record"),
        visible(&review.trail.directory)
    );
    let _ = writeln!(text, "{}", visible(&review.trail.beginning()));
    let _ = writeln!(text, "the records are {}", review.trail.verdict);
    section(&mut text, "To decide", &findings(review));
    section(&mut text, "Peers", &table(review.peers.iter().map(|peer| of_peer(review, peer))));
    section(&mut text, "Users", &table(review.users.iter().map(|user| of_user(review, user))));
    section(&mut text, "Users of issuers", &issuers(review));
    section(&mut text, "Wrong proofs and lock-outs", &guesses(review));
    section(&mut text, "Blocks made and taken back", &changes(review));
    text
}

fn section(text: &mut String, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = writeln!(text, "\n{title}\n{}", lines.join("\n"));
    }
}

fn findings(review: &Review) -> Vec<String> {
    let width = screen(120);
    let sentence = |one: &super::model::Finding| visible(&format!("- {}: {}", one.about, one.sentence));
    review.findings.iter().flat_map(|finding| wrapped(&sentence(finding), width)).collect()
}

fn table(rows: impl Iterator<Item = [String; 5]>) -> Vec<String> {
    let mut table = Table::new(["name", "last seen (UTC)", "associations", "used", "never used"])
        .within(screen(160))
        .stacked(1);
    let mut is_empty = true;
    for row in rows {
        is_empty = false;
        table.row(row);
    }
    if is_empty { Vec::new() } else { table.lines(|_, _, cell| cell.to_owned()) }
}

fn of_peer(review: &Review, peer: &Reviewed) -> [String; 5] {
    let Reviewed { name, seen, rights, .. } = peer;
    [name.clone(), last(review, seen), seen.associations.to_string(), used(rights), never(rights)]
}

fn of_user(review: &Review, user: &Account) -> [String; 5] {
    let Account { name, seen, rights, state, .. } = user;
    let name = if *state == "in force" { name.clone() } else { format!("{name} ({state})") };
    let login = user.last_login.as_ref().map(|at| format!("login {at}"));
    let seen_last = match (&seen.last, login) {
        (None, Some(login)) => login,
        (Some(_), Some(login)) => format!("{}, {login}", last(review, seen)),
        (_, None) => last(review, seen),
    };
    [name, seen_last, seen.associations.to_string(), used(rights), never(rights)]
}

/// Of whoever is in no record it is not known that they never came, where those do not tell of the whole span.
fn last(review: &Review, seen: &Seen) -> String {
    let none = if review.trail.tells_all() { "never" } else { "in no record" };
    let never = || seen.only_refused().map_or(none.to_owned(), |refused| format!("{none}, {refused}"));
    seen.last.clone().unwrap_or_else(never)
}

fn used(rights: &Rights) -> String {
    let done = rights.operations.iter().filter(|right| right.times > 0);
    done.map(|right| format!("{} {}", right.times, right.name)).collect::<Vec<_>>().join(", ")
}

fn never(rights: &Rights) -> String {
    let operations = rights.never_done().join(", ");
    let classes = rights.classes_never_used().unwrap_or_default();
    [operations, classes].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}

fn issuers(review: &Review) -> Vec<String> {
    let line = |issuer: &super::model::OfIssuer| match &issuer.last {
        Some(last) => format!(
            "{}: {}, {}{}, the last {last}",
            issuer.name,
            counted(issuer.users, "user"),
            counted(issuer.associations, "association"),
            issuer.operations.iter().map(|(name, times)| format!(", {times} {name}")).collect::<String>()
        ),
        None if review.trail.tells_all() => format!("{}: nobody came", issuer.name),
        None => format!("{}: nobody is in a record", issuer.name),
    };
    review.issuers.iter().map(|issuer| visible(&line(issuer))).collect()
}

fn guesses(review: &Review) -> Vec<String> {
    let line = |guess: &super::model::Guess| {
        let last = guess.last.as_deref().unwrap_or("unknown");
        visible(&format!(
            "{}: {}, {} while locked out, the last {last}",
            guess.user,
            counted(guess.times, "wrong attempt"),
            guess.locked_out
        ))
    };
    review.guesses.iter().map(line).collect()
}

fn changes(review: &Review) -> Vec<String> {
    let line =
        |change: &super::model::Change| visible(&format!("{} {}: {}", change.at, change.by, change.what));
    review.block_changes.iter().map(line).collect()
}
