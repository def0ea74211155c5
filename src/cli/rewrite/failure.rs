//! Why a file was not rewritten.

use std::io;
use std::path::{Path, PathBuf};

use super::part10::Part10Error;
use crate::crosswalk::NotStored;
use crate::dataset::Tag;
use crate::files::{full, looked_for};
use crate::rewrite::{RewriteError, RewriteProblem};

/// Why one file was not rewritten. Shown behind the file's name.
#[derive(Debug, thiserror::Error)]
pub(super) enum FileError {
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("cannot be opened: {error}{}", looked_for(.path))]
    Open { path: PathBuf, error: io::Error },
    #[error("{} cannot be written: {error}", full(.to))]
    Write { to: PathBuf, error: io::Error },
    #[error("{} exists already, of an earlier run or an input with the same SOP Instance UID; move it away", full(.0))]
    Exists(PathBuf),
    #[error("{0}")]
    Part10(#[from] Part10Error),
    #[error("transfer syntax {0} cannot be rewritten; convert the file to a standard one first")]
    TransferSyntax(String),
    #[error("{0} differs from the file meta information; write the file anew with its program")]
    Meta(Tag),
    #[error("{0}; nothing was written, see that its crosswalk can be")]
    NotRemembered(NotStored),
    #[error(
        "has values that the crosswalk does not know, and only {} can remember new ones; nothing was written. Send it through \
         the proxy, or stop that process first",
        .0.map_or_else(|| "the process that has it open".to_owned(), |id| format!("process {id}, which has it open,"))
    )]
    OnlyKnown(Option<u32>),
    #[error("{0}; nothing was written, repair the file or leave it out")]
    Rewrite(RewriteError),
}

impl From<RewriteError> for FileError {
    /// What a command says of a data set on the wire, the file meta information says in a file.
    fn from(error: RewriteError) -> Self {
        match (error.problem, error.tag) {
            (RewriteProblem::CommandMismatch, Some(tag)) => Self::Meta(tag),
            _ => Self::Rewrite(error),
        }
    }
}

impl FileError {
    /// Of a path that leads to nothing that can be read.
    pub(super) fn open(path: &Path, error: io::Error) -> Self {
        Self::Open { path: path.to_owned(), error }
    }
}
