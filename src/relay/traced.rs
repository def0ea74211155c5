//! What those see of a connection who trace it, until its legs tell the rest.

use super::arrival::{Arrival, Refused};
use super::proof::proven;
use crate::policy::Grant;
use crate::trace::{self, Node, What, Whose};
use crate::vocabulary::Reason;
use crate::wire::associate::AssociateRq;

impl Arrival {
    /// Lets those see it who trace connections from where it comes. Called once that is known.
    pub(super) fn be_seen(&mut self) {
        self.witness = self.gate.traces.witness(&self.id, self.from);
        let Some(witness) = &self.witness else { return };
        let (listener, address, reached) = (self.listener.name.to_string(), self.from, self.reached);
        witness.tell(What::Connection { listener, address, reached });
    }

    /// What TLS proved of the requestor.
    pub(super) fn tell_tls(&self) {
        if let (Some(witness), Some(session)) = (&self.witness, &self.tls) {
            witness.tell(What::Tls { leg: Node::Requestor, tls: Box::new(proven(session)) });
        }
    }

    /// The trace of a leg of it.
    pub(super) fn trace(&self, leg: Node) -> Option<Box<trace::Leg>> {
        self.witness.clone().map(|witness| trace::Leg::new(witness, leg))
    }

    /// It is let in, as this peer's.
    pub(super) fn admitted(&self, grant: &Grant) {
        let Some(witness) = &self.witness else { return };
        let (peer, calling) = (&grant.peer, grant.calling.as_str());
        witness.is_of(&Whose::Peer(&peer.name), Some(calling));
        let (upstream, role) = (grant.upstream.to_string(), peer.role.name.to_string());
        witness.tell(What::Admitted { peer: peer.name.to_string(), role, upstream });
    }

    /// It is refused. Where its peer is not known, it is of those that it could be.
    pub(super) fn seen_refused(
        &self,
        refused: &Refused,
        requested: Option<&AssociateRq>,
        peer: Option<&str>,
    ) {
        let Some(witness) = &self.witness else { return };
        let calling = requested.map(|requested| requested.calling.to_string());
        let could_be = |name: &str| self.could_be_of(name, refused);
        witness.is_of(&peer.map_or(Whose::Perhaps(&could_be), Whose::Peer), calling.as_deref());
        witness.tell(What::Refused {
            reason: refused.reason.label().into(),
            explanation: without_user(refused),
            alert: refused.alert.as_deref().map(str::to_owned),
        });
    }

    /// Whether this peer came nearest, or has a network with the address.
    fn could_be_of(&self, name: &str, refused: &Refused) -> bool {
        let nearest = refused.because.as_ref().and_then(|because| because.nearest.as_ref());
        let is_nearest = nearest.is_some_and(|(peer, _)| *peer.name == *name);
        let mut peers = self.settings.policy.peers.iter();
        is_nearest || peers.any(|peer| *peer.name == *name && peer.holds_address(self.from.ip()))
    }
}

/// Why, without the user that is named there: a trace is made to be given away.
fn without_user(refused: &Refused) -> String {
    use Reason::{
        FactorMissing, TokenEnded, TokenNotBound, TokenUsed, TokenWrong, UserIdentityMissing,
        UserIdentityUnchecked, UserIdentityUnsupported, UserIdentityWrong, UserLockedOut, UserNotAllowed,
    };
    match refused.reason {
        UserIdentityMissing
        | TokenWrong
        | TokenEnded
        | TokenUsed
        | TokenNotBound
        | UserIdentityWrong
        | UserIdentityUnsupported
        | UserLockedOut
        | UserIdentityUnchecked
        | UserNotAllowed
        | FactorMissing => refused.reason.to_string(),
        // Of a role of the user's own, or of a block.
        _ if refused.explanation.contains("user \"") || refused.explanation.contains("user:") => {
            refused.reason.to_string()
        }
        _ => refused.explanation.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Refused, without_user};
    use crate::vocabulary::Reason;

    #[test]
    fn no_explanation_that_is_traced_names_a_user() {
        let explanation = "role \"night\" of user \"anna\" is for mon 07:00-19:00 UTC";
        for (reason, explanation) in [
            (Reason::UserIdentityWrong, "user \"anna\": the passcode is wrong"),
            (Reason::TokenWrong, "token: its issuer \"https://login.example\" is that of no [[issuer]]"),
            (Reason::UserNotAllowed, "user \"anna\" has no role of a [[role]]"),
            (Reason::OutsideHours, explanation),
            (Reason::Blocked, "block 3: user:anna, by root"),
        ] {
            let told = without_user(&Refused::new(reason, explanation));
            assert_eq!(told, reason.to_string());
        }
        let other = Refused::new(Reason::CallingAeTitleUnknown, "calling AE title \"X\" is not known");
        assert_eq!(without_user(&other), other.explanation);
    }
}
