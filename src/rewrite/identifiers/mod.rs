//! The patient's own words, looked for in every text that goes out.
//!
//! A table of attributes cannot say what people write into attributes that it does not list. What the header of a data set
//! says of its patient, of who treats them and where, is [collected](Collected) before anything of it goes out; a [`Finder`](finder::Finder)
//! knows the [forms] in which that may be written, and [cleans](cleaning) texts of them: what is found becomes a mark
//! that can be seen, and nothing else changes. Beside them it looks for what is an identifier by its
//! [shape](shapes): dates, ages over 89, telephone numbers, mail addresses, UIDs, long numbers, and what a site says.
//!
//! # What is compared
//!
//! Text is compared [folded](folding): without case, and without marks on its letters. What is found begins and ends where a
//! word does: `Ann` is not in `planning`. Where bytes cannot be told to be characters they are compared in each way in which
//! they can be [read](readings), and a text in which something is found then goes whole, since to cut it could break what is
//! left.
//!
//! # Bounds
//!
//! Of one data set no more is collected than [`Collected`] has room for; one with more is refused. A finder takes memory by
//! that, and time by the length of what it looks through, whatever [overlaps](search) in it.

mod cleaning;
mod codes;
mod collected;
mod finder;
mod folding;
mod forms;
mod readings;
mod recalled;
mod search;
mod shapes;
mod sought;
mod sources;
#[cfg(test)]
mod tests;

pub(super) use cleaning::{Reach, clean, reach};
pub(super) use collected::Collected;
pub use recalled::Recalled;
pub(super) use shapes::Shapes;
pub use shapes::{MOST_SHAPES, check};
pub(super) use sought::Sought;
pub(super) use sources::{LAST, SOURCES, is_among};
