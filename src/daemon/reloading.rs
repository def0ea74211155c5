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

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use super::monitoring::Move;
use super::site::{Ready, Site, Trail, places};
use super::starting::{Listening, wanted};
use super::{Daemon, StartError, state, told};
use crate::audit::{self, Event};
use crate::config::{self, Diagnostics, Loaded, Settings, TenantSettings};
use crate::files::Lock;
use crate::relay::{Bound, Gate, InForce};

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
        let is_with_tenants = |tenants: usize, settings: &Settings| tenants > 0 || settings.is_of_a_machine;
        if is_with_tenants(loaded.tenants.len(), &loaded.settings)
            != is_with_tenants(self.tenants.len(), &self.settings())
        {
            return Err(StartError::Tenants);
        }
        let mut staged = Staged::new(self, loaded).await?;
        match self.bind(&staged).await {
            Ok((bound, to)) => self.commit(staged, bound, to, by).await,
            Err(error) => {
                staged.give_up(&error.to_string()).await;
                return Err(error);
            }
        }
        Ok(())
    }

    /// What may have to make room for another comes last of what can fail.
    async fn bind(&mut self, staged: &Staged) -> Result<(Vec<Bound>, Move), StartError> {
        let to = self.monitoring.bind(staged.machine.settings.metrics).await?;
        let bound = self.listeners.bind_new(&wanted(&staged.listening(self))).await?;
        Ok((bound, to))
    }

    /// Puts everything into force. Nothing fails from here on, and nothing is left half done where nobody waits for the end of it:
    /// all of it comes before the first wait, and no tenant's disk is waited for.
    async fn commit(&mut self, staged: Staged, bound: Vec<Bound>, to: Move, by: Option<audit::ReloadedBy>) {
        let listening = staged.listening(self);
        let Staged { machine, others, new } = staged;
        let listen = wanted(&listening);
        let settings = machine.settings.clone();
        let gone: Vec<Arc<str>> =
            self.tenants.keys().filter(|name| !others.contains_key(*name)).cloned().collect();
        let left: Vec<Site> = gone.iter().filter_map(|name| self.tenants.remove(name)).collect();
        let mut reloaded = BTreeMap::new();
        // Whoever is handed on has to find there what it was handed on by.
        for (name, change) in others {
            if let Some(site) = self.tenants.get_mut(&name) {
                let previous = site.put_into_force(change);
                reloaded.insert(name, previous);
            }
        }
        for (trail, ready) in new {
            let places = places(&ready.gate, &trail.settings, &settings, &bound);
            let name = trail.settings.tenant.clone();
            let begun = ready.tell(&trail, places);
            let site = Site::run(trail, ready);
            site.in_turn.take_first(begun);
            self.tenants.extend(name.zip(Some(site)));
        }
        let gates = self.tenants.iter().map(|(name, site)| (name.clone(), site.gate.clone())).collect();
        self.machine.gate.tenants.store(Arc::new(gates));
        let previous = self.machine.put_into_force(machine);
        self.listeners.follow(&listen, bound);
        self.refused.send_replace(None);
        self.leaving.retain(|leaving| !leaving.is_finished());
        for site in left {
            self.leaving.push(tokio::spawn(site.leave(self.began)));
        }
        self.machine.tell_reloaded(previous, by.clone());
        for (name, previous) in reloaded {
            if let Some(site) = self.tenants.get(&name) {
                site.tell_reloaded(previous, by.clone());
            }
        }
        self.monitoring.follow(to, &self.monitor).await;
        self.machine.in_turn.done().await;
    }

    /// Records that another configuration was refused and the old one stays in force.
    pub async fn record_refused(&self, problems: Vec<String>, by: Option<audit::ReloadedBy>) {
        self.machine.gate.metrics.reloaded(false);
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
        let (file, by) = (refused.file.clone(), refused.by.clone());
        self.machine.tell_refused(refused);
        for site in self.tenants.values() {
            let settings = site.settings();
            let by = by.clone().map(|by| own(by, [&settings, &settings]));
            let (file, configuration) = (file.clone(), Some(settings.digest.clone()));
            site.tell_refused(audit::ConfigurationRefused {
                file,
                configuration,
                errors: 0,
                problems: Vec::new(),
                by,
            });
        }
        self.machine.in_turn.done().await;
    }
}

