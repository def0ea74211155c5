//! Which rule decides on an element: a look-up, apart from the mechanics of the stream.

use std::sync::Arc;

use super::action::Action;
use super::correspondence::{Correspondences, Kind, Unavailable};
use super::creator::{self, CreatorId};
use super::identifiers::Shapes;
use super::keyed::{self, Key};
use super::mode::Mode;
use super::planting;
use super::profile::{Profile, ProfileSpec};
use super::rule::Rule;
use crate::dataset::{PATIENT_ID, SOP_INSTANCE_UID, Tag, Vr, number, vr_of};

/// An element that `set` adds where it is absent.
#[derive(Clone, Debug)]
pub(super) struct Addition {
    pub(super) tag: Tag,
    pub(super) vr: Vr,
    pub(super) rule: usize,
    /// Whether only objects get it whose pixels are masked.
    pub(super) masked_only: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Mask {
    pub(super) mask: u32,
    pub(super) value: u32,
    pub(super) rule: usize,
}

/// Elements of a private creator's blocks; all of them where `element` is absent.
#[derive(Clone, Debug)]
pub(super) struct Private {
    pub(super) group: u16,
    pub(super) creator: CreatorId,
    pub(super) element: Option<u8>,
    pub(super) rule: usize,
}

/// Rules, compiled and checked; shared by the transforms of all data sets.
pub struct Ruleset {
    pub(super) rules: Vec<Rule>,
    /// Those that an administrator wrote; the profile's stand behind them.
    pub(super) explicit: usize,
    pub(super) profile: Option<Profile>,
    /// Of rules that replace a pattern in an attribute: the profile's for it, which has its turn behind them.
    pub(super) behind: Vec<(usize, usize)>,
    /// Of the dates, where they move.
    pub(super) date_key: Option<Key>,
    /// Of the secret, where secrets have versions.
    pub(super) secret_version: Option<u32>,
    pub(super) other_secrets: Vec<(u32, Key)>,
    pub(super) needs_patient: bool,
    /// Whether the issuer of a Patient ID says whose it is.
    pub(super) with_issuer: bool,
    /// Whether the last rule plants canaries.
    pub(super) plants: bool,
    /// Sorted by tag, one rule each: the first.
    pub(super) exact: Vec<(u32, usize)>,
    /// In the order of the rules.
    pub(super) masks: Vec<Mask>,
    /// In the order of the rules.
    pub(super) private: Vec<Private>,
    pub(super) creators: Vec<String>,
    /// Sorted by tag.
    pub(super) additions: Vec<Addition>,
    pub(super) reads_text: bool,
    /// Where identifiers are looked for in texts: the attributes that hold them, sorted, and what has the shape of one.
    pub(super) identifiers: Option<(Arc<[Tag]>, Arc<Shapes>)>,
    /// Whether headers with one reading are put right.
    pub(super) is_tolerant: bool,
    pub(super) max_depth: usize,
    pub(super) max_inflated: u64,
}

impl Ruleset {
    /// What becomes of the command's Affected SOP Instance UID (0000,1000): the same as of (0008,0018).
    pub fn map_sop_instance_uid(&self, uid: &str) -> String {
        match self.action_on(SOP_INSTANCE_UID, Vr::UI) {
            Some(Action::Uid { key }) => new_uid(key, uid),
            _ => uid.to_owned(),
        }
    }

    /// As [`map_sop_instance_uid`](Self::map_sop_instance_uid), where a crosswalk may know the UID already.
    ///
    /// # Errors
    /// The crosswalk cannot be asked.
    pub fn map_known_sop_instance_uid(
        &self,
        uid: &str,
        known: Option<&dyn Correspondences>,
    ) -> Result<String, Unavailable> {
        let is_mapped = matches!(self.action_on(SOP_INSTANCE_UID, Vr::UI), Some(Action::Uid { .. }));
        let known = match known.filter(|_| is_mapped) {
            Some(known) => known.pseudonym_of(Kind::Uid, uid.as_bytes())?,
            None => None,
        };
        let known = known.and_then(|known| String::from_utf8(known).ok());
        Ok(known.unwrap_or_else(|| self.map_sop_instance_uid(uid)))
    }

    /// Whether values name the tenant.
    pub fn needs_tenant(&self) -> bool {
        self.rules
            .iter()
            .any(|rule| matches!(&rule.action, Action::Template(template) if template.needs_tenant()))
    }

    /// What `uid` rules make of a UID; the UID itself where there is no such rule.
    pub fn map_uid(&self, uid: &str) -> String {
        let key = self.rules.iter().find_map(|rule| match &rule.action {
            Action::Uid { key } => Some(key),
            _ => None,
        });
        key.map_or_else(|| uid.to_owned(), |key| new_uid(key, uid))
    }

    /// Number of rules that an administrator wrote.
    pub fn len(&self) -> usize {
        self.explicit
    }

    /// Whether there is neither a rule nor a profile.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The profile and its options.
    pub fn profile(&self) -> Option<&ProfileSpec> {
        self.profile.as_ref().map(|profile| &profile.spec)
    }

    /// Why something was changed: the number and tag of a rule, or the row of the profile's table and the option.
    pub fn why(&self, rule: usize) -> String {
        match self.rules.get(rule) {
            Some(known) if known.why.is_empty() => format!("rule {} {}", rule + 1, known.tag_text),
            Some(known) => known.why.to_string(),
            None => String::new(),
        }
    }

