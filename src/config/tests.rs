//! Whole files: the examples, and what is wrong with broken ones.

mod authorities;
mod broken;
mod crosswalks;
mod examples;
mod material;
mod mutations;
mod parts;
mod repositories;
mod risks;
