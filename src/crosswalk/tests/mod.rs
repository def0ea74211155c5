//! Against real files.

mod at_rest;
mod folder;
mod formats;
mod meanings;
mod sharing;
mod upkeep;
