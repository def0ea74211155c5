//! The profile as it is wanted.

use super::super::pixels::MaskSpec;
use super::super::words::Vocabulary;
use super::option::ProfileOption;

/// The profile as it is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSpec {
    /// What is kept or cleaned beyond the basic profile; none is there twice.
    pub options: Vec<ProfileOption>,
    /// Bounds of the days by which dates are shifted, for modified dates.
    pub date_shift_days: (i32, i32),
    /// Whether times of day stay, for modified dates.
    pub keep_times: bool,
    /// Whether an encapsulated document refuses its object, rather than being replaced by an empty one.
    pub refuse_documents: bool,
    /// Whether private SOP classes are refused: the profile does not say how they are de-identified.
    pub refuse_private_classes: bool,
    /// What becomes of pixels with text in them.
    pub burned_in: BurnedIn,
    /// Words that stay in texts that are cleaned.
    pub vocabulary: Vocabulary,
    /// Whether identifiers of the header, and what has the shape of one, are looked for in every text that is kept.
    pub clean_identifiers: bool,
    /// What identifiers look like at this site: regular expressions.
    pub identifiers: Vec<String>,
}

/// What becomes of objects that are likely to carry burned-in text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BurnedIn {
    /// They go on as they came: somebody looked at them, or looks at them behind the proxy.
    Pass,
    /// They are refused, as are objects with overlays in the bits of their pixels.
    Refuse,
    /// Every object that masks fit is masked, likely to carry text or not. One that is likely to, and that none fits, is
    /// refused, or passed.
    Mask {
        /// All that fit an image count together.
        masks: Vec<MaskSpec>,
        /// Whether of ultrasound is blanked what lies outside of its regions (0018,6011), whatever masks fit.
        by_regions: bool,
        /// Whether an object that is likely to carry text, and that no mask fits, is refused; otherwise it passes.
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
            vocabulary: Vocabulary::default(),
            clean_identifiers: true,
            identifiers: Vec::new(),
        }
    }
}

impl ProfileSpec {
    /// Whether an option is among those wanted.
    pub fn has(&self, option: ProfileOption) -> bool {
        self.options.contains(&option)
    }

    /// Whether texts are cleaned by a vocabulary.
    pub fn cleans_texts(&self) -> bool {
        self.has(ProfileOption::CleanDescriptors) || self.has(ProfileOption::RetainPatientCharacteristics)
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
