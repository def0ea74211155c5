//! Keeps the head of the trail up to date: after each checkpoint that the disk keeps; where nothing is signed, about once a
//! minute.

use super::chain::Chain;
use super::head::{self, Head};
use super::settings::Checkpoints;
use super::signing::SigningKey;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two heads that nobody signs.
const UNSIGNED: Duration = Duration::from_secs(60);

pub(super) struct Marker {
    directory: PathBuf,
    key: Option<Arc<SigningKey>>,
    /// Written, and not yet kept.
    next: Option<Head>,
    stored_at: Option<Instant>,
    /// The last attempt failed, which was told.
    failed: bool,
}

impl Marker {
    pub(super) fn new(directory: &Path, checkpoints: Option<&Checkpoints>) -> Self {
        let key = checkpoints.map(|checkpoints| checkpoints.key.clone());
        Self { directory: directory.to_owned(), key, next: None, stored_at: None, failed: false }
    }

    /// Lines were written, up to here, with this as the last checkpoint among them.
    pub(super) fn written(&mut self, chain: Chain, checkpoint: Option<Head>) {
        let due = self.stored_at.is_none_or(|at| at.elapsed() >= UNSIGNED);
        match &self.key {
            Some(_) => self.next = checkpoint.or(self.next),
            None if due => self.next = Some(chain.last()),
            None => {}
        }
    }

    /// Says that the trail ends here, so that a last marker of its end is made where no key signs it.
    pub(super) fn at_end(&mut self, chain: Chain) {
        if self.key.is_none() && chain != Chain::BEGINNING {
            self.next = Some(chain.last());
        }
    }

    /// The disk keeps what was written.
    pub(super) fn kept(&mut self) {
        let Some(head) = self.next else { return };
        match head::store(&self.directory, &head, self.key.as_deref()) {
            Ok(()) => (self.next, self.failed, self.stored_at) = (None, false, Some(Instant::now())),
            Err(error) if !std::mem::replace(&mut self.failed, true) => {
                let file = head::path_of(&self.directory);
                tracing::error!(file = %file.display(), %error, "the head of the audit trail cannot be kept");
            }
            Err(_) => {}
        }
    }
}
