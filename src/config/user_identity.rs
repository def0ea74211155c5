//! `user-identity` of listeners: whether the users that requestors name are checked (PS3.7 D.3.3.7).

use super::report::{Wrong, values};
use super::section::Section;
use super::settings::{PassedIdentity, UserIdentity};
use super::suggest;

/// What a listener does with user identities. Passcodes and tokens travel in clear inside the request, so TLS is asked for.
/// `has_users`: there are `[users]`, or an `[[issuer]]`.
pub(super) fn of_listener(section: &Section<'_>, has_users: bool) -> UserIdentity {
    use UserIdentity::{Accept, Ignore, Require};
    let choices = [("ignore", Ignore), ("accept", Accept), ("require", Require)];
    let chosen = section.choice("user-identity", &choices).unwrap_or(Ignore);
    let in_clear = section.flag("user-identity-in-clear");
    let place = section.place_of("user-identity");
    if chosen != Ignore && !has_users {
        let problem = "checks users, and there are none";
        let remedy = "add [users] with the file that dimsegate user add makes, or an [[issuer]] of tokens";
        section.report.error(&place, problem, remedy);
    }
    let has_effect = chosen != Ignore && !section.has("tls");
    match in_clear {
        Some(true) if has_effect => {
            let problem = "lets everybody on the way read passcodes and tokens";
            let remedy = "add a [listener.tls], and remove user-identity-in-clear";
            section.report.risk(&section.place_of("user-identity-in-clear"), problem, remedy);
        }
        Some(true) => {
            let problem = "has no effect: no passcode is read here in clear, and no token";
            section.report.risk(&section.place_of("user-identity-in-clear"), problem, "remove it");
        }
        _ if has_effect => {
            let problem = "would have passcodes sent in clear: the listener has no TLS";
            let remedy =
                "add a [listener.tls], or write user-identity-in-clear = true where nobody can read along";
            section.report.error(&place, problem, remedy);
        }
        _ => {}
    }
    chosen
}

/// Types that are let through as claims, though the listener checks others.
pub(super) fn passed(section: &Section<'_>, chosen: UserIdentity) -> Vec<PassedIdentity> {
    let Some(words) = section.strings_or_none(PASS) else { return Vec::new() };
    let passed = values(section.parse_all(words, passed_identity));
    let no_effect = match chosen {
        UserIdentity::Ignore => {
            Some("has no effect: nobody looks at user identities, and each is let through")
        }
        UserIdentity::Require => {
            Some("has no effect: what nobody checks proves nothing, and the listener requires a proof")
        }
        UserIdentity::Accept => None,
    };
    if let Some(problem) = no_effect {
        section.report.risk(
            &section.place_of(PASS),
            problem,
            "write user-identity = \"accept\", or remove it",
        );
    }
    passed
}

/// The key, for what is told of it.
pub(super) const PASS: &str = "user-identity-pass";

fn passed_identity(text: &str) -> Result<PassedIdentity, Wrong> {
    let all = PassedIdentity::ALL;
    let known = all.iter().find(|(word, _)| *word == text).map(|(_, passed)| *passed);
    let words = all.iter().map(|(word, _)| *word);
    known.ok_or_else(|| Wrong::new(format!("{text:?} is not known"), suggest::or_list(text, words)))
}
