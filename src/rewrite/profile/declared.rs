//! Private blocks that the object itself calls safe (PS3.3 C.12.1.1.7): (0008,0300) stands before every private group.

use super::super::creator::{self, CreatorId};
use crate::dataset::{PathStep, Syntax, Tag, trim};

const CHARACTERISTICS: Tag = Tag(0x0008, 0x0300);
const GROUP: Tag = Tag(0x0008, 0x0301);
const CREATOR: Tag = Tag(0x0008, 0x0302);
const STATUS: Tag = Tag(0x0008, 0x0303);
const NONIDENTIFYING: Tag = Tag(0x0008, 0x0304);
/// Blocks beyond these are not called safe.
const MOST: usize = 1024;
/// Of a private creator, in bytes.
const LONGEST: usize = 64;

/// A block, with the low bytes of its elements that are safe.
#[derive(Debug)]
struct Block {
    group: u16,
    creator: CreatorId,
    safe: [bool; 256],
}

#[derive(Debug, Default)]
struct Item {
    group: Option<u16>,
    creator: Vec<u8>,
    status: Vec<u8>,
    elements: Vec<u16>,
}

/// What was called safe so far.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct DeclaredSafe {
    item: Option<Item>,
    blocks: Vec<Block>,
    /// Creators that no rule names; their ids follow on those that rules name.
    creators: Vec<Vec<u8>>,
}

impl DeclaredSafe {
    /// Whether the value of an element that lies in one sequence says what is safe.
    pub(in crate::rewrite) fn wants(tag: Tag, around: Option<PathStep>) -> bool {
        let within = around.is_some_and(|step| step.sequence == CHARACTERISTICS);
        within && matches!(tag, GROUP | CREATOR | STATUS | NONIDENTIFYING)
    }

    pub(in crate::rewrite) fn read(&mut self, tag: Tag, value: &[u8], syntax: Syntax) {
        let item = self.item.get_or_insert_default();
        let mut numbers = value.chunks_exact(2).filter_map(|two| Some(syntax.u16(two.try_into().ok()?)));
        match tag {
            GROUP => item.group = numbers.next(),
            CREATOR => item.creator = trim(value).to_vec(),
            STATUS => item.status = trim(value).to_vec(),
            NONIDENTIFYING => item.elements = numbers.take(256).collect(),
            _ => {}
        }
    }

    /// The item of a sequence at the top is complete; `named` are the creators that rules name.
    pub(in crate::rewrite) fn close(&mut self, named: &[String]) {
        let Some(Item { group: Some(group), creator, status, elements }) = self.item.take() else { return };
        let mut safe = [status == b"SAFE"; 256];
        for low in elements.into_iter().filter(|_| status == b"MIXED") {
            if let Some(safe) = safe.get_mut(usize::from(low)) {
                *safe = true;
            }
        }
        if creator.is_empty() || creator.len() > LONGEST || !safe.contains(&true) || self.blocks.len() >= MOST
        {
            return;
        }
        let known = self.creator_id(&creator, named);
        let next = named.len() + self.creators.len();
        let Some(creator) = known.or_else(|| {
            self.creators.push(creator);
            CreatorId::try_from(next).ok()
        }) else {
            return;
        };
        self.blocks.push(Block { group, creator, safe });
    }

    /// Of a creator that rules name, or an item did.
    pub(in crate::rewrite) fn creator_id(&self, creator: &[u8], named: &[String]) -> Option<CreatorId> {
        creator::position(named, creator).or_else(|| {
            let index = self.creators.iter().position(|known| known == creator)?;
            CreatorId::try_from(named.len() + index).ok()
        })
    }

    /// Whether an element of a creator's block was called safe.
    pub(in crate::rewrite) fn holds(&self, tag: Tag, creator: Option<CreatorId>) -> bool {
        let low = usize::from(tag.1 & 0xFF);
        self.blocks_of(tag.0, creator).any(|block| block.safe.get(low) == Some(&true))
    }

    /// Whether anything of a creator in a group was.
    pub(in crate::rewrite) fn keeps_creator(&self, group: u16, creator: Option<CreatorId>) -> bool {
        self.blocks_of(group, creator).next().is_some()
    }

    fn blocks_of(&self, group: u16, creator: Option<CreatorId>) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |block| Some(block.creator) == creator && block.group == group)
    }
}
