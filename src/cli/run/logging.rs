//! The operational log on standard error, which never holds up what it is about.
//!
//! Lines go through a bounded queue to a thread of their own: where nobody reads standard error (a pipe whose reader
//! stopped, a terminal that is held), only that thread waits. What finds no room is lost, counted, and said.

use std::convert::Infallible;
use std::io::IsTerminal;
use std::time::Duration;
use std::{panic, thread};

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

/// Has a panic say in the log where it was, and nothing else, anywhere: what it says may hold what came from a peer, and nobody may
/// read standard error. It is a defect, or a decoder of somebody else's that met what it cannot read.
pub(super) fn tell_of_panics() {
    panic::set_hook(Box::new(|panicked| {
        let place = panicked.location().map(ToString::to_string);
        let current = thread::current();
        tracing::error!(
            place = place.as_deref().unwrap_or("unknown"),
            thread = current.name().unwrap_or("unnamed"),
            "the code gave up here; what it was doing has failed, and the rest goes on"
        );
    }));
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
    use super::{Logging, checked, tell_of_panics};
    use crate::config::{Log, LogFormat};
    use std::process::Command;
    use std::{env, panic, thread};

    /// Says to the test below that it is the process whose log is looked at.
    const PANICS: &str = "DIMSEGATE_TEST_PANICS";

    /// In a process of its own, since the hook is that of all threads.
    #[test]
    fn a_panic_says_in_the_log_where_it_was_and_never_what_it_says() {
        if env::var_os(PANICS).is_some() {
            let log = Logging::start(&Log { level: "info".into(), format: LogFormat::Text });
            tell_of_panics();
            let panicking = thread::Builder::new().name("decoding".into()).spawn(|| panic!("DOE^{}", "JANE"));
            panicking.unwrap().join().unwrap_err();
            panic::catch_unwind(|| panic!("seven quiet herons")).unwrap_err();
            return drop(log);
        }
        let name = thread::current().name().unwrap().to_owned();
        let mut command = Command::new(env::current_exe().unwrap());
        let output = command.args(["--exact", &name, "--nocapture"]).env(PANICS, "1").output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        let lines: Vec<&str> = log.lines().filter(|line| line.contains("the code gave up here")).collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.contains("ERROR")), "{log}");
        assert!(lines.iter().all(|line| line.contains("run/logging.rs:")), "{log}");
        assert!(lines[0].contains("decoding"), "{log}");
        assert!(!log.contains("JANE") && !log.contains("herons") && !log.contains("panicked at"), "{log}");
    }

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
