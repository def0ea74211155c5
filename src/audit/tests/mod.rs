mod keeping;
pub(crate) mod kinds;
mod lines;
mod sink;
