//! Another configuration into force: staged, and put into force as one.

use std::sync::Arc;

use super::{Daemon, StartError, told};
use crate::audit::{self, Event};
use crate::config::{Loaded, Settings};
use crate::relay::InForce;

impl Daemon {
    /// Puts another configuration into force for associations that begin from now on.
    ///
    /// # Errors
    /// A new crosswalk cannot be opened, or a new listener bound; everything stays as it was.
    pub async fn reload(&mut self, loaded: Loaded, by: Option<audit::ReloadedBy>) -> Result<(), StartError> {
        let Loaded { settings, warnings } = loaded;
        let settings = Arc::new(settings);
        let in_force = InForce::open(settings.clone(), Some(&self.gate.in_force.load()))?;
        let bound = self.listeners.bind_new(&settings).await?;
        let previous = self.gate.in_force.swap(Arc::new(in_force));
        self.gate.limiter.apply(settings.limits.counts, &settings.policy);
        self.gate.decoders.apply(&settings.limits);
        self.listeners.follow(&settings, bound);
        self.followed.send_replace(settings.clone());
        self.forwarding.reload(&settings.forwarding);
        let waiting = waiting(&self.beginning, &settings);
        for what in &waiting {
            tracing::warn!("{what} has changed since the start, and waits for a restart");
        }
        told::reloaded(&self.gate.audit, [&previous.settings, &settings], waiting, by, warnings.len()).await;
        Ok(())
    }

    /// Records that another configuration was refused and the old one stays in force.
    pub async fn record_refused(&self, problems: Vec<String>, by: Option<audit::ReloadedBy>) {
        let settings = self.settings();
        let refused = audit::ConfigurationRefused {
            file: settings.path.display().to_string(),
            configuration: Some(settings.digest.clone()),
            errors: problems.len(),
            problems,
            by,
        };
        self.gate.audit.record(Event::ConfigurationRefused(refused)).await;
    }
}

/// What a reload leaves as it was at the start.
fn waiting(beginning: &Settings, settings: &Settings) -> Vec<&'static str> {
    let differs = [
        ("[audit]", beginning.audit_fingerprint != settings.audit_fingerprint),
        ("[log] format", beginning.log.format != settings.log.format),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
