//! Release end to end, release collision included (PS3.8 §7.2 and Table 9-10, Sta7 to Sta12).
//!
//! dimsegate passes every A-RELEASE-RQ and -RP on as it comes. In a collision both sides have asked; the requestor of
//! the association answers first, and the order follows by itself because each side obeys its own state table.
//!
//! ```text
//!   one asks                                           both ask (release collision)
//!
//!   requestor     dimsegate     upstream               requestor       dimsegate       upstream
//!      |---- RQ ----->|---- RQ ---->|  asked [1,0]         |---- RQ ---->\ /<---- RQ ----|  asked [1,1]
//!      |              |             |                      |              X              |  first: who came first
//!      |<--- RP ------|<--- RP -----|  answered [0,1]      |<--- RQ ----/ \---- RQ ----->|
//!      |              |             |  complete            |                             |
//!                                                          |---- RP ----->|---- RP ----->|  answered [1,0]
//!                                                          |<--- RP ------|<--- RP ------|  answered [1,1], complete
//! ```
//!
//! It is complete where each side has answered what the other asked: `answered` is `asked` the other way round.

use super::ended::Side;
use crate::wire::{AbortReason, Malformed};

/// What was asked and answered so far.
#[derive(Clone, Copy, Default)]
pub(crate) struct Release {
    first: Option<Side>,
    asked: [bool; 2],
    answered: [bool; 2],
}

fn index(side: Side) -> usize {
    match side {
        Side::Requestor => 0,
        Side::Upstream => 1,
    }
}

impl Release {
    /// Takes note that `by` sent an A-RELEASE-RQ. A second one of the same side is unexpected.
    pub(crate) fn ask(&mut self, by: Side) -> Result<(), Malformed> {
        self.first.get_or_insert(by);
        match self.asked.get_mut(index(by)) {
            Some(asked) if !*asked => {
                *asked = true;
                Ok(())
            }
            _ => Err(unexpected("a second A-RELEASE-RQ")),
        }
    }

    /// `by` sent an A-RELEASE-RP. Returns who asked first, once everything that was asked is answered.
    pub(crate) fn answer(&mut self, by: Side) -> Result<Option<Side>, Malformed> {
        let was_asked = self.was_asked_by(by.other());
        match self.answered.get_mut(index(by)) {
            Some(answered) if was_asked && !*answered => *answered = true,
            _ => return Err(unexpected("an A-RELEASE-RP that nobody asked for")),
        }
        let [requestor_asked, upstream_asked] = self.asked;
        let complete = self.answered == [upstream_asked, requestor_asked];
        Ok(self.first.filter(|_| complete))
    }

    /// Whether `by` has asked: it may then close without waiting for more.
    pub(crate) fn was_asked_by(&self, by: Side) -> bool {
        self.asked.get(index(by)).copied().unwrap_or(false)
    }
}

fn unexpected(what: &str) -> Malformed {
    Malformed::new(AbortReason::UnexpectedPdu, what)
}

#[cfg(test)]
mod tests {
    use super::{Release, Side};

    #[test]
    fn one_request_and_its_answer_end_the_association() {
        let mut release = Release::default();
        release.ask(Side::Requestor).unwrap();
        assert_eq!(release.answer(Side::Upstream).unwrap(), Some(Side::Requestor));
    }

    #[test]
    fn a_collision_ends_when_both_have_answered() {
        let mut release = Release::default();
        release.ask(Side::Upstream).unwrap();
        release.ask(Side::Requestor).unwrap();
        assert_eq!(release.answer(Side::Requestor).unwrap(), None);
        assert_eq!(release.answer(Side::Upstream).unwrap(), Some(Side::Upstream));
    }

    #[test]
    fn answers_to_nothing_and_second_requests_are_unexpected() {
        let mut release = Release::default();
        assert!(release.answer(Side::Upstream).is_err());
        release.ask(Side::Requestor).unwrap();
        assert!(release.ask(Side::Requestor).is_err());
        assert!(release.answer(Side::Requestor).is_err());
    }
}
