//! What the archive kept of the study that was sent, looked at with other eyes than the proxy's.

use std::fs;
use std::path::{Path, PathBuf};

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::{DefaultDicomObject, InMemDicomObject};

use super::failure::Failure;
use super::phantom::TRACES;

/// The archive's objects in the order of the study.
#[derive(Debug)]
pub(super) struct Kept {
    objects: Vec<(PathBuf, DefaultDicomObject)>,
}

impl Kept {
    /// Finds each object of `study` among the archive's files by series and instance number: its UIDs are other ones.
    ///
    /// # Errors
    /// When a file is no DICOM file, or an object is missing.
    pub(super) fn of(study: &[DefaultDicomObject], files: &[PathBuf]) -> Result<Self, Failure> {
        let mut archived = Vec::with_capacity(files.len());
        for file in files {
            let object = dicom_object::open_file(file).map_err(|error| unreadable(file, &error))?;
            archived.push((file.clone(), object));
        }
        let objects: Vec<_> = study
            .iter()
            .filter_map(|sent| {
                let found = archived.iter().position(|(_, stored)| place(stored) == place(sent))?;
                Some(archived.swap_remove(found))
            })
            .collect();
        if objects.len() == study.len() {
            Ok(Self { objects })
        } else {
            Err(Failure::Lost { found: objects.len(), sent: study.len() })
        }
    }

    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// The object at this place of the study.
    pub(super) fn object(&self, index: usize) -> Option<&DefaultDicomObject> {
        self.objects.get(index).map(|(_, object)| object)
    }

    /// Whether the bytes of no file, wherever, have what tells who the patient is.
    ///
    /// # Errors
    /// The file, and what it still has.
    pub(super) fn hold_no_traces(&self) -> Result<(), Failure> {
        for (path, _) in &self.objects {
            let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
            let left = |trace: &&&str| bytes.windows(trace.len()).any(|window| window == trace.as_bytes());
            if let Some(what) = TRACES.iter().find(left) {
                return Err(Failure::NotRewritten { file: path.display().to_string(), what });
            }
        }
        Ok(())
    }

    /// Whether each reference leads to an object that the archive kept.
    ///
    /// # Errors
    /// The instance whose reference leads nowhere.
    pub(super) fn refer_to_each_other(&self) -> Result<(), Failure> {
        let instances: Vec<_> =
            self.objects.iter().map(|(_, object)| text(object, tags::SOP_INSTANCE_UID)).collect();
        for (_, object) in &self.objects {
            let references =
                object.get(tags::REFERENCED_IMAGE_SEQUENCE).and_then(|sequence| sequence.items());
            for reference in references.unwrap_or_default() {
                if !instances.contains(&text(reference, tags::REFERENCED_SOP_INSTANCE_UID)) {
                    let instance = text(object, tags::SOP_INSTANCE_UID).unwrap_or_default();
                    return Err(Failure::DanglingReference { instance });
                }
            }
        }
        Ok(())
    }
}

fn place(object: &InMemDicomObject) -> [Option<String>; 3] {
    [tags::STUDY_ID, tags::SERIES_NUMBER, tags::INSTANCE_NUMBER].map(|tag| text(object, tag))
}

fn text(object: &InMemDicomObject, tag: Tag) -> Option<String> {
    let value = object.get(tag)?.to_str().ok()?;
    Some(value.trim_end_matches(['\0', ' ']).to_owned())
}

fn unreadable(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    Failure::Unreadable { file: path.display().to_string(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests;
