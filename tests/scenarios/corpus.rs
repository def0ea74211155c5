//! Real input: every DICOM file that the wheels of pydicom and pydicom-data carry, broken ones too.

use std::fs;
use std::path::{Path, PathBuf};

use crate::peers::peers_folder;

/// Their paths, sorted. Panics when the wheels are missing or have shrunk.
pub fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&peers_folder().join("venv/lib"), &mut found);
    found.retain(|path| path.extension().is_some_and(|end| end == "dcm") && is_ours(path));
    found.sort();
    assert!(found.len() > 150, "only {} files in the wheels; tests/run installs them", found.len());
    found
}

fn is_ours(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("site-packages/pydicom/") || text.contains("site-packages/data_store/")
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            walk(&path, found);
        } else {
            found.push(path);
        }
    }
}
