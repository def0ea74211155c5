//! Whole files: the examples, and what is wrong with broken ones.

mod broken;
mod crosswalks;
mod examples;
mod material;
mod repositories;
