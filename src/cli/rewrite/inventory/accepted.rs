//! `--accepted`: pairs that a curator has looked at, which are not listed again.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;

/// A file of more than this is no list of what somebody has looked at.
const MOST: u64 = 64 << 20;

/// What was accepted: by digest, or by attribute and text where somebody wrote it by hand.
#[derive(Debug, Default)]
pub(in crate::cli::rewrite) struct Accepted {
    digests: HashSet<String>,
    texts: HashSet<(String, String)>,
}

/// Why a list was not read.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli::rewrite) enum NotAccepted {
    #[error("cannot be read: {0}")]
    Read(#[from] io::Error),
    #[error("is larger than 64 MiB, which no list of accepted texts is")]
    TooLarge,
    #[error(
        "is no list of accepted texts: {0}; expected what the page of --inventory gives, [{{\"attribute\": \"(0008,1030)\", \"text\": \"CT chest\"}}]"
    )]
    Json(#[from] serde_json::Error),
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Entry {
    attribute: String,
    #[serde(default)]
    text: String,
    digest: Option<String>,
    /// For who reads the list.
    #[serde(default, rename = "keyword")]
    _keyword: String,
}

impl Accepted {
    /// Reads a list.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub(in crate::cli::rewrite) fn read(path: &Path) -> Result<Self, NotAccepted> {
        let mut text = String::new();
        fs::File::open(path)?.take(MOST + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MOST {
            return Err(NotAccepted::TooLarge);
        }
        let entries: Vec<Entry> = serde_json::from_str(&text)?;
        let mut accepted = Self::default();
        for entry in entries {
            match entry.digest {
                Some(digest) => drop(accepted.digests.insert(digest)),
                None => drop(accepted.texts.insert((entry.attribute, entry.text))),
            }
        }
        Ok(accepted)
    }

    pub(super) fn has(&self, attribute: &str, digest: &str, text: &str) -> bool {
        self.digests.contains(digest)
            || !self.texts.is_empty() && self.texts.contains(&(attribute.to_owned(), text.to_owned()))
    }
}
