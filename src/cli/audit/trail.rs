//! Where the records are, and what opens them: the same for every command that reads them.

use std::path::PathBuf;
use std::process::ExitCode;

use super::complain;
use crate::audit::reading::{Identities, RecordFile, files_for};
use crate::audit::reviewers::read_identities;
use crate::cli::exit;
use crate::files::full;

/// The trail to read
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Trail {
    /// The directory of [audit]
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A reviewer's identity, for encrypted days; may be repeated
    #[arg(long = "identity", value_name = "FILE")]
    pub identities: Vec<PathBuf>,
}

impl Trail {
    /// Of a folder that something else names.
    pub(in crate::cli) fn of(folder: PathBuf, identities: Vec<PathBuf>) -> Self {
        Self { folder, identities }
    }

    /// Its files, or the exit status after saying why not.
    pub(in crate::cli) fn files(&self) -> Result<Vec<RecordFile>, ExitCode> {
        let mut identities = Vec::new();
        for file in &self.identities {
            let read = read_identities(file);
            identities.extend(
                read.map_err(|error| complain(&format!("{}: {error}", full(file)), exit::UNREADABLE))?,
            );
        }
        files_for(&self.folder, &Identities::new(identities))
            .map_err(|error| complain(&error.to_string(), exit::UNREADABLE))
    }
}
