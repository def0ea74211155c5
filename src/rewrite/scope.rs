//! What holds within one data set or item only: private blocks and the character set (PS3.5 §7.8, PS3.3 C.12.1.1.2).

use super::character_set::CharacterSet;
use super::creator::CreatorId;
use crate::dataset::Tag;

/// A block that a creator reserved, in the group under way.
struct Block {
    number: u8,
    creator: CreatorId,
}

struct Scope {
    /// Index of its first block in `blocks`.
    first_block: usize,
    /// The group that its blocks are of.
    group: u16,
    /// Index of its character set in `sets`.
    set: usize,
}

/// The scopes of the open items, the data set itself first.
///
/// Tags come in order, so only the blocks of the group under way are kept: at most 240 for each open item.
pub(super) struct Scopes {
    scopes: Vec<Scope>,
    root: Scope,
    blocks: Vec<Block>,
    sets: Vec<CharacterSet>,
}

impl Scopes {
    pub(super) fn new() -> Self {
        let root = Scope { first_block: 0, group: 0, set: 0 };
        Self { scopes: Vec::new(), root, blocks: Vec::new(), sets: vec![CharacterSet::DEFAULT] }
    }

    /// An item begins. It inherits the character set, no block.
    pub(super) fn open(&mut self) {
        let scope =
            Scope { first_block: self.blocks.len(), group: 0, set: self.sets.len().saturating_sub(1) };
        self.scopes.push(scope);
    }

    pub(super) fn close(&mut self) {
        if let Some(scope) = self.scopes.pop() {
            self.blocks.truncate(scope.first_block);
            self.sets.truncate(scope.set + 1);
        }
    }

    pub(super) fn character_set(&self) -> &CharacterSet {
        const DEFAULT: &CharacterSet = &CharacterSet::DEFAULT;
        self.sets.last().unwrap_or(DEFAULT)
    }

    pub(super) fn set_character_set(&mut self, set: CharacterSet) {
        self.sets.push(set);
    }

    /// A private creator element, of a creator that rules name or not.
    pub(super) fn reserve(&mut self, tag: Tag, creator: Option<CreatorId>) {
        let scope = self.scopes.last_mut().unwrap_or(&mut self.root);
        if scope.group != tag.0 {
            scope.group = tag.0;
            self.blocks.truncate(scope.first_block);
        }
        if let Some(creator) = creator {
            self.blocks.push(Block { number: tag.1 as u8, creator });
        }
    }

    /// Who reserved a block, by its private creator element, where rules name that creator.
    pub(super) fn creator_of_block(&self, tag: Tag) -> Option<CreatorId> {
        let scope = self.scopes.last().unwrap_or(&self.root);
        let blocks = self.blocks.get(scope.first_block..).unwrap_or_default();
        let is_its = |block: &&Block| scope.group == tag.0 && block.number == tag.1 as u8;
        blocks.iter().find(is_its).map(|block| block.creator)
    }

    /// Whose block an element lies in, where rules name that creator.
    pub(super) fn creator_of(&self, tag: Tag) -> Option<CreatorId> {
        let scope = self.scopes.last().unwrap_or(&self.root);
        if tag.0.is_multiple_of(2) || scope.group != tag.0 {
            return None;
        }
        let number = (tag.1 >> 8) as u8;
        let blocks = self.blocks.get(scope.first_block..).unwrap_or_default();
        blocks.iter().find(|block| block.number == number).map(|block| block.creator)
    }
}
