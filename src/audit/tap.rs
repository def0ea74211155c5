//! Records as they are written, for those who look on while they come.

use std::sync::Arc;

use tokio::sync::broadcast;

/// Lines that one who looks on may be behind.
const BEHIND: usize = 1024;

/// Hands lines on that are in a file, to whoever looks on. Without anybody it costs one look.
#[derive(Clone, Debug)]
pub(super) struct Tap(broadcast::Sender<Arc<str>>);

/// Gets every record once it is written, for whoever follows the trail while it grows.
#[derive(Debug)]
pub struct Following(broadcast::Receiver<Arc<str>>);

/// A record, or that some were missed by a follower that was too slow; the writer waits for nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// A record, as it stands in the file, without its line end.
    Line(Arc<str>),
    /// So many were lost, because they were not taken in time.
    Lost(u64),
}

impl Tap {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(BEHIND))
    }

    pub(super) fn follow(&self) -> Following {
        Following(self.0.subscribe())
    }

    /// Whole lines that have been written.
    pub(super) fn written(&self, lines: &[u8]) {
        if self.0.receiver_count() == 0 {
            return;
        }
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            // Whoever left in this moment misses nothing.
            let _ = self.0.send(String::from_utf8_lossy(line).into());
        }
    }
}

impl Following {
    /// The next one. `None` once the trail has ended.
    pub async fn next(&mut self) -> Option<Followed> {
        match self.0.recv().await {
            Ok(line) => Some(Followed::Line(line)),
            Err(broadcast::error::RecvError::Lagged(lost)) => Some(Followed::Lost(lost)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BEHIND, Followed, Tap};

    #[tokio::test]
    async fn who_looks_on_gets_each_line_and_who_is_slow_is_told_how_many_are_lost() {
        let tap = Tap::new();
        tap.written(b"before\n");
        let mut following = tap.follow();
        tap.written(b"one\ntwo\n");
        for line in ["one", "two"] {
            assert_eq!(following.next().await, Some(Followed::Line(line.into())));
        }
        (0..BEHIND + 3).for_each(|number| tap.written(format!("{number}\n").as_bytes()));
        assert_eq!(following.next().await, Some(Followed::Lost(3)));
        assert_eq!(following.next().await, Some(Followed::Line("3".into())));
        drop(tap);
        while let Some(followed) = following.next().await {
            assert!(matches!(followed, Followed::Line(_)));
        }
    }
}
