mod lines;
mod sink;
