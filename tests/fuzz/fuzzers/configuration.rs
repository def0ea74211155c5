#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

#[path = "../configuration.rs"]
mod configuration;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dimsegate-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::env::set_current_dir(&folder).expect("a folder");
    folder
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| configuration::check(input, &FOLDER));
