//! Rules as an administrator writes them, before they are checked.

use super::profile::ProfileSpec;
use aws_lc_rs::hmac;

/// One rule. The keys that an action does not use must be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSpec {
    /// A keyword (`PatientName`), a tag (`(0010,0010)`), one with `x` for any digit (`(0009,xxxx)`, `(60xx,3000)`), or a
    /// private creator with the low byte of the element, or `xx` for its whole block: `(0009,ACME 1.0,10)`.
    pub tag: String,
    /// `keep`, `remove`, `empty`, `replace`, `set`, `pattern`, `pseudonym` or `uid`.
    pub action: String,
    /// For `replace`, `set` and `pattern`; in the latter, `$1` is what the first group found. In the others, `{pseudonym}`
    /// stands for the patient, `{value}` for the element's own value, `{peer}` for the peer's name, `{tenant}` for whose the
    /// peer is, `{sequence}` for the number of the data set in its association.
    pub value: Option<String>,
    /// For `pattern`: a regular expression, looked for in each value.
    pub find: Option<String>,
    /// For `pseudonym`, and values with a pseudonym in them: 8 to 64 hexadecimal digits, 16 where absent.
    pub length: Option<usize>,
}

/// Rules in order, and what they need.
#[derive(Clone, Debug)]
pub struct RulesetSpec {
    /// Those that an administrator wrote. The first that fits an element decides on it.
    pub rules: Vec<RuleSpec>,
    /// What decides where no rule does; needs a secret.
    pub profile: Option<ProfileSpec>,
    /// For the profile, `pseudonym`, `uid`, and values with pseudonyms in them: HMAC-SHA-256.
    pub secret: Option<hmac::Key>,
    /// The version of the secret, where secrets have versions.
    pub secret_version: Option<u32>,
    /// Secrets of other versions, that pseudonyms were or will be made with.
    pub other_secrets: Vec<(u32, hmac::Key)>,
    /// Whether patients with the same Patient ID (0010,0020) of two issuers (0010,0021) are two; otherwise the issuer says
    /// nothing.
    pub with_issuer: bool,
    /// Whether headers that break the standard, but have one reading, are put right; otherwise they are refused.
    pub is_tolerant: bool,
    /// Nested sequences allowed, at most [`HARD_MAX_DEPTH`](crate::dataset::HARD_MAX_DEPTH).
    pub max_depth: usize,
    /// Bytes that a deflated data set may inflate to.
    pub max_inflated: u64,
}

impl Default for RulesetSpec {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            profile: None,
            secret: None,
            secret_version: None,
            other_secrets: Vec::new(),
            with_issuer: true,
            is_tolerant: true,
            max_depth: 32,
            max_inflated: 512 << 20,
        }
    }
}

/// What is wrong with a rule, and what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("rule {}: {key}: {message}", rule_index + 1)]
pub struct RuleProblem {
    /// Counted from 0.
    pub rule_index: usize,
    /// The field of [`RuleSpec`].
    pub key: &'static str,
    /// What was read, and what would be right.
    pub message: String,
}
