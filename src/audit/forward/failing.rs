//! What fails again and again: told when it begins, and then once a minute.

use std::time::Duration;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Whether something fails, and how often since that was last told.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    told: Option<Instant>,
    times: u64,
}

impl Failing {
    /// It failed. Gives how often since it was last told, where it is to be told.
    pub(crate) fn again(&mut self, now: Instant) -> Option<u64> {
        self.times = self.times.saturating_add(1);
        let is_time = self.told.is_none_or(|told| now.duration_since(told) >= MINUTE);
        is_time.then(|| {
            self.told = Some(now);
            std::mem::take(&mut self.times)
        })
    }

    /// It succeeded. Gives whether it had failed.
    pub(crate) fn over(&mut self) -> bool {
        std::mem::take(self).told.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{Failing, MINUTE};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn what_goes_on_failing_is_told_at_first_and_then_once_a_minute() {
        let (mut failing, start) = (Failing::default(), Instant::now());
        let at = |quarters: u32| start + Duration::from_millis(250) * quarters;
        assert!(!failing.over());
        let told: Vec<_> = (0..481).filter_map(|quarter| failing.again(at(quarter))).collect();
        assert_eq!(told, [1, 240, 240]);
        assert!(failing.over() && !failing.over());
        assert_eq!(failing.again(at(481)), Some(1), "it begins again");
        assert_eq!(failing.again(at(481) + MINUTE), Some(1));
    }
}