    /// Whether an administrator's rule decides on an element of the standard.
    pub fn is_explicit(&self, tag: Tag) -> bool {
        self.decide(tag, vr_of(tag), None).is_some_and(|rule| rule < self.explicit)
    }

    /// A rule's tag as it was written.
    pub fn tag_text(&self, rule: usize) -> &str {
        self.rules.get(rule).map_or("", |rule| &rule.tag_text)
    }

    /// Whether what becomes of a Patient ID depends on its issuer.
    pub(super) fn reads_issuer(&self) -> bool {
        let action = self.with_issuer.then(|| self.action_on(PATIENT_ID, Vr::LO)).flatten();
        action.is_some_and(|action| !action.kinds(PATIENT_ID).is_empty())
    }

    /// The profile's rule that has its turn behind a rule, where there is one.
    pub(super) fn behind(&self, rule: usize) -> Option<usize> {
        self.behind.iter().find(|(first, _)| *first == rule).map(|(_, then)| *then)
    }

    pub(super) fn action(&self, rule: usize) -> &Action {
        self.rules.get(rule).map_or(&Action::Keep, |rule| &rule.action)
    }

    pub(super) fn action_on(&self, tag: Tag, vr: Vr) -> Option<&Action> {
        self.decide(tag, vr, None).map(|rule| self.action(rule))
    }

    /// The first rule for an element; `creator` is whose private block it lies in, where a rule names that creator.
    ///
    /// An administrator's rule comes first, then the profile's row, then what the profile says of all of a VR.
    pub(super) fn decide(&self, tag: Tag, vr: Vr, creator: Option<CreatorId>) -> Option<usize> {
        let tag_number = number(tag);
        let exact = self.on_tag(tag_number);
        let mask = self.masks.iter().find(|mask| tag_number & mask.mask == mask.value).map(|mask| mask.rule);
        let private = creator.and_then(|creator| {
            let low = tag.1 as u8;
            let mut all = self.private.iter().filter(|rule| rule.creator == creator && rule.group == tag.0);
            all.find(|rule| rule.element.is_none_or(|element| element == low)).map(|rule| rule.rule)
        });
        let first = earlier(earlier(exact, mask), private);
        if self.plants {
            return first.or_else(|| planting::takes(tag, vr).then_some(self.rules.len().saturating_sub(1)));
        }
        match &self.profile {
            Some(profile) if first.is_none_or(|first| first >= self.explicit) => {
                profile.decide(first, tag, vr, creator)
            }
            _ => first,
        }
    }

    /// The first rule for a private creator element.
    ///
    /// It goes with its block: `remove` of the whole block removes it, any other rule about elements of the block keeps it,
    /// and of the rules by mask only `remove` applies, since elements without their creator mean nothing. On the way back and
    /// in keys, where nothing is removed as it was on the way there, only a rule about its own tag or the profile's does.
    pub(super) fn decide_on_creator(
        &self,
        tag: Tag,
        creator: Option<CreatorId>,
        mode: Mode,
    ) -> Option<usize> {
        let tag_number = number(tag);
        let by_tag = self.on_tag(tag_number);
        let is_forward = mode == Mode::Forward;
        let removes = |rule: usize| is_forward && matches!(self.action(rule), Action::Remove);
        let keeps = |rule: usize| is_forward && matches!(self.action(rule), Action::Keep);
        let mut masks = self.masks.iter().filter(|mask| tag_number & mask.mask == mask.value);
        let mask = masks.find(|mask| removes(mask.rule) || keeps(mask.rule)).map(|mask| mask.rule);
        let mut private =
            self.private.iter().filter(|rule| Some(rule.creator) == creator && rule.group == tag.0);
        let private =
            private.find(|rule| rule.element.is_none() || !removes(rule.rule)).map(|rule| rule.rule);
        let first = earlier(earlier(by_tag, mask), private);
        match (first, &self.profile) {
            (first, Some(profile)) if first.is_none_or(|first| first >= self.explicit) => {
                (!profile.keeps_creator(tag.0, creator)).then(|| profile.private_rule())
            }
            (Some(first), _) => (removes(first) || by_tag == Some(first)).then_some(first),
            (None, _) => None,
        }
    }

    fn on_tag(&self, tag: u32) -> Option<usize> {
        let index = self.exact.binary_search_by_key(&tag, |&(tag, _)| tag).ok()?;
        self.exact.get(index).map(|&(_, rule)| rule)
    }

    pub(super) fn creator_id(&self, creator: &[u8]) -> Option<CreatorId> {
        creator::position(&self.creators, creator)
    }
}

/// Never shows the key, which is in the actions.
impl std::fmt::Debug for Ruleset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tags = self.rules.iter().map(|rule| &rule.tag_text);
        f.debug_struct("Ruleset").field("rules", &tags.collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

/// The rule that comes first, of those that there are.
fn earlier(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn new_uid(key: &Key, uid: &str) -> String {
    let mut new = Vec::new();
    keyed::put_uid(key, crate::dataset::trim(uid.as_bytes()), &mut new);
    String::from_utf8(new).unwrap_or_default()
}
