//! Whole data sets through whole rulesets.

mod support;
mod structure;
