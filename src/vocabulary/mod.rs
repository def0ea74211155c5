//! One word for each thing that happens: its label, what it means, where to look, how it is answered, and what a
//! repository is told.
//!
//! # Why
//!
//! A refusal is said in six places: on the wire, in the record, in the log, by `explain`, by `audit show` and the report,
//! and in the message to a repository. Each of them reads the one row here, so that they cannot drift apart. A label is
//! stable: scripts and repositories look for it. Whoever makes a thing happen names a variant, never a text, so that a
//! label without a row cannot be recorded, and the scenario `vocabulary` finds a row that nothing makes.
//!
//! | enum | says why, or how |
//! | --- | --- |
//! | [`Reason`] | a connection or an association was refused |
//! | [`Cause`] | an operation was refused, or failed |
//! | [`Notice`] | the proxy tells of itself and its surroundings |
//! | [`Ended`] | an association ended |
//! | [`HandshakeFault`] | a TLS handshake failed |
//! | [`HeadFound`] | a trail was found as it was when a run began |
//! | [`Tolerance`] | a message was read though it breaks the standard |

#[macro_use]
mod word;

mod cause;
mod ended;
mod handshake;
mod head;
mod notice;
mod reason;
mod rejection;
mod tolerance;

pub use cause::Cause;
pub use ended::Ended;
pub use handshake::HandshakeFault;
pub use head::HeadFound;
pub use notice::Notice;
pub use reason::Reason;
pub use rejection::{Rejection, of_rejection};
pub use tolerance::{OF_RESPONSE, Tolerance, left_out, of_tolerated};
pub use word::{Alert, Answer, Vocabulary, Word};

/// Every word that the `reason` of a record may begin with. A health check is counted and never recorded.
pub fn reasons() -> impl Iterator<Item = &'static Word> {
    let words = [Reason::WORDS, Cause::WORDS, Notice::WORDS].into_iter().flatten();
    words.filter(|word| word.label != Reason::HealthCheck.label())
}

/// The word of a `reason`, by its label.
pub fn of_reason(label: &str) -> Option<&'static Word> {
    reasons().find(|word| word.label == label)
}

/// The word of a closing record's `ended`.
pub fn of_ending(label: &str) -> Option<&'static Word> {
    Ended::WORDS.iter().find(|word| word.label == label)
}

/// The word of the `head` of a `trail-continued`.
pub fn of_head(label: &str) -> Option<&'static Word> {
    HeadFound::WORDS.iter().find(|word| word.label == label)
}

#[cfg(test)]
mod tests {
    use super::{Ended, HandshakeFault, HeadFound, Word, reasons};
    use std::collections::BTreeSet;

    fn every_word() -> impl Iterator<Item = &'static Word> {
        reasons().chain(Ended::WORDS).chain(HeadFound::WORDS).chain(HandshakeFault::WORDS)
    }

    #[test]
    fn a_label_is_kebab_case_and_stands_for_one_thing() {
        let labels: Vec<&str> = reasons().map(|word| word.label).collect();
        assert_eq!(labels.iter().collect::<BTreeSet<_>>().len(), labels.len(), "{labels:?}");
        for word in every_word() {
            let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(!word.label.is_empty() && word.label.chars().all(is_kebab), "{word:?}");
        }
    }

    #[test]
    fn each_word_says_what_it_means_and_where_to_look() {
        for word in every_word() {
            for said in [word.what, word.look] {
                assert!(!said.is_empty() && !said.ends_with('.'), "{word:?}");
            }
        }
    }
}
