//! What the process records of itself when it begins, and when another configuration comes into force.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::audit::{self, Audit, Event};
use crate::config::Settings;

/// Files that a record lists.
const LISTED: usize = 200;

/// That the process runs, and where it listens.
pub(super) async fn started(audit: &Audit, settings: &Settings, listeners: &[(String, SocketAddr)]) {
    let started = audit::Started {
        version: env!("CARGO_PKG_VERSION").into(),
        process_id: std::process::id(),
        configuration: settings.digest.clone(),
        listeners: listeners
            .iter()
            .map(|(name, address)| audit::StartedListener { name: name.clone(), address: *address })
            .collect(),
        recovered: false,
    };
    audit.record(Event::Started(started)).await;
}

/// That the first configuration is in force.
pub(super) async fn loaded(audit: &Audit, settings: &Settings, warnings: usize) {
    audit.record(Event::ConfigurationLoaded(record(settings, warnings))).await;
}

/// That another configuration is in force, what changed with it, and by whom.
pub(super) async fn reloaded(
    audit: &Audit,
    [previous, settings]: [&Settings; 2],
    waiting: Vec<&'static str>,
    by: Option<audit::ReloadedBy>,
    warnings: usize,
) {
    let loaded = audit::ConfigurationLoaded {
        previous: Some(previous.digest.clone()),
        changed: Some(changed(previous, settings)),
        waits_for_restart: waiting.into_iter().map(Into::into).collect(),
        by,
        changed_keys: settings.keys.changes_since(&previous.keys),
        ..record(settings, warnings)
    };
    audit.record(Event::ConfigurationLoaded(loaded)).await;
}

fn record(settings: &Settings, warnings: usize) -> audit::ConfigurationLoaded {
    let used = settings.files.iter().take(LISTED);
    let used =
        used.map(|one| audit::UsedFile { file: one.file.display().to_string(), sha256: one.sha256.clone() });
    audit::ConfigurationLoaded {
        file: settings.path.display().to_string(),
        configuration: settings.digest.clone(),
        previous: None,
        file_sha256: settings.file_digest.clone(),
        certificates: used.collect(),
        changed: None,
        waits_for_restart: Vec::new(),
        warnings,
        by: None,
        changed_keys: Default::default(),
    }
}

/// The files that differ between two configurations, those that only one of them has included.
fn changed(before: &Settings, after: &Settings) -> Vec<String> {
    let all = |settings: &Settings| {
        let own = (settings.path.clone(), settings.file_digest.clone());
        let others = settings.files.iter().map(|one| (one.file.clone(), one.sha256.clone()));
        std::iter::once(own).chain(others).collect::<BTreeSet<_>>()
    };
    let (before, after) = (all(before), all(after));
    let files: BTreeSet<_> = before.symmetric_difference(&after).map(|(file, _)| file).collect();
    files.into_iter().take(LISTED).map(|file| file.display().to_string()).collect()
}
