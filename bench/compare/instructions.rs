//! The instruction counts beside the other figures.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use crate::counting::{self, Counts};

/// Counts, compares and prints.
pub fn run(accept: bool) -> io::Result<Counts> {
    counting::run(&program()?, accept)
}

/// Builds the paths and says where cargo put them.
fn program() -> io::Result<PathBuf> {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--locked", "--config", "bench/instructions/profile.toml"]);
    build.args(["--example", "instructions", "--message-format=json"]);
    let output = build.current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let messages = text.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let built = messages.filter(|message| message["target"]["name"] == "instructions");
    let path = built.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).next_back();
    path.ok_or_else(|| io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}
