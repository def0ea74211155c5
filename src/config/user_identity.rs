//! `user-identity` of listeners: whether the users that requestors name are checked (PS3.7 D.3.3.7).

use super::section::Section;
use super::settings::UserIdentity;

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
