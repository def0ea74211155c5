//! Any text as a configuration: settings, or problems that each point to a place in it.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use dimsegate::config;
use libfuzzer_sys::fuzz_target;

/// A folder in which no file lies that a text could name.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("dimsegate-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::env::set_current_dir(&folder).expect("a folder");
    folder.join("dimsegate.toml")
});

fuzz_target!(|text: &str| {
    std::fs::write(&*FILE, text).expect("a file written");
    let found = match config::load(&FILE) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => {
            assert!(!problems.errors.is_empty());
            assert_eq!(problems.to_string().lines().count(), problems.errors.len(), "{problems}");
            problems.errors.into_iter().chain(problems.warnings).collect()
        }
    };
    for problem in found {
        let lines = text.split('\n').count();
        assert!((1..=lines).contains(&problem.line), "{problem}: of {lines} lines");
        let line = text.split('\n').nth(problem.line - 1).unwrap_or_default();
        assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problem}: of {line:?}");
        assert!(
            !problem.problem.is_empty() && !problem.to_string().contains(|c: char| c.is_control()),
            "{problem}"
        );
    }
});
