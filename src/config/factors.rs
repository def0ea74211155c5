//! Factors that a role requires, against what the listeners of a peer have proven.

use super::certificates;
use super::listener::Listeners;
use super::report::Place;
use super::section::Section;
use super::settings::{ListenerSettings, UserIdentity};
use crate::policy::{Factor, Peer};

/// Tells of a peer whose role requires what none of its listeners has proven.
pub(super) fn risks(root: &Section<'_>, place: &Place, peer: &Peer, listeners: &Listeners) {
    let usable = listeners.usable_by(peer);
    let proves = |factor: Factor, listener: &ListenerSettings| match factor {
        Factor::Certificate => certificates::asks(listener),
        Factor::Passcode | Factor::OneTimeCode => {
            root.has("users") && listener.user_identity != UserIdentity::Ignore
        }
        Factor::Token => root.has("issuer") && listener.user_identity != UserIdentity::Ignore,
    };
    let unproven = |factor: &Factor| !usable.iter().any(|listener| proves(*factor, listener));
    if let Some(factor) = peer.role.require.iter().find(unproven).filter(|_| !usable.is_empty()) {
        let problem = format!(
            "lets nobody in: role \"{}\" requires \"{factor}\", which none of its listeners has proven",
            peer.role.name
        );
        let remedy = match factor {
            Factor::Certificate => {
                "write a [listener.tls] with client-authentication, or change require of the role"
            }
            Factor::Passcode | Factor::OneTimeCode => {
                "write user-identity = \"accept\" in a [[listener]], with [users], or change require of the role"
            }
            Factor::Token => {
                "write user-identity = \"accept\" in a [[listener]], with an [[issuer]], or change require of the role"
            }
        };
        root.report.risk(place, problem, remedy);
    }
}
