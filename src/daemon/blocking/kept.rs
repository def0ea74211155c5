//! The file of blocks: what is in it, and what that means.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::{BlockError, LONGEST};
use crate::files;
use crate::policy::{Block, Blocks};

/// In the folder of the state.
pub(super) const NAME: &str = "blocks.json";

/// The blocks as the file holds them between two runs.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Kept {
    /// The number of the next one.
    pub next: u64,
    pub blocks: Vec<Row>,
}

/// One block in that file. Texts are read anew by whoever loads it, so that a file written by hand is judged as an order
/// is.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub id: u64,
    pub of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    pub why: String,
    pub by: String,
    pub since: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
}

/// The blocks that are kept in a folder, which need not be there, for whoever only looks.
///
/// # Errors
/// There is something that cannot be read or understood.
pub fn blocks_in(folder: &Path) -> Result<Blocks, BlockError> {
    read(&folder.join(NAME)).map(|(_, blocks)| Blocks::new(blocks))
}

/// The number of the next block, and those that a file holds; none where there is no file.
///
/// # Errors
/// It cannot be read, or is not one.
pub(super) fn read(file: &Path) -> Result<(u64, Vec<Block>), BlockError> {
    let unreadable = |problem: String| BlockError::Unreadable { file: file.to_owned(), problem };
    let kept: Kept = match files::read(file, LONGEST + 1) {
        Ok(bytes) if bytes.len() as u64 > LONGEST => {
            return Err(unreadable(format!("longer than {LONGEST} bytes, which no file of blocks is")));
        }
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| unreadable(error.to_string()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Kept::default(),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let blocks = kept.blocks.iter().map(Row::compiled).collect::<Result<_, _>>().map_err(unreadable)?;
    Ok((kept.next, blocks))
}

impl Kept {
    /// What the file has to hold.
    pub(super) fn of(next: u64, blocks: &[Block]) -> Self {
        Self { next, blocks: blocks.iter().map(Row::of).collect() }
    }
}

impl Row {
    pub(super) fn of(block: &Block) -> Self {
        let text = |at: OffsetDateTime| at.format(&Rfc3339).unwrap_or_default();
        Self {
            id: block.id,
            of: block.of.to_string(),
            until: block.until.map(text),
            why: block.why.clone(),
            by: block.by.clone(),
            since: text(block.since),
            automatic: block.automatic,
        }
    }

    /// # Errors
    /// What cannot be understood.
    fn compiled(&self) -> Result<Block, String> {
        let time = |text: &str| {
            OffsetDateTime::parse(text, &Rfc3339)
                .map_err(|error| format!("block {}: \"{text}\": {error}", self.id))
        };
        Ok(Block {
            id: self.id,
            of: self.of.parse().map_err(|error| format!("block {}: {error}", self.id))?,
            until: self.until.as_deref().map(time).transpose()?,
            why: self.why.clone(),
            by: self.by.clone(),
            since: time(&self.since)?,
            automatic: self.automatic,
        })
    }
}
