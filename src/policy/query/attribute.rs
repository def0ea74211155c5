//! Attributes that a role names, by one tag or by many.

/// Attributes of data sets: those whose tags equal `value` in the bits of `mask`. A tag is its group and its element, one behind
/// the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePattern {
    mask: u32,
    value: u32,
    /// As it was written.
    text: Box<str>,
}

/// (0008,0005) Specific Character Set and (0008,0052) Query/Retrieve Level: what says how an answer is read, and no part of it.
const ALWAYS: [u32; 2] = [0x0008_0005, 0x0008_0052];

impl AttributePattern {
    /// `text` is what an administrator wrote for it.
    pub fn new(mask: u32, value: u32, text: &str) -> Self {
        Self { mask, value: value & mask, text: text.into() }
    }

    /// The attribute as the configuration has it: a keyword, a tag, or a pattern of tags.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The one tag that it is about, where it is about one.
    pub fn tag(&self) -> Option<u32> {
        (self.mask == u32::MAX).then_some(self.value)
    }

    /// Whether it is about an attribute that answers cannot do without, and about no other.
    pub fn is_always_there(&self) -> bool {
        self.tag().is_some_and(|tag| ALWAYS.contains(&tag))
    }

    /// Whether it is about this attribute. What says how a data set is read, and group lengths, are never meant; what says whose
    /// private elements are is, by its own tag or with its whole group.
    pub fn holds(&self, tag: u32) -> bool {
        let is_creator = tag >> 16 & 1 == 1 && matches!(tag & 0xFFFF, 0x0010..=0x00FF);
        let is_meant = !is_creator || self.tag().is_some() || self.mask & 0xFFFF == 0;
        tag & self.mask == self.value && is_meant && tag & 0xFFFF != 0 && !ALWAYS.contains(&tag)
    }

    /// Whether it is about all that the other one is about. Never true by mistake.
    pub fn covers(&self, other: &Self) -> bool {
        match other.tag() {
            Some(tag) => self.holds(tag) || self == other,
            None => self.mask & other.mask == self.mask && other.value & self.mask == self.value,
        }
    }
}
