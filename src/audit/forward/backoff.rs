//! How long to wait before a repository is tried again.

use aws_lc_rs::rand;
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Doubles with each failure up to a minute; drawn from the upper half of that, so that many senders do not come at once.
pub(super) fn pause(failures: u32) -> Duration {
    let mut random = [0; 4];
    // Without randomness all wait for the longer time.
    let drawn = rand::fill(&mut random).map_or(u32::MAX, |()| u32::from_le_bytes(random));
    pause_by(failures, drawn)
}

fn pause_by(failures: u32, drawn: u32) -> Duration {
    let whole = FIRST.saturating_mul(1 << failures.saturating_sub(1).min(16)).min(LONGEST);
    let half = whole / 2;
    half + half.mul_f64(f64::from(drawn) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::{Duration, LONGEST, pause, pause_by};

    #[test]
    fn it_doubles_up_to_a_minute_and_varies_by_half() {
        assert_eq!(pause_by(1, u32::MAX), Duration::from_millis(500));
        assert_eq!(pause_by(2, u32::MAX), Duration::from_secs(1));
        assert_eq!(pause_by(2, 0), Duration::from_millis(500));
        for failures in [8, 40, u32::MAX] {
            assert_eq!(pause_by(failures, u32::MAX), LONGEST);
            assert!((LONGEST / 2..=LONGEST).contains(&pause(failures)));
        }
    }
}
