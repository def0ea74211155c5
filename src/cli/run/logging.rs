//! The operational log on standard error, which never holds up what it is about.
//!
//! Lines go through a bounded queue to a thread of their own: where nobody reads standard error (a pipe whose reader
//! stopped, a terminal that is held), only that thread waits. What finds no room is lost, counted, and said.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;

use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::{self, Log, LogFormat};

/// Lines that wait for a reader, of some hundred bytes each as a rule.
const WAITING: usize = 1024;

/// How often it is looked whether lines were lost.
const LOOK: Duration = Duration::from_secs(5);

/// The log, whose level can be changed while it runs; its format cannot. Dropped, it writes what still waits, for about
/// a second at the most.
pub(super) struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
    lost: ErrorCounter,
    _writes: WorkerGuard,
}

impl Logging {
    pub(super) fn start(log: &Log) -> Self {
        let queue =
            NonBlockingBuilder::default().buffered_lines_limit(WAITING).lossy(true).thread_name("log");
        let (writer, writes) = queue.finish(std::io::stderr());
        let lost = writer.error_counter();
        let (filter, handle) = reload::Layer::new(filter(log));
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(writer)
            .with_ansi(colour)
            // It would complain on standard error that standard error cannot be written, and panic over that.
            .log_internal_errors(false);
        let lines = match log.format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        // A second subscriber, as in tests, is no reason to stop.
        let _ = Registry::default().with(filter).with(lines).try_init();
        Self { filter: handle, lost, _writes: writes }
    }

    /// Puts another level into force.
    pub(super) fn apply(&self, log: &Log) {
        // It fails where there is no subscriber to change.
        let _ = self.filter.reload(filter(log));
    }

    /// Puts another level into force, until the configuration is read again.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn set(&self, level: &str) -> Result<(), String> {
        self.filter.reload(checked(level)?).map_err(|error| error.to_string())
    }

    /// Says how many lines were lost whenever some more were, for as long as it is awaited. A line that says so can itself
    /// be lost, which is one more, and said the next time.
    pub(super) async fn tell_what_is_lost(&self) -> Infallible {
        let mut told = 0;
        loop {
            tokio::time::sleep(LOOK).await;
            let lost = self.lost.dropped_lines();
            if lost > told {
                told = lost;
                tracing::warn!(
                    lost,
                    "lines of this log were lost since the start, because nobody read them in time"
                );
            }
        }
    }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::try_new(&log.level).unwrap_or_default()
}

/// A word that is no level would be the name of a target, and nothing else logged any more.
fn checked(level: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(config::log_level(level)?).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn a_level_is_checked_as_that_of_the_configuration_is() {
        for level in ["debug", "off", "info,dimsegate::relay=debug"] {
            assert!(checked(level).is_ok(), "{level}");
        }
        for level in ["nonsense", "", "info,dimsegate=lots"] {
            let problem = checked(level).unwrap_err();
            assert!(
                problem.starts_with(&format!("{level:?} is not a level; write error, warn,")),
                "{problem}"
            );
        }
    }
}
