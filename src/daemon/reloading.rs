//! Another configuration into force: staged, and put into force as one.
//!
//! # What may be seen between
//!
//! Whatever can fail is had first. A listener may have to make room for another at its port, so that comes last of it; where it
//! fails, the listeners come back.
//!
//! Then each part follows without a wait in between: the configuration, limits, decoders, upstreams, listeners. A connection that
//! comes in these microseconds has the new configuration and may still meet one of those parts as it was:
//!
//! | part | what one connection may meet |
//! | --- | --- |
//! | limits | it is counted, and held to the numbers of before |
//! | decoders | the memory of before; what they hold for it is counted on |
//! | what waits of data sets | the same |
//! | upstreams | addresses of one that is new are not known yet, as if none had failed |
//! | listeners | one that is gone closes what it has accepted, one that is new accepts nothing yet |
//!
//! None of them lets in whom the new configuration does not: that is decided by the configuration alone, which a connection takes
//! once. Whoever was let in by the one of before is asked about again at the end.

use std::sync::Arc;

use super::{Daemon, StartError, state, told};
use crate::audit::{self, Event};
use crate::config::{self, Diagnostics, Loaded, Settings};
use crate::files::Lock;
use crate::relay::InForce;

/// Characters of a problem that whoever looks at the state of the proxy sees.
const SHOWN: usize = 300;

impl Daemon {
    /// Reads the configuration again, and puts it into force. Everything is read and checked before anything is. The digest of
    /// what is in force then.
    ///
    /// # Errors
    /// Every problem, which the log and the records tell too; everything stayed as it was.
    pub async fn read_again(&mut self, by: Option<audit::ReloadedBy>) -> Result<String, Vec<String>> {
        let path = self.settings().path.clone();
        self.take(move || config::load(&path), by).await
    }

    /// Reads the files that the configuration in force names again, and not the file of the configuration itself: somebody may
    /// be in the middle of editing that.
    ///
    /// # Errors
    /// As [`read_again`](Self::read_again).
    pub async fn read_files_again(&mut self, by: audit::ReloadedBy) -> Result<String, Vec<String>> {
        let settings = self.settings();
        self.take(move || config::load_files(&settings), Some(by)).await
    }

    async fn take(
        &mut self,
        read: impl FnOnce() -> Result<Loaded, Diagnostics> + Send + 'static,
        by: Option<audit::ReloadedBy>,
    ) -> Result<String, Vec<String>> {
        let read = tokio::task::spawn_blocking(read).await;
        let loaded = match read {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(problems)) => {
                let problems: Vec<String> = problems.to_string().lines().map(str::to_owned).collect();
                return Err(self.refuse(problems, by).await);
            }
            Err(defect) => return Err(self.refuse(vec![defect.to_string()], by).await),
        };
        for warning in &loaded.warnings {
            tracing::warn!("risk: {warning}");
        }
        let digest = loaded.settings.digest.clone();
        match self.reload(loaded, by.clone()).await {
            Ok(()) => {
                tracing::info!(configuration = %digest, "configuration reloaded");
                Ok(digest)
            }
            Err(error) => Err(self.refuse(vec![error.to_string()], by).await),
        }
    }

    /// Tells of the problems, and gives them back.
    async fn refuse(&self, problems: Vec<String>, by: Option<audit::ReloadedBy>) -> Vec<String> {
        for problem in &problems {
            tracing::error!("{problem}");
        }
        let in_force = &self.settings().digest;
        tracing::error!(configuration = %in_force, "configuration refused; the one before stays in force");
        self.record_refused(problems.clone(), by).await;
        problems
    }

    /// Puts another configuration into force, for associations that begin from now on; those that are open are asked about
    /// again, as `open-associations` of `[policy]` says.
    ///
    /// # Errors
    /// A new crosswalk cannot be opened, a new listener bound, or metrics served; everything stays as it was.
    pub async fn reload(&mut self, loaded: Loaded, by: Option<audit::ReloadedBy>) -> Result<(), StartError> {
        let Loaded { settings, warnings } = loaded;
        let settings = Arc::new(settings);
        let in_force = InForce::open(settings.clone(), Some(&self.gate.in_force.load()))?;
        let to = self.monitoring.bind(settings.metrics).await?;
        let locked = self.lock_state(&settings).await?;
        let bound = self.listeners.bind_new(&settings).await?;
        // Nothing fails from here on.
        self.state = self.state.take().or(locked);
        keep_fetched(&self.settings(), &settings);
        in_force.take_over();
        let previous = self.gate.in_force.swap(Arc::new(in_force));
        self.gate.limiter.apply(settings.limits.counts, &settings.policy);
        self.gate.decoders.apply(&settings.limits);
        self.gate.waiting.resize(settings.limits.all_held(), 0);
        self.gate.upstreams.follow(&settings);
        self.listeners.follow(&settings, bound);
        self.gate.metrics.reloaded(true);
        self.refused.send_replace(None);
        self.followed.send_replace(settings.clone());
        self.forwarding.reload(&settings.forwarding);
        self.monitoring.follow(to, &self.monitor).await;
        self.judge_again().await;
        let waiting = waiting(&self.beginning, &settings);
        for what in &waiting {
            tracing::warn!("{what} has changed since the start, and waits for a restart");
        }
        told::reloaded(&self.gate.audit, [&previous.settings, &settings], waiting, by, warnings.len()).await;
        Ok(())
    }

    /// The lock of what outlives a restart, where the first `[[issuer]]` comes. The folder is that of the start.
    async fn lock_state(&self, settings: &Arc<Settings>) -> Result<Option<Lock>, StartError> {
        match self.state {
            Some(_) => Ok(None),
            None => state::lock_soon(&self.beginning.state_directory, settings).await,
        }
    }

    /// Asks again about those who are there. It takes a moment where they are thousands.
    async fn judge_again(&self) {
        let gate = self.gate.clone();
        let judged = move || {
            // Also where nobody looks at files by themselves.
            gate.people.now(&gate.in_force.load().settings);
            gate.judge_all_again()
        };
        let lost = tokio::task::spawn_blocking(judged).await.unwrap_or(0);
        if lost > 0 {
            tracing::info!(associations = lost, "open associations end: they have lost their right");
        }
    }

    /// Records that another configuration was refused and the old one stays in force.
    pub async fn record_refused(&self, problems: Vec<String>, by: Option<audit::ReloadedBy>) {
        self.gate.metrics.reloaded(false);
        let shown = |problem: &String| problem.chars().take(SHOWN).collect::<String>().into();
        self.refused.send_replace(problems.first().map(shown));
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

/// Keys that were fetched count on, where they come from where they came from.
fn keep_fetched(before: &Settings, settings: &Settings) {
    for server in &settings.key_servers {
        before.key_servers.iter().for_each(|old| server.keys.take_over(&old.keys));
    }
}

/// What a reload leaves as it was at the start.
fn waiting(beginning: &Settings, settings: &Settings) -> Vec<&'static str> {
    let of_interface = |settings: &Settings| settings.admin.as_ref().map(|admin| admin.fingerprint.clone());
    let differs = [
        ("[admin]", of_interface(beginning) != of_interface(settings)),
        ("[audit]", beginning.audit_fingerprint != settings.audit_fingerprint),
        ("[log] format", beginning.log.format != settings.log.format),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect()
}
