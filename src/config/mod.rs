//! TOML to compiled settings, with every problem at once.

mod settings;

pub use settings::*;
