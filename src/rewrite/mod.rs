//! De-identification of data sets in flight (PS3.15 Annex E): rules, and a streaming transform over
//! [`dataset`](crate::dataset). No I/O.
//!
//! A [`RulesetSpec`] compiles into a [`Ruleset`], which every data set's [`Transform`] shares. Which rule decides on an
//! element is a look-up in a table, apart from the mechanics of the stream.
//!
//! # What rules do
//!
//! Rules stand in an order; the first whose tag matches an element decides. They hold at every depth. `keep` on a sequence
//! keeps the sequence itself: rules still look at the elements of its items. What is not touched stays as it was, byte for
//! byte, with these exceptions: group length elements are dropped (they are retired, and would lie), and a sequence or
//! item of defined length over 64 KiB goes out with undefined length.
//!
//! Under a profile three things besides are not what they were, whatever its rows say: what stands beside the pixels in the same
//! bytes is overwritten (`pixels::asides`), a value that its VR does not allow goes (`fitting`), and identifiers of the header
//! become marks in every text that is kept (`identifiers`).
//!
//! # Two ways
//!
//! Where a [crosswalk](Correspondences) remembers what was made, the same rules lead back: [`Transform::across`] takes
//! a data set to either side. A rule's action is then undone, or translates a key: `applying::back` and `applying::keys` have a table each.
//!
//! # What cannot be read
//!
//! fails: a data set with tags twice or out of order, groups 0000 or 0002, unknown VRs, lengths beyond what holds them, too
//! deep a nesting, or an end inside an element gives a [`RewriteError`], and no byte behind it. Where the header breaks
//! the standard but leaves one reading, it is [put right](crate::dataset::Mending) first, and behind it what needs nothing
//! but [what is at hand](crate::dataset::Scanner::tolerating); both are noted in the [`Summary`]. An odd length stays as it was. A private or unlisted element of defined length, written as UN or in
//! implicit VR, is a sequence where its value begins with an item, and is refused where it then cannot be read as one,
//! unless a rule says what becomes of the whole of it.
//!
//! # Who drives it
//!
//! A [`Transform`] never does more at once than a [`Step`]: deflated data sets are read a piece at a time, and frames are
//! handed out to be decoded elsewhere.
//!
//! # Floors
//!
//! Each module names modules of lower floors only, from the first, which is the ground, to the last.
//!
//! | floor | modules |
//! | --- | --- |
//! | words, and values with their encodings | `change`, `character_set`, `correspondence`, `creator`, `decay`, `dummy`, `error`, `fitting`, `instances`, `keyed`, `output`, `patient_id`, `regular`, `schedule`, `subject`, `suggest`, `value`, `way` |
//! | what is made of them, and no rule yet | `dates`, `instance`, `levels`, `mode`, `pixels`, `planting`, `restored`, `scope`, `tag_pattern`, `template`, `words` |
//! | what a rule does; pseudonyms of a data set; the patient's own words; what is noted of it | `action`, `identifiers`, `notes`, `pseudonyms`, `step` |
//! | a rule; what values depend on | `facts`, `rule` |
//! | rules of the profile; on whom a message is | `owner`, `profile` |
//! | rules looked up, and applied to a value | `applying`, `lookahead`, `spec`, `table` |
//! | a set of rules compiled, described, asked; the element under way | `boundary`, `canary`, `compile`, `current`, `statement`, `versions` |
//! | a data set on its way | `rewriting` |
//! | one that comes deflated | `deflated` |
//! | the transform | `transform` |
//!
//! # Why
//!
//! What a rule does is data ([`Ruleset`]), what a data set is to its message is a mode, and one place brings both together.
//! It was otherwise: actions applied themselves and held the actions that undo them, a set of rules was cloned for each
//! mode, and to read one file meant to read them all. Words and values are on the ground, so that the profile, the compiler
//! and the engine, which say when a date or a dummy is written, need not know each other.

mod action;
mod applying;
mod boundary;
pub mod canary;
mod change;
mod character_set;
mod compile;
mod correspondence;
mod creator;
mod current;
mod dates;
mod decay;
mod deflated;
mod dummy;
mod error;
mod facts;
mod fitting;
mod identifiers;
mod instance;
mod instances;
mod keyed;
mod levels;
mod lookahead;
mod mode;
mod notes;
mod output;
mod owner;
mod patient_id;
mod pixels;
mod planting;
mod profile;
mod pseudonyms;
mod regular;
mod restored;
mod rewriting;
mod rule;
mod schedule;
mod scope;
mod spec;
mod statement;
mod step;
mod subject;
mod suggest;
mod table;
mod tag_pattern;
mod template;
mod transform;
mod value;
mod versions;
mod way;
mod words;

pub use change::{Change, Content};
pub use character_set::text_of;
pub use correspondence::{Correspondence, Correspondences, Kind, Unavailable, Written};
pub use error::{RewriteError, RewriteProblem};
pub use fitting::are_legal;
pub use identifiers::{MOST_SHAPES as MOST_IDENTIFIERS, Recalled, check as check_identifier};
pub use instance::Instance;
pub use notes::Summary;
pub use output::{Output, Piece};
pub use patient_id::{issuer_of, patient_id_of, patient_key};
pub use pixels::{Frame, FrameMemory, MaskSpec, Picture, Pixels, Rectangle, Viewing, known_devices};
pub use profile::{BurnedIn, EDITION, ProfileOption, ProfileSpec, ROWS, Row};
pub use spec::{RuleProblem, RuleSpec, RulesetSpec};
pub use step::Step;
pub use subject::{Expected, LeftOut, Subject};
pub use table::Ruleset;
pub use tag_pattern::attributes;
pub use transform::Transform;
pub use versions::Pseudonyms;
pub use way::Way;
pub use words::{Vocabulary, WordProblem};

#[cfg(test)]
mod tests;
