//! Which rule of the profile decides on an element.

use super::super::creator::CreatorId;
use super::super::instances;
use super::beyond;
use super::content::ContentRules;
use super::fit::FitRules;
use super::method::{METHOD, METHOD_CODES};
use super::policy::FLAG;
use super::spec::ProfileSpec;
use crate::dataset::{Tag, Vr, vr_of};

/// What the profile does with elements that no row is about: indices of its rules.
#[derive(Clone, Debug)]
pub(in crate::rewrite) struct Profile {
    pub(in crate::rewrite) spec: ProfileSpec,
    pub(in crate::rewrite) dates: usize,
    pub(super) uids: usize,
    pub(super) declared_uids: usize,
    pub(super) names: usize,
    pub(super) urls: usize,
    pub(super) unknown: usize,
    pub(super) private: usize,
    pub(super) safe_private: usize,
    pub(in crate::rewrite) identifiers: usize,
    pub(in crate::rewrite) content: ContentRules,
    pub(in crate::rewrite) fit: FitRules,
    /// Sequences that stay for the UIDs in their items.
    pub(super) references: Vec<Tag>,
    /// Of what follows the last pixel.
    pub(in crate::rewrite) behind: usize,
    /// Where there are masks.
    pub(in crate::rewrite) masked: Option<MaskedRules>,
    /// Sorted; with the VR of the table.
    pub(super) safe: Vec<(CreatorId, u16, u8, Vr)>,
}

/// Indices of the rules for objects whose pixels are masked.
#[derive(Clone, Copy, Debug)]
pub(in crate::rewrite) struct MaskedRules {
    pub(in crate::rewrite) pixels: usize,
    pub(in crate::rewrite) flag: usize,
    pub(super) method: usize,
    pub(super) codes: usize,
    pub(super) rgb: usize,
    pub(super) together: usize,
    pub(super) gone: usize,
}

impl MaskedRules {
    /// The rule for an element at the top, in place of the one for objects that are not masked.
    pub(in crate::rewrite) fn decide(&self, tag: Tag) -> Option<usize> {
        match tag {
            FLAG => Some(self.flag),
            METHOD => Some(self.method),
            METHOD_CODES => Some(self.codes),
            _ => None,
        }
    }

    /// As [`decide`](Self::decide), where the pixel data are decoded as well.
    pub(in crate::rewrite) fn decide_on_decoded(&self, tag: Tag, to_rgb: bool) -> Option<usize> {
        match (tag.0, tag.1) {
            (0x0028, 0x0004) if to_rgb => Some(self.rgb),
            (0x0028, 0x0006) => Some(self.together),
            (0x7FE0, 0x0001..=0x0003) => Some(self.gone),
            _ => None,
        }
    }
}

impl Profile {
    /// The rule for an element, `row` being that of Table E.1-1.
    pub(in crate::rewrite) fn decide(
        &self,
        row: Option<usize>,
        tag: Tag,
        vr: Vr,
        creator: Option<CreatorId>,
    ) -> Option<usize> {
        if tag.0 % 2 == 1 {
            return self.decide_on_private(tag, vr, creator);
        }
        row.or_else(|| match vr {
            Vr::DA | Vr::TM | Vr::DT => Some(self.dates),
            Vr::UI => (!instances::names_kinds(tag)).then_some(self.uids),
            Vr::PN => Some(self.names),
            _ if beyond::is_url(tag, vr) => Some(self.urls),
            _ => match vr_of(tag) {
                Vr::UN => Some(self.unknown),
                // Whatever VR it was written with.
                Vr::UI if instances::names_instances(tag) => Some(self.uids),
                _ => None,
            },
        })
    }

    fn decide_on_private(&self, tag: Tag, vr: Vr, creator: Option<CreatorId>) -> Option<usize> {
        let key = creator.map(|creator| (creator, tag.0, tag.1 as u8));
        let safe = key.and_then(|key| self.safe.binary_search_by_key(&key, |&(c, g, e, _)| (c, g, e)).ok());
        let Some(&(.., listed)) = safe.and_then(|index| self.safe.get(index)) else {
            return Some(self.private);
        };
        Some(self.of_safe(if vr == Vr::UN { listed } else { vr }, vr))
    }

    /// The rule for a private element that is safe, `vr` being what is known of its VR.
    fn of_safe(&self, vr: Vr, written: Vr) -> usize {
        match (vr, written) {
            // A sequence that is written as a value would hide what is in it, and nobody knows what other bytes say.
            (Vr::SQ, Vr::SQ) => self.safe_private,
            (Vr::SQ | Vr::OB | Vr::UN, _) => self.private,
            (Vr::DA | Vr::TM | Vr::DT, _) => self.dates,
            (Vr::UI, _) => self.uids,
            _ => self.safe_private,
        }
    }

    /// As [`of_safe`](Self::of_safe), of one that only the object itself calls safe.
    pub(in crate::rewrite) fn of_declared(&self, vr: Vr, written: Vr) -> usize {
        if vr == Vr::UI { self.declared_uids } else { self.of_safe(vr, written) }
    }

    /// Whether a private creator keeps some of its elements in a group.
    pub(in crate::rewrite) fn keeps_creator(&self, group: u16, creator: Option<CreatorId>) -> bool {
        let Some(creator) = creator else { return false };
        let from = self.safe.partition_point(|&(c, g, ..)| (c, g) < (creator, group));
        self.safe.get(from).is_some_and(|&(c, g, ..)| (c, g) == (creator, group))
    }

    /// Whether a sequence stays for the UIDs in its items.
    pub(in crate::rewrite) fn refers(&self, sequence: Tag) -> bool {
        self.references.contains(&sequence)
    }

    pub(in crate::rewrite) fn is_safe_private(&self, rule: usize) -> bool {
        rule == self.safe_private
    }

    pub(in crate::rewrite) fn private_rule(&self) -> usize {
        self.private
    }
}
