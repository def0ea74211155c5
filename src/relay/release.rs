//! Release end to end, release collision included (PS3.8 §7.2 and Table 9-10, Sta7 to Sta12).
//!
//! dimsegate passes every A-RELEASE-RQ and -RP on as it comes. In a collision both sides have asked; the requestor of
//! the association answers first, and the order follows by itself because each side obeys its own state table.

use std::sync::{Mutex, PoisonError};

use super::ended::Side;
use crate::wire::{AbortReason, Malformed};

/// What was asked and answered so far.
#[derive(Default)]
pub(crate) struct Release(Mutex<Said>);

#[derive(Clone, Copy, Default)]
struct Said {
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
    fn with<T>(&self, act: impl FnOnce(&mut Said) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `by` sent an A-RELEASE-RQ.
    pub fn ask(&self, by: Side) -> Result<(), Malformed> {
        self.with(|said| {
            said.first.get_or_insert(by);
            match said.asked.get_mut(index(by)) {
                Some(asked) if !*asked => {
                    *asked = true;
                    Ok(())
                }
                _ => Err(unexpected("a second A-RELEASE-RQ")),
            }
        })
    }

    /// `by` sent an A-RELEASE-RP. Returns who asked first, once everything that was asked is answered.
    pub fn answer(&self, by: Side) -> Result<Option<Side>, Malformed> {
        self.with(|said| {
            let was_asked = said.asked.get(index(by.other())).copied().unwrap_or(false);
            match said.answered.get_mut(index(by)) {
                Some(answered) if was_asked && !*answered => *answered = true,
                _ => return Err(unexpected("an A-RELEASE-RP that nobody asked for")),
            }
            let [requestor_asked, upstream_asked] = said.asked;
            let complete = said.answered == [upstream_asked, requestor_asked];
            Ok(said.first.filter(|_| complete))
        })
    }

    /// Whether `by` has asked: it may then close without waiting for more.
    pub fn was_asked_by(&self, by: Side) -> bool {
        self.with(|said| said.asked.get(index(by)).copied().unwrap_or(false))
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
        let release = Release::default();
        release.ask(Side::Requestor).unwrap();
        assert_eq!(release.answer(Side::Upstream).unwrap(), Some(Side::Requestor));
    }

    #[test]
    fn a_collision_ends_when_both_have_answered() {
        let release = Release::default();
        release.ask(Side::Upstream).unwrap();
        release.ask(Side::Requestor).unwrap();
        assert_eq!(release.answer(Side::Requestor).unwrap(), None);
        assert_eq!(release.answer(Side::Upstream).unwrap(), Some(Side::Upstream));
    }

    #[test]
    fn answers_to_nothing_and_second_requests_are_unexpected() {
        let release = Release::default();
        assert!(release.answer(Side::Upstream).is_err());
        release.ask(Side::Requestor).unwrap();
        assert!(release.ask(Side::Requestor).is_err());
        assert!(release.answer(Side::Requestor).is_err());
    }
}
