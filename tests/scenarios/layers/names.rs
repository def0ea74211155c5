//! The paths that a file names, read from its text.

use std::collections::BTreeSet;
use std::path::Path;

use super::source_folder;

/// Paths as they are written, each with whether it stands in a `pub use`.
pub(super) type Paths = Vec<(String, bool)>;

/// The path of a file's module, without `crate`.
pub(super) fn module_of(file: &Path) -> Vec<String> {
    let below = file.strip_prefix(source_folder()).expect("a file of src/").with_extension("");
    let mut segments: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    segments.pop_if(|last| last == "mod");
    segments
}

/// Paths in `use`, and those elsewhere that begin with `crate` or `super`.
pub(super) fn paths_of(code: &str) -> Paths {
    let (mut paths, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let Some((is_public, tree)) = use_in(line) else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.ends_with(';') {
            tree.push_str(lines.next().expect("the rest of a use").trim());
        }
        paths.extend(leaves(tree.trim_end_matches(';')).into_iter().map(|path| (path, is_public)));
    }
    let words = rest.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | ':')));
    let named = words.filter(|word| ["crate::", "super::"].iter().any(|start| word.starts_with(start)));
    paths.extend(named.map(|path| (path.trim_end_matches(':').to_owned(), false)));
    paths
}

/// What stands behind the `use` of a line, and whether that is public.
fn use_in(line: &str) -> Option<(bool, &str)> {
    let line = line.trim();
    if let Some(tree) = line.strip_prefix("use ") {
        return Some((false, tree));
    }
    let (visibility, tree) = line.split_once(" use ").or_else(|| line.split_once("use "))?;
    let is_visibility = visibility == "pub" || visibility.starts_with("pub(") && visibility.ends_with(')');
    is_visibility.then_some((true, tree))
}

/// The paths of a tree such as `a::{self, b::{c, d as e}}`.
fn leaves(tree: &str) -> Vec<String> {
    let Some((before, group)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap_or_default().trim().to_owned()];
    };
    let group = group.rsplit_once('}').map_or(group, |(group, _)| group);
    let (mut found, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices().chain([(group.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let one = group[start..at].trim();
                found.extend(leaves(one).into_iter().filter(|leaf| !leaf.is_empty()));
                start = at + 1;
            }
            _ => {}
        }
    }
    found.into_iter().map(|leaf| format!("{}{leaf}", before.trim())).collect()
}

/// Where a path leads that a module names, from the crate's root; `None` for what is not of this crate. A path may begin
/// with one of the module's own `modules`.
pub(super) fn absolute(
    path: &str,
    module: &[String],
    modules: Option<&BTreeSet<String>>,
) -> Option<Vec<String>> {
    let mut segments = path.split("::").map(str::to_owned).peekable();
    let mut start = match segments.peek()?.as_str() {
        "crate" => Vec::new(),
        "super" | "self" => module.to_vec(),
        first if modules.is_some_and(|modules| modules.contains(first)) => module.to_vec(),
        _ => return None,
    };
    while segments.next_if(|segment| segment == "super").is_some() {
        start.pop();
    }
    segments.next_if(|segment| segment == "crate" || segment == "self");
    start.extend(segments);
    Some(start)
}

#[test]
fn paths_are_found_wherever_they_stand() {
    let code = "use super::a::{\n    self, b::{C, D as E},\n};\npub(super) use f::G;\nfn h(i: super::super::j::K) -> crate::L {\n    x::y()\n}";
    let found =
        ["super::a::self", "super::a::b::C", "super::a::b::D", "f::G", "super::super::j::K", "crate::L"];
    assert_eq!(paths_of(code).into_iter().map(|(path, _)| path).collect::<Vec<_>>(), found);
    assert_eq!(paths_of(code).iter().filter(|(_, is_public)| *is_public).count(), 1);
    let module = ["rewrite", "pixels", "codec"].map(str::to_owned);
    let leads = |path: &str| absolute(path, &module, None).map(|segments| segments.join("/"));
    assert_eq!(leads("super::super::error::X").as_deref(), Some("rewrite/error/X"));
    assert_eq!(leads("crate::wire::Uid").as_deref(), Some("wire/Uid"));
    assert_eq!(leads("std::sync::Arc"), None);
    let own = BTreeSet::from(["jpeg".to_owned()]);
    assert_eq!(
        absolute("jpeg::Y", &module[..2], Some(&own)),
        Some(["rewrite", "pixels", "jpeg", "Y"].map(str::to_owned).into())
    );
}
