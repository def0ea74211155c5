//! How fast, and how patient.

use std::time::Duration;

/// How fast records are sent on, and how patiently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Between two looks at the trail when there was nothing new.
    pub poll: Duration,
    /// For a connection, a request, a write, the end of a stream.
    pub patience: Duration,
    /// How long TCP lets anything stay unacknowledged.
    pub unacknowledged: Duration,
    /// At most so long after its first message a stream is ended.
    pub stream: Duration,
    /// At most about so many bytes go over one stream: it ends with the record that reaches them.
    pub stream_bytes: u64,
    /// How long a stream waits for more.
    pub lull: Duration,
    /// How soon after the end of a stream that of TCP alone is an answer to it.
    pub bare_end: Duration,
    /// Between two datagrams, or as many as have a turn.
    pub between_datagrams: Duration,
    /// Between two stored cursors while each message is confirmed.
    pub between_cursors: Duration,
    /// A record that is older and not delivered is an alert.
    pub alarm: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(250),
            patience: Duration::from_secs(10),
            unacknowledged: Duration::from_secs(20),
            stream: Duration::from_secs(5),
            stream_bytes: 1024 * 1024,
            lull: Duration::from_secs(1),
            bare_end: Duration::from_secs(3),
            between_datagrams: Duration::from_millis(4),
            between_cursors: Duration::from_millis(50),
            alarm: Duration::from_secs(10 * 60),
        }
    }
}

/// What one stream may carry: a quarter of what one carried that broke, down to one record, so that wherever one arrives
/// things go on; a quarter more after each that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Budget {
    most: (Duration, u64),
    pub time: Duration,
    pub bytes: u64,
}

impl Budget {
    pub(super) fn new(pace: &Pace) -> Self {
        Self { most: (pace.stream, pace.stream_bytes), time: pace.stream, bytes: pace.stream_bytes }
    }

    pub(super) fn broke(&mut self, after: Duration, bytes: u64) {
        self.time = self.time.min(after) / 4;
        self.bytes = self.bytes.min(bytes) / 4;
    }

    pub(super) fn arrived(&mut self) {
        let (most, bytes) = (self.most.1, self.bytes);
        self.bytes = bytes.saturating_add(bytes / 4).saturating_add(most / 256).min(most);
        self.time = (self.time + self.time / 4 + self.most.0 / 256).min(self.most.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Duration, Pace};

    #[test]
    fn a_stream_that_breaks_makes_the_next_ones_shorter_until_they_arrive() {
        let pace = Pace::default();
        let mut budget = Budget::new(&pace);
        for _ in 0..4 {
            budget.broke(Duration::from_secs(2), 3000);
        }
        assert!(budget.bytes < 100 && budget.time < Duration::from_millis(20), "{budget:?}");
        let least = budget;
        for _ in 0..100 {
            budget.arrived();
        }
        assert_ne!(least, budget);
        assert_eq!(budget, Budget::new(&pace));
    }
}
