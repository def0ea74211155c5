//! Any text as a configuration: settings, or problems that each point to a place in it.

use std::path::Path;

use dimsegate::config;

/// Of a text in a file of the folder, in which nothing lies that it could name.
pub fn check(input: &[u8], folder: &Path) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let file = folder.join("dimsegate.toml");
    std::fs::write(&file, text).expect("a file written");
    let found = match config::load(&file) {
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
}
