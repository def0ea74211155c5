//! The operational log on standard error.

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, reload};

use crate::config::{Log, LogFormat};

/// The log, whose level can be changed while it runs; its format cannot.
pub(super) struct Logging {
    filter: reload::Handle<EnvFilter, Registry>,
}

impl Logging {
    pub(super) fn start(log: &Log) -> Self {
        let (filter, handle) = reload::Layer::new(filter(log));
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(colour)
            // It would complain on standard error that standard error cannot be written, and panic over that.
            .log_internal_errors(false);
        let lines = match log.format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        // A second subscriber, as in tests, is no reason to stop.
        let _ = Registry::default().with(filter).with(lines).try_init();
        Self { filter: handle }
    }

    /// Puts another level into force.
    pub(super) fn apply(&self, log: &Log) {
        // It fails where there is no subscriber to change.
        let _ = self.filter.reload(filter(log));
    }
}

fn filter(log: &Log) -> EnvFilter {
    EnvFilter::try_new(&log.level).unwrap_or_default()
}
