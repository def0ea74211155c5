//! `[[crosswalk]]`: where it is remembered what pseudonyms stand for.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::names::{NAME, Names};
use super::report::Located;
use super::secret;
use super::section::Section;
use super::settings::CrosswalkSettings;
use crate::crosswalk::{self, CrosswalkError, Secret};

#[derive(Default)]
pub(super) struct Crosswalks {
    pub names: Names,
    pub compiled: BTreeMap<Arc<str>, CrosswalkSettings>,
}

impl Crosswalks {
    /// All tables; of those that are not wanted only the names are looked at.
    pub(super) fn read(root: &Section<'_>, wanted: impl Fn(Option<&str>) -> bool) -> Self {
        let mut crosswalks = Self { names: Names::of("crosswalk", root), ..Self::default() };
        let mut files: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for section in root.tables("crosswalk") {
            let name = crosswalks.names.define(&section);
            if !wanted(section.called()) {
                section.require(&[NAME]);
                continue;
            }
            let settings = crosswalk(&section, &mut files);
            crosswalks.compiled.extend(name.zip(settings));
        }
        crosswalks
    }
}

fn crosswalk(section: &Section<'_>, files: &mut BTreeMap<PathBuf, usize>) -> Option<CrosswalkSettings> {
    let line = section.line();
    section.require(&[
        NAME,
        ("file", "name the database; it is made where it is missing"),
        ("key-file", "name the file with the key that it is encrypted with"),
    ]);
    let key_file = section.path("key-file");
    let secret = key_file.as_ref().and_then(|path| secret::bytes(section.report, path)).map(Secret::new);
    let file = section.path("file")?;
    if let Some(first) = files.insert(file.value.clone(), line) {
        let problem = format!("is the file of the crosswalk in line {first}");
        let remedy = "give each its own; several [[rewrite]] may name one crosswalk";
        section.report.error(&file.place, problem, remedy);
        return None;
    }
    let (secret, key_file) = secret.zip(key_file)?;
    if let Err(error) = crosswalk::probe(&file.value, &secret) {
        let of_the_key = matches!(error, CrosswalkError::OtherKey { .. });
        let place = if of_the_key { &key_file.place } else { &file.place };
        section.report.error(place, error.to_string(), "");
        return None;
    }
    let Located { value: path, .. } = file;
    Some(CrosswalkSettings { path, key_file: key_file.value, secret, line })
}
