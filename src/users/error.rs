//! Why the file of users cannot be read or changed.

use std::io;
use std::path::PathBuf;

use crate::files::full;

/// What went wrong with the users, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// A file cannot be read or written.
    #[error("cannot {doing} {}: {source}", full(file))]
    Io {
        /// A verb.
        doing: &'static str,
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not there.
    #[error("{} cannot be read: it is not there; dimsegate user add makes it with the first user", full(.0))]
    Missing(PathBuf),
    /// Nothing stands in it.
    #[error("{} is empty, as a file that somebody has begun to write; where there are to be no users, write a comment", full(.0))]
    Begun(PathBuf),
    /// Not only its owner may read it.
    #[error("{} can be read by others (mode {mode:04o}), type: chmod 600 {}", full(file), file.display())]
    OpenToOthers {
        /// The file.
        file: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is larger than a file of users may be.
    #[error("{} is larger than {most} bytes, and no file of users is", full(file))]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Bytes.
        most: u64,
    },
    /// What stands in it is not right.
    #[error("{}:{line}:{column}: {detail}", file.display())]
    Bad {
        /// The file.
        file: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Characters, counted from 1.
        column: usize,
        /// What is wrong, and what would be right.
        detail: String,
    },
    /// Another process changes it, for longer than anybody should.
    #[error("{} is in use: another process has been changing it for {seconds} s", full(file))]
    InUse {
        /// The file.
        file: PathBuf,
        /// How long it was waited for.
        seconds: u64,
    },
    /// Nobody is called so.
    #[error("no user is called \"{name}\" in {}", full(file))]
    Unknown {
        /// As asked for.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// Somebody is called so already.
    #[error("there is a user \"{name}\" already in {}", full(file))]
    Exists {
        /// As it stands there.
        name: String,
        /// The file.
        file: PathBuf,
    },
    /// As many users as there may be.
    #[error("{} holds {most} users already, and may hold no more", full(file))]
    Full {
        /// The file.
        file: PathBuf,
        /// How many.
        most: usize,
    },
    /// The system gives no random numbers, or no memory to hash in.
    #[error("the system gives no {0}")]
    System(&'static str),
}
