//! What checks look at.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use super::finding::Place;
use super::recorded::Recorded;
use crate::config::{ListenerSettings, Places, Settings, UpstreamSettings};

/// Everything that a check may look at. None of them opens anything.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The configuration.
    pub settings: &'a Settings,
    /// Where its keys stand.
    pub places: Places,
    /// What the records of the period hold.
    pub recorded: Recorded,
    /// What became of the trail as a whole.
    pub trail: Trail,
    /// Files of keys that others than their owner may read.
    pub loose_keys: Vec<PathBuf>,
    /// Crosswalks whose key lies beside them.
    pub keys_beside: Vec<String>,
    /// When the report is made.
    pub now: OffsetDateTime,
}

/// What was found when the trail was verified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trail {
    /// Places where it does not hold.
    pub breaks: u64,
    /// Stretches that nobody had signed in their time.
    pub unsigned: u64,
    /// The last record with a good signature.
    pub signed_up_to: Option<u64>,
    /// Files that could not be looked into.
    pub unread: u64,
}

impl Facts<'_> {
    pub(super) fn place(&self, key: impl Into<String>) -> Place {
        let key = key.into();
        Place { line: self.places.line_of(&key), key }
    }

    pub(super) fn of_listener(&self, listener: &ListenerSettings, key: &str) -> Place {
        self.place(format!("listener \"{}\"{key}", listener.name))
    }

    pub(super) fn of_upstream(&self, upstream: &UpstreamSettings, key: &str) -> Place {
        self.place(format!("upstream \"{}\"{key}", upstream.name))
    }

    pub(super) fn of_peer(&self, peer: &crate::policy::Peer, key: &str) -> Place {
        self.place(format!("peer \"{}\"{key}", peer.name))
    }
}

/// Files of private keys, passphrases and users that somebody other than their owner may read, as their modes say now, and those
/// that cannot be looked at. Files of other secrets that are so are refused when the configuration is read.
pub fn loose_keys(settings: &Settings) -> Vec<PathBuf> {
    let people = settings.users.iter().map(|users| &users.file);
    let crosswalks = settings.crosswalks.values().map(|one| &one.key_file);
    let mut all: Vec<PathBuf> =
        settings.private_keys.iter().chain(people).chain(crosswalks).cloned().collect();
    all.sort();
    all.dedup();
    let is_tight = |file: &PathBuf| {
        std::fs::metadata(file).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 == 0)
    };
    all.retain(|file| !is_tight(file));
    all
}

/// Crosswalks whose key lies in their own folder, whatever paths lead there.
pub fn keys_beside(settings: &Settings) -> Vec<String> {
    let folder = |file: &Path| file.parent().and_then(|parent| parent.canonicalize().ok());
    let is_beside = |key: &Path, file: &Path| folder(key).is_none() || folder(key) == folder(file);
    let crosswalks = settings.crosswalks.iter().filter(|(_, one)| is_beside(&one.key_file, &one.path));
    crosswalks.map(|(name, _)| name.to_string()).collect()
}