/// Of the files that have changed, those that one tenant names.
fn own(by: audit::ReloadedBy, of: [&Settings; 2]) -> audit::ReloadedBy {
    let named: Vec<String> =
        of.iter().flat_map(|one| one.watched.keys()).map(|file| file.display().to_string()).collect();
    let watched_files = by.watched_files.into_iter().filter(|file| named.contains(file)).collect();
    audit::ReloadedBy { watched_files, ..by }
}

impl Site {
    /// Puts other settings into force. What was before, and how much is risky now.
    fn put_into_force(&mut self, change: Change) -> (Arc<Settings>, usize) {
        let Change { settings, in_force, locked, risks } = change;
        self.state = self.state.take().or(locked);
        keep_fetched(&self.settings(), &settings);
        in_force.take_over();
        let previous = self.gate.in_force.swap(Arc::new(in_force));
        self.gate.limiter.apply(settings.limits.counts, &settings.policy);
        self.gate.slots.follow(&settings);
        self.gate.decoders.apply(&settings.limits);
        self.gate.waiting.resize(settings.limits.all_held(), 0);
        self.gate.upstreams.follow(&settings);
        self.gate.metrics.reloaded(true);
        self.followed.send_replace(settings.clone());
        self.forwarding.reload(&settings.forwarding);
        (previous.settings.clone(), risks)
    }

    /// Asks again about those who are there, and records what came into force, in its turn.
    fn tell_reloaded(&self, (previous, risks): (Arc<Settings>, usize), by: Option<audit::ReloadedBy>) {
        let (gate, settings) = (self.gate.clone(), self.settings());
        let waiting = waiting(&self.beginning, &settings);
        for what in &waiting {
            tracing::warn!("{what} has changed since the start, and waits for a restart");
        }
        let by = by.map(|by| own(by, [&previous, &settings]));
        let judged = tokio::spawn(judge_again(gate.clone()));
        self.in_turn.take(async move {
            // Where it panicked, that was told.
            let _ = judged.await;
            told::reloaded(&gate.audit, [&previous, &settings], waiting, by, risks).await;
        });
    }

    fn tell_refused(&self, refused: audit::ConfigurationRefused) {
        let gate = self.gate.clone();
        self.in_turn.take(async move { gate.audit.record(Event::ConfigurationRefused(refused)).await });
    }
}

/// Other settings for a site that runs, with what they need open.
struct Change {
    settings: Arc<Settings>,
    in_force: InForce,
    locked: Option<Lock>,
    risks: usize,
}

impl Change {
    async fn new(site: &Site, settings: Arc<Settings>, risks: usize) -> Result<Self, StartError> {
        let in_force = InForce::open(settings.clone(), Some(&site.gate.in_force.load()))?;
        // Where the first [[issuer]] comes. The folder is that of the start.
        let locked = match site.state {
            Some(_) => None,
            None => state::lock_soon(&site.beginning.state_directory, &settings).await?,
        };
        Ok(Self { settings, in_force, locked, risks })
    }
}

/// All that a configuration needs, had before any of it is in force.
struct Staged {
    machine: Change,
    /// Of tenants that are there already, by name; and the names of those that come.
    others: BTreeMap<Arc<str>, Change>,
    new: Vec<(Trail, Ready)>,
}

