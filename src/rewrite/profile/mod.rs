//! The Basic Application Level Confidentiality Profile and its options (PS3.15 Annex E), as rules behind those that an
//! administrator wrote.
//!
//! The tables are generated ([`attributes`], [`safe_private`], [`concepts`], [`burned_in`]); what a code means for an
//! element is here. The IOD is not analysed: of a code such as X/Z/D the choice that keeps every IOD valid is taken, no
//! attribute is added that the object lacks, and attributes in the table lose their value whatever the IOD says.

mod attributes;
mod beyond;
mod burned_in;
mod compile;
mod concepts;
mod content;
mod declared;
mod policy;
mod safe_private;

use super::creator::CreatorId;
use super::instances;
use super::pixels::MaskSpec;
use crate::dataset::{Tag, Vr, vr_of};
use burned_in::BURNED_IN;
use concepts::CONCEPTS;

pub(super) use attributes::EDITION;
pub use attributes::ROWS;
pub(super) use beyond::BEYOND;
pub(super) use compile::{CLEAN_PIXELS, append};
pub(super) use content::ContentItems;
pub(super) use declared::DeclaredSafe;
pub(super) use policy::{FLAG, Pixels};
pub(super) use safe_private::SAFE;

/// A row of Table E.1-1.
#[derive(Debug)]
pub struct Row {
    pub tag: u32,
    /// Tags that equal `tag` in the bits of the mask.
    pub mask: u32,
    pub name: &'static str,
    /// Empty where the dictionary has none.
    pub vr: &'static str,
    /// The code of the basic profile.
    pub basic: &'static str,
    /// The code that keeps every IOD valid.
    pub safe: &'static str,
    /// The codes of the options, in the order of [`ProfileOption::ALL`]; a dot is none.
    pub options: [u8; 10],
}

/// A row of Table E.3.10-1.
#[derive(Debug)]
pub(super) struct SafePrivate {
    pub(super) creator: &'static str,
    group: u16,
    element: u8,
    vr: &'static str,
}

/// A row of Table E.3.4-1.
#[derive(Debug)]
struct Concept {
    code: &'static str,
    scheme: &'static str,
    value_type: &'static str,
    basic: &'static str,
    options: [u8; 10],
}

/// An option of the profile (PS3.15 E.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProfileOption {
    RetainSafePrivate,
    RetainUids,
    RetainDeviceIdentity,
    RetainInstitutionIdentity,
    RetainPatientCharacteristics,
    RetainLongitudinalFullDates,
    RetainLongitudinalModifiedDates,
    CleanDescriptors,
    CleanStructuredContent,
    CleanGraphics,
}

impl ProfileOption {
    pub const ALL: [Self; 10] = [
        Self::RetainSafePrivate,
        Self::RetainUids,
        Self::RetainDeviceIdentity,
        Self::RetainInstitutionIdentity,
        Self::RetainPatientCharacteristics,
        Self::RetainLongitudinalFullDates,
        Self::RetainLongitudinalModifiedDates,
        Self::CleanDescriptors,
        Self::CleanStructuredContent,
        Self::CleanGraphics,
    ];

    /// As a configuration writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::RetainSafePrivate => "retain-safe-private",
            Self::RetainUids => "retain-uids",
            Self::RetainDeviceIdentity => "retain-device-identity",
            Self::RetainInstitutionIdentity => "retain-institution-identity",
            Self::RetainPatientCharacteristics => "retain-patient-characteristics",
            Self::RetainLongitudinalFullDates => "retain-longitudinal-full-dates",
            Self::RetainLongitudinalModifiedDates => "retain-longitudinal-modified-dates",
            Self::CleanDescriptors => "clean-descriptors",
            Self::CleanStructuredContent => "clean-structured-content",
            Self::CleanGraphics => "clean-graphics",
        }
    }

    /// Its code in CID 7050, of the scheme DCM, and the code's meaning (PS3.16).
    pub fn method(self) -> (&'static str, &'static str) {
        match self {
            Self::RetainSafePrivate => ("113111", "Retain Safe Private Option"),
            Self::RetainUids => ("113110", "Retain UIDs Option"),
            Self::RetainDeviceIdentity => ("113109", "Retain Device Identity Option"),
            Self::RetainInstitutionIdentity => ("113112", "Retain Institution Identity Option"),
            Self::RetainPatientCharacteristics => ("113108", "Retain Patient Characteristics Option"),
            Self::RetainLongitudinalFullDates => {
                ("113106", "Retain Longitudinal Temporal Information Full Dates Option")
            }
            Self::RetainLongitudinalModifiedDates => {
                ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
            }
            Self::CleanDescriptors => ("113105", "Clean Descriptors Option"),
            Self::CleanStructuredContent => ("113104", "Clean Structured Content Option"),
            Self::CleanGraphics => ("113103", "Clean Graphics Option"),
        }
    }
}

