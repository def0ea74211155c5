//! Whole data sets through whole rulesets.

mod structure;
mod support;
