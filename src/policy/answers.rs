//! What becomes of the answers to a query that may pass.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::Role;

/// What peer and user allow of one query or retrieval.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// What is left out of the answers; `None` is nothing.
    pub hidden: Option<Arc<Hidden>>,
    /// How many of them there may be.
    pub max_answers: Option<NonZeroU32>,
    /// Within an hour: those of the peer, whoever asks, and those of the user, from wherever.
    pub retrievals: [Option<NonZeroU32>; 2],
    /// Patients within a day, of the same two.
    pub patients: [Option<NonZeroU32>; 2],
}

/// Attributes that are left out of answers: those that the peer's role hides, and those that each role of the user hides by which
/// the query may pass.
#[derive(Debug)]
pub struct Hidden {
    peer: Arc<Role>,
    user: Option<Vec<Arc<Role>>>,
}

impl Hidden {
    /// Whether an attribute is left out: its group and element, one behind the other.
    pub fn hides(&self, tag: u32) -> bool {
        let by_user = |roles: &Vec<Arc<Role>>| roles.iter().all(|role| role.queries.hides(tag));
        self.peer.queries.hides(tag) || self.user.as_ref().is_some_and(by_user)
    }

    fn hides_any(&self) -> bool {
        let hides = |role: &Arc<Role>| !role.queries.hide.is_empty();
        hides(&self.peer) || self.user.as_ref().is_some_and(|roles| roles.iter().all(hides))
    }
}

impl Allowed {
    /// `user` are those roles of a proven user by which the request may pass.
    pub(super) fn of(peer: &Arc<Role>, user: Option<Vec<Arc<Role>>>) -> Self {
        let most = |role: &Arc<Role>| role.queries.max_answers;
        let retrievals = |role: &Arc<Role>| role.queries.max_retrievals_per_hour;
        let patients = |role: &Arc<Role>| role.queries.max_patients_per_day;
        let of_user = |of: fn(&Arc<Role>) -> Option<NonZeroU32>| widest(user.as_deref(), of);
        let max_answers = [most(peer), of_user(most)].into_iter().flatten().min();
        let retrievals = [retrievals(peer), of_user(retrievals)];
        let patients = [patients(peer), of_user(patients)];
        let hidden = Hidden { peer: Arc::clone(peer), user };
        let hidden = hidden.hides_any().then(|| Arc::new(hidden));
        Self { hidden, max_answers, retrievals, patients }
    }
}

/// The most that one of the user's roles allows; `None` is any number.
fn widest(user: Option<&[Arc<Role>]>, of: fn(&Arc<Role>) -> Option<NonZeroU32>) -> Option<NonZeroU32> {
    let each: Option<Vec<NonZeroU32>> = user?.iter().map(of).collect();
    each?.into_iter().max()
}