impl Staged {
    async fn new(daemon: &Daemon, loaded: Loaded) -> Result<Self, StartError> {
        let Loaded { settings, tenants, warnings } = loaded;
        let of_tenants: usize = tenants.iter().map(|tenant| tenant.risks).sum();
        let risks = warnings.len().saturating_sub(of_tenants);
        let machine = Change::new(&daemon.machine, Arc::new(settings), risks).await?;
        let mut staged = Self { machine, others: BTreeMap::new(), new: Vec::new() };
        for tenant in tenants {
            if let Err(error) = staged.add(daemon, tenant).await {
                staged.give_up(&error.to_string()).await;
                return Err(error);
            }
        }
        Ok(staged)
    }

    async fn add(&mut self, daemon: &Daemon, tenant: TenantSettings) -> Result<(), StartError> {
        let TenantSettings { settings, risks } = tenant;
        let Some(name) = settings.tenant.clone() else { return Ok(()) };
        match daemon.tenants.get(&name) {
            Some(site) => {
                self.others.insert(name, Change::new(site, settings, risks).await?);
            }
            None => {
                // It makes folders and reads the end of the trail.
                let begun = tokio::task::spawn_blocking(move || Trail::begin(settings, risks)).await;
                let trail =
                    begun.map_err(|defect| StartError::Forwarding(std::io::Error::other(defect)))??;
                match Ready::new(&trail).await {
                    Ok(ready) => self.new.push((trail, ready)),
                    Err(error) => {
                        trail.give_up(daemon.began, &error.to_string()).await;
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// What all gates listen for then.
    fn listening(&self, daemon: &Daemon) -> Vec<Listening> {
        let machine = (daemon.machine.gate.clone(), self.machine.settings.clone());
        let others = self.others.iter().filter_map(|(name, change)| {
            Some((daemon.tenants.get(name)?.gate.clone(), change.settings.clone()))
        });
        let new = self.new.iter().map(|(trail, ready)| (ready.gate.clone(), trail.settings.clone()));
        [machine].into_iter().chain(others).chain(new).collect()
    }

    /// The trails that were begun for it end in good order.
    async fn give_up(&mut self, why: &str) {
        for (trail, ready) in self.new.drain(..) {
            drop(ready);
            trail.give_up(Instant::now(), why).await;
        }
    }
}

/// Asks again about those who are there. It takes a moment where they are thousands.
async fn judge_again(gate: Arc<Gate>) {
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::future::{pending, ready};
    use std::path::Path;
    use std::time::Duration;

    use crate::audit::AuditError;
    use crate::config::{self, Loaded};
    use crate::daemon::{Daemon, StartError};
    use crate::scratch::Scratch;

    /// Tenants that let nobody in, each with the folder of its trail.
    fn tenants(home: &Path, all: &[(&str, &str)]) -> Loaded {
        let tenant = |(name, folder): &(&str, &str)| {
            format!(
                "[[tenant]]\nname = \"{name}\"\nshare = 0.3\n[tenant.audit]\ndirectory = \"{folder}\"\n\
                 [[listener]]\nname = \"l\"\ntenant = \"{name}\"\naddress = \"127.0.0.1:0\"\nupstream = \"u\"\n\
                 [[upstream]]\nname = \"u\"\ntenant = \"{name}\"\naddresses = [\"127.0.0.1:1\"]\n\
                 [[role]]\nname = \"r\"\ntenant = \"{name}\"\noperations = [\"C-ECHO\"]\nsop-classes = [\"all\"]\n\
                 [[peer]]\nname = \"p\"\ntenant = \"{name}\"\nnetworks = [\"192.0.2.1\"]\ncalling-ae-titles = [\"A\"]\nrole = \"r\"\n"
            )
        };
        let own = "relative-to = \"file\"\n[audit]\ndirectory = \"machine\"\n".to_owned();
        fs::write(home.join("dimsegate.toml"), own + &all.iter().map(tenant).collect::<String>()).unwrap();
        config::load(&home.join("dimsegate.toml")).unwrap()
    }

    fn last(home: &Path, folder: &str) -> serde_json::Value {
        let files = fs::read_dir(home.join(folder)).unwrap().map(|entry| entry.unwrap().path());
        let day = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl")).max().unwrap();
        serde_json::from_str(fs::read_to_string(day).unwrap().lines().last().unwrap()).unwrap()
    }

    #[tokio::test]
    async fn the_trail_of_a_tenant_that_goes_ends_behind_whatever_may_record_in_its_name() {
        let home = Scratch::new();
        let both = tenants(home.path(), &[("goes", "a"), ("stays", "b")]);
        let mut daemon = Daemon::start(both, pending()).await.unwrap().unwrap();
        let of = |daemon: &Daemon| {
            let all = daemon.tenants().into_iter();
            all.map(|(settings, handle, _)| (settings.tenant.clone(), handle)).next().unwrap().1
        };
        let interface = of(&daemon);
        daemon.reload(tenants(home.path(), &[("stays", "b")]), None).await.unwrap();
        // As long as somebody may be administering it, it does not end.
        let leaving = &mut daemon.leaving[0];
        assert!(tokio::time::timeout(Duration::from_millis(300), &mut *leaving).await.is_err());
        assert_ne!(last(home.path(), "a")["event"], "stopped");
        drop(interface);
        leaving.await.unwrap();
        daemon.leaving.clear();
        assert_eq!(last(home.path(), "a")["event"], "stopped");
        daemon.stop("the test ended", ready(())).await;
        assert_eq!(last(home.path(), "b")["reason"], "the test ended");
    }

    #[tokio::test]
    async fn a_tenant_by_another_name_does_not_go_on_with_the_trail_of_the_one_before() {
        let home = Scratch::new();
        let first = tenants(home.path(), &[("one", "a"), ("two", "b")]);
        let mut daemon = Daemon::start(first, pending()).await.unwrap().unwrap();
        let renamed = || tenants(home.path(), &[("uno", "a"), ("two", "b")]);
        let refused = daemon.reload(renamed(), None).await.unwrap_err().to_string();
        assert!(
            refused.contains("that is this process itself") && refused.contains("a directory of its own"),
            "{refused}"
        );
        daemon.stop("the test ended", ready(())).await;
        let refused = Daemon::start(renamed(), pending()).await.err().expect("another's trail");
        assert!(matches!(refused, StartError::Audit(AuditError::OfAnother { .. })), "{refused}");
        let again = tenants(home.path(), &[("one", "a"), ("two", "b")]);
        Daemon::start(again, pending()).await.unwrap().unwrap().stop("the test ended", ready(())).await;
    }

    /// Whoever waits for a reload may go away while it is under way, as where the proxy is told to stop.
    #[tokio::test]
    async fn a_reload_that_nobody_waits_for_any_more_leaves_nothing_half_done() {
        let home = Scratch::new();
        let both = tenants(home.path(), &[("goes", "a"), ("stays", "b")]);
        let mut daemon = Daemon::start(both, pending()).await.unwrap().unwrap();
        // It is in force, and the machine's record is what it waits for.
        daemon.machine.in_turn.take(pending());
        let next = tenants(home.path(), &[("stays", "b"), ("comes", "c")]);
        let mut in_force = daemon.handle().changes();
        tokio::select! {
            biased;
            _ = daemon.reload(next, None) => panic!("it waits for the machine's record"),
            changed = in_force.changed() => changed.unwrap(),
        }
        assert_eq!(daemon.tenants.keys().map(|name| &**name).collect::<Vec<_>>(), ["comes", "stays"]);
        for leaving in daemon.leaving.drain(..) {
            leaving.await.unwrap();
        }
        assert_eq!(last(home.path(), "a")["event"], "stopped");
        let stays = &daemon.tenants["stays"];
        stays.in_turn.done().await;
        assert_eq!(last(home.path(), "c")["tenant"], "comes");
    }
}
