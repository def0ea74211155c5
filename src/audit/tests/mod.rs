mod keeping;
mod lines;
mod sink;
