//! Whether an element can be one of those that are looked for. Nearly none is, which has to be told fast.

use crate::dataset::{Tag, number};

/// A bit for each of some tags, which others may share: 128 bytes, made when the program is.
pub(super) struct Seldom([u64; 16]);

impl Seldom {
    /// Of all of these lists.
    pub(super) const fn of(lists: &[&[Tag]]) -> Self {
        let (mut bits, mut list) = ([0; 16], 0);
        while list < lists.len() {
            let mut at = 0;
            while at < lists[list].len() {
                let (word, bit) = place(lists[list][at]);
                bits[word] |= bit;
                at += 1;
            }
            list += 1;
        }
        Self(bits)
    }

    /// `false`: the tag is on none of the lists.
    #[inline]
    pub(super) fn may_have(&self, tag: Tag) -> bool {
        let (word, bit) = place(tag);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// The word and the bit of a tag, spread by Fibonacci hashing.
#[inline]
const fn place(tag: Tag) -> (usize, u64) {
    let spread = number(tag).wrapping_mul(0x9E37_79B1) >> 22;
    ((spread >> 6) as usize, 1 << (spread & 63))
}

#[cfg(test)]
mod tests {
    use super::Seldom;
    use crate::dataset::Tag;

    #[test]
    fn what_is_listed_is_never_passed_over_and_little_else_is_asked_about() {
        let listed = [Tag(0x0008, 0x0050), Tag(0x0010, 0x0010), Tag(0x0040, 0xA123)];
        let seldom = Seldom::of(&[&listed[..1], &listed[1..]]);
        assert!(listed.iter().all(|tag| seldom.may_have(*tag)));
        let others = (0..u16::MAX).filter(|element| seldom.may_have(Tag(0x0018, *element))).count();
        assert!(others < usize::from(u16::MAX) / 100, "{others}");
    }
}