/// The profile as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSpec {
    pub options: Vec<ProfileOption>,
    /// Bounds of the days by which dates are shifted, for modified dates.
    pub date_shift_days: (i32, i32),
    /// Whether times of day stay, for modified dates.
    pub keep_times: bool,
    /// Whether an encapsulated document refuses its object, rather than being replaced by an empty one.
    pub refuse_documents: bool,
    /// Whether private SOP classes are refused: the profile does not say how they are de-identified.
    pub refuse_private_classes: bool,
    pub burned_in: BurnedIn,
}

/// What becomes of objects that are likely to carry burned-in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BurnedIn {
    Pass,
    Refuse,
    /// Every object that masks fit is masked, likely to carry text or not. One that is likely to, and that none fits, is
    /// refused, or passed.
    Mask {
        masks: Vec<MaskSpec>,
        refuse_others: bool,
        /// Compressed pixels that a mask fits are decoded, a frame of at most so many bytes at a time, or refused.
        decode_up_to: Option<u64>,
    },
}

impl BurnedIn {
    /// Bytes of the largest frame that is decoded; 0 where none are.
    pub fn largest_frame(&self) -> u64 {
        match self {
            Self::Mask { decode_up_to: Some(largest), .. } => *largest,
            Self::Pass | Self::Refuse | Self::Mask { .. } => 0,
        }
    }
}

impl Default for ProfileSpec {
    fn default() -> Self {
        Self {
            options: Vec::new(),
            date_shift_days: (-3650, -30),
            keep_times: false,
            refuse_documents: true,
            refuse_private_classes: true,
            burned_in: BurnedIn::Refuse,
        }
    }
}

impl ProfileSpec {
    pub fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }

    /// The code for a row with these options, and the option that gave it. Where several say something, cleaning wins
    /// over keeping.
    pub fn code<'a>(&self, safe: &'a str, options: &[u8; 10]) -> (&'a str, Option<ProfileOption>) {
        let given = |code: u8| {
            let all = ProfileOption::ALL.into_iter().zip(options);
            all.filter(|(option, _)| self.has(*option)).find(|(_, given)| **given == code)
        };
        match (given(b'C'), given(b'K')) {
            (Some((option, _)), _) => ("C", Some(option)),
            (_, Some((option, _))) => ("K", Some(option)),
            _ => (safe, None),
        }
    }
}

/// What the profile does with elements that no row is about: indices of its rules.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) spec: ProfileSpec,
    pub(super) dates: usize,
    uids: usize,
    declared_uids: usize,
    names: usize,
    urls: usize,
    unknown: usize,
    private: usize,
    safe_private: usize,
    pub(super) content: content::ContentRules,
    /// Where there are masks.
    pub(super) masked: Option<MaskedRules>,
    /// Sorted; with the VR of the table.
    safe: Vec<(CreatorId, u16, u8, Vr)>,
}

/// Indices of the rules for objects whose pixels are masked.
#[derive(Clone, Copy, Debug)]
pub(super) struct MaskedRules {
    pub(super) pixels: usize,
    pub(super) flag: usize,
    method: usize,
    codes: usize,
    rgb: usize,
    together: usize,
    gone: usize,
}

impl MaskedRules {
    /// The rule for an element at the top, in place of the one for objects that are not masked.
    pub(super) fn decide(&self, tag: Tag) -> Option<usize> {
        match tag {
            FLAG => Some(self.flag),
            compile::METHOD => Some(self.method),
            compile::METHOD_CODES => Some(self.codes),
            _ => None,
        }
    }

    /// As [`decide`](Self::decide), where the pixel data are decoded as well.
    pub(super) fn decide_on_decoded(&self, tag: Tag, to_rgb: bool) -> Option<usize> {
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
    pub(super) fn decide(
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
    pub(super) fn of_declared(&self, vr: Vr, written: Vr) -> usize {
        if vr == Vr::UI { self.declared_uids } else { self.of_safe(vr, written) }
    }

    /// Whether a private creator keeps some of its elements in a group.
    pub(super) fn keeps_creator(&self, group: u16, creator: Option<CreatorId>) -> bool {
        let Some(creator) = creator else { return false };
        let from = self.safe.partition_point(|&(c, g, ..)| (c, g) < (creator, group));
        self.safe.get(from).is_some_and(|&(c, g, ..)| (c, g) == (creator, group))
    }

    pub(super) fn private_rule(&self) -> usize {
        self.private
    }
}
