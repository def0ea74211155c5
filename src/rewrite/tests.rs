//! Whole data sets through whole rulesets.

mod actions;
mod burned_in;
mod compiling;
mod decoding;
mod deflated;
mod fitting;
mod identifying;
mod oracle;
mod pixels;
mod private;
mod profile;
mod profile_rows;
mod remembering;
mod structure;
mod support;
mod tolerance;
mod two_way;
mod waiting;
