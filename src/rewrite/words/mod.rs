//! Free text cleaned (PS3.15 E.3.5): words of a vocabulary stay, and what goes leaves a mark.
//!
//! # Why a vocabulary
//!
//! A list of what may stay cannot miss a name that nobody thought of, as a list of what must go does.
//!
//! # Why marks
//!
//! A text without some of its words says something else: without its "no", a tumor is there. So nothing goes unseen. What
//! comes out is the text that came, letter for letter, with `[...]` in the holes. A reader sees where something was.
//!
//! In one object, the same words have the same mark and other words have another: `[...]`, `[...2]`, `[...3]`. So two
//! structures that had two names still have two. The number counts what was dropped, in the order in which it came. It is
//! made of no word, and the next object begins at one again.
//!
//! # How a text is read
//!
//! ```text
//! "CT SpinalCord_PRV05 w/o, Dr. Doe 12.3.1950"     a value, decoded
//!  CT SpinalCord PRV05 w/o  Dr Doe 12.3.1950       tokens: letters and digits, and what the vocabulary joins
//!  ok Spinal+Cord PRV+05 ok  -  -  date            what each says, read in parts
//!  CT SpinalCord_PRV05 w/o, [...]                  those that go become a mark, with what stands between them
//! ```
//!
//! # Floors
//!
//! | file | holds |
//! | --- | --- |
//! | `fold` | letters without case and accents |
//! | `sense` | what a word does in a text |
//! | `endings` | the forms of one word, and the ends of terms |
//! | `marks` | which mark stands for which words |
//! | `text` | a value cut into tokens |
//! | `shipped`, `lists/` | the words that come with dimsegate |
//! | `site` | the words of a site's own file |
//! | `vocabulary` | both of them, looked up |
//! | `number` | numbers that may stay |
//! | `pieces` | a token cut into pieces |
//! | `parts` | what a token says, read in parts |
//! | `judging` | which tokens of a value go |
//! | `cleaning` | a value written anew |

mod cleaning;
mod endings;
mod fold;
mod judging;
mod marks;
mod number;
mod parts;
mod pieces;
mod sense;
mod shipped;
mod site;
mod text;
mod vocabulary;

pub(super) use cleaning::Cleaner;
pub(super) use marks::Marks;
pub use vocabulary::{Vocabulary, WordProblem};

#[cfg(test)]
mod tests;
