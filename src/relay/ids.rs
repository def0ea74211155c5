//! Ids of associations: what ties records and log together.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// `<run>-<count>`, both in hexadecimal: 64 random bits of this run, and how many connections it has had.
///
/// Records of many runs, and of several proxies, lie in one trail. A time in place of the random bits would repeat where
/// two runs begin within one tick, or where a clock was put back.
#[derive(Debug)]
pub(super) struct Ids {
    run: u64,
    next: AtomicU64,
}

impl Ids {
    pub(super) fn new() -> Self {
        // The hasher's keys are random for each process; they need not be secret here, and cannot fail to be had.
        Self { run: RandomState::new().hash_one(0), next: AtomicU64::new(1) }
    }

    /// An id that no other connection has, of this run or of any other.
    pub(super) fn next(&self) -> Arc<str> {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{count:x}", self.run).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_a_run_are_counted_behind_its_random_bits() {
        let ids = Ids::new();
        let (one, other) = (ids.next(), ids.next());
        let (run, count) = one.split_once('-').unwrap();
        assert!(run.len() == 16 && run.bytes().all(|byte| byte.is_ascii_hexdigit()), "{one}");
        assert_eq!((count, &*other), ("1", &*format!("{run}-2")));
    }

    #[test]
    fn runs_that_begin_at_the_same_moment_share_no_id() {
        let first: std::collections::BTreeSet<_> = (0..1000).map(|_| Ids::new().next()).collect();
        assert_eq!(first.len(), 1000);
    }
}
