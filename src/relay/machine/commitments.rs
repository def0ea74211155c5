//! Requests for storage commitment of a peer with a scope that were granted, until their reports come (PS3.4 J.3.3).

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};

/// Instances that are remembered of one association: of what came before, the reports are not awaited any more then. 16 bytes and a
/// little for each.
const MOST: usize = 50_000;

/// Those of one association. Few ever ask, and an association that waits is small.
#[derive(Default)]
pub(crate) struct Commitments(Option<Box<Known>>);

#[derive(Default)]
struct Known {
    keys: [RandomState; 2],
    /// The latest last.
    granted: VecDeque<Granted>,
}

/// A hash with keys that nobody knows outside of the process.
type Mark = [u64; 2];

struct Granted {
    transaction: Mark,
    instances: HashSet<Mark>,
}

impl Commitments {
    /// Enters a request that is sent on.
    pub(super) fn grant(&mut self, transaction: &str, instances: &[String]) {
        self.0.get_or_insert_default().grant(transaction, instances);
    }

    /// Whether a report is about a request that was granted, and about nothing that this did not name.
    pub(super) fn has(&self, transaction: &str, instances: &[String]) -> bool {
        self.0.as_ref().is_some_and(|known| known.has(transaction, instances))
    }
}

impl Known {
    fn grant(&mut self, transaction: &str, instances: &[String]) {
        let granted = Granted {
            transaction: self.mark(transaction),
            instances: instances.iter().map(|instance| self.mark(instance)).collect(),
        };
        // The same again says anew what it is about.
        self.granted.retain(|known| known.transaction != granted.transaction);
        self.granted.push_back(granted);
        while self.granted.iter().map(|known| known.instances.len() + 1).sum::<usize>() > MOST {
            self.granted.pop_front();
        }
    }

    fn has(&self, transaction: &str, instances: &[String]) -> bool {
        let transaction = self.mark(transaction);
        let granted = self.granted.iter().find(|known| known.transaction == transaction);
        granted.is_some_and(|known| {
            instances.iter().all(|instance| known.instances.contains(&self.mark(instance)))
        })
    }

    fn mark(&self, text: &str) -> Mark {
        self.keys.each_ref().map(|key| key.hash_one(text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Commitments, MOST};

    fn named(instances: &[&str]) -> Vec<String> {
        instances.iter().map(|&instance| instance.to_owned()).collect()
    }

    #[test]
    fn a_report_says_nothing_of_what_its_request_did_not_name() {
        let mut commitments = Commitments::default();
        commitments.grant("1.1", &named(&["1.2", "1.3"]));
        commitments.grant("1.9", &named(&["1.4"]));
        assert!(commitments.has("1.1", &named(&["1.2", "1.3"])) && commitments.has("1.1", &named(&["1.3"])));
        for (transaction, instances) in [("1.1", "1.4"), ("1.9", "1.2"), ("1.8", "1.2")] {
            assert!(!commitments.has(transaction, &named(&[instances])), "{transaction} {instances}");
        }
        commitments.grant("1.1", &named(&["1.5"]));
        assert!(!commitments.has("1.1", &named(&["1.2"])) && commitments.has("1.1", &named(&["1.5"])));
    }

    #[test]
    fn what_came_first_is_forgotten_where_there_is_too_much() {
        let mut commitments = Commitments::default();
        let many: Vec<String> = (0..MOST / 2).map(|number| format!("1.2.{number}")).collect();
        ["1.1", "1.2", "1.3"].into_iter().for_each(|transaction| commitments.grant(transaction, &many));
        let has = ["1.1", "1.2", "1.3"].map(|transaction| commitments.has(transaction, &named(&["1.2.7"])));
        assert_eq!(has, [false, false, true]);
    }
}
