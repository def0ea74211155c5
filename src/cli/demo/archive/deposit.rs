//! One object on its way into the folder: a temporary file until it is whole and on the disk.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use dicom_object::FileMetaTableBuilder;
use tempfile::NamedTempFile;

use crate::dimse::{Command, Status};

const LARGEST: u64 = 1 << 30;

/// A Part 10 file being written. Dropped before [`Deposit::keep`], it leaves nothing behind.
#[derive(Debug)]
pub(super) struct Deposit {
    file: NamedTempFile,
    path: PathBuf,
    length: u64,
}

impl Deposit {
    /// Opens a file for the instance that `request` names and writes its preamble and file meta information.
    ///
    /// # Errors
    /// The status for the response: a UID that is none (and could not name a file), or no room.
    pub(super) fn begin(
        folder: &Path,
        request: &Command,
        transfer_syntax: &str,
        calling: &str,
    ) -> Result<Self, Status> {
        let named = request.sop_class().zip(request.affected_sop_instance());
        let named = named.filter(|(class, instance)| is_uid(class) && is_uid(instance));
        let (class, instance) = named.ok_or(Status::INVALID_INSTANCE)?;
        let meta = FileMetaTableBuilder::new()
            .media_storage_sop_class_uid(class)
            .media_storage_sop_instance_uid(&instance)
            .transfer_syntax(transfer_syntax)
            .source_application_entity_title(calling)
            .build()
            .map_err(|error| out_of_resources(&error))?;
        let mut header = vec![0; 128];
        header.extend_from_slice(b"DICM");
        meta.write(&mut header).map_err(|error| out_of_resources(&error))?;
        let mut file = NamedTempFile::new_in(folder).map_err(|error| out_of_resources(&error))?;
        file.write_all(&header).map_err(|error| out_of_resources(&error))?;
        Ok(Self { file, path: folder.join(format!("{instance}.dcm")), length: 0 })
    }

    /// Adds a fragment of the data set, as it came.
    ///
    /// # Errors
    /// The status for the response when it cannot be written; the file is gone then.
    pub(super) fn append(mut self, fragment: &[u8]) -> Result<Self, Status> {
        self.length = self.length.saturating_add(fragment.len() as u64);
        if self.length > LARGEST {
            return Err(out_of_resources(&format!("an object of more than {LARGEST} bytes")));
        }
        self.file.write_all(fragment).map_err(|error| out_of_resources(&error))?;
        Ok(self)
    }

    /// The status of the response: success only when the file and its name are on the disk.
    pub(super) async fn keep(self) -> Status {
        // fsync may take long enough to hold up the other associations of a worker.
        match tokio::task::spawn_blocking(move || self.persist()).await {
            Ok(Ok(())) => Status::SUCCESS,
            Ok(Err(error)) => out_of_resources(&error),
            Err(error) => out_of_resources(&error),
        }
    }

    fn persist(self) -> io::Result<()> {
        self.file.as_file().sync_all()?;
        let folder = self.path.parent().map(Path::to_path_buf);
        self.file.persist(&self.path).map_err(|error| error.error)?;
        folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

fn out_of_resources(reason: &dyn std::fmt::Display) -> Status {
    tracing::warn!(%reason, "the archive could not keep an object");
    Status::OUT_OF_RESOURCES
}

/// PS3.5 §9.1: digits in components, so that no name is empty, hidden, or a step upwards.
fn is_uid(text: &str) -> bool {
    let component = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 64 && text.split('.').all(component)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dimse;
    use crate::scratch::Scratch;

    fn request(sop_instance: &str) -> Command {
        Command::parse(dimse::store_request("1.2.840.10008.5.1.4.1.1.2", sop_instance, 1)).unwrap()
    }

    #[test]
    fn only_uids_name_files() {
        let folder = Scratch::new();
        for bad in ["", "..", ".1", "1.", "1..2", "../1", "1/2", "1.2a", "1.2\0a", &"1".repeat(65)] {
            let request = request(bad);
            assert_eq!(
                Deposit::begin(folder.path(), &request, "1.2.840.10008.1.2.1", "CT").err(),
                Some(Status::INVALID_INSTANCE),
                "{bad}"
            );
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_kept_leaves_nothing() {
        let folder = Scratch::new();
        let request = request("2.25.1");
        let deposit = Deposit::begin(folder.path(), &request, "1.2.840.10008.1.2.1", "CT").unwrap();
        drop(deposit.append(b"half an obj").unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn an_object_that_cannot_be_kept_is_not_called_stored() {
        let folder = Scratch::new();
        // A folder where the file should go: the rename fails, for root too.
        std::fs::create_dir_all(folder.path().join("2.25.1.dcm/in-the-way")).unwrap();
        let request = request("2.25.1");
        let deposit = Deposit::begin(folder.path(), &request, "1.2.840.10008.1.2.1", "CT").unwrap();
        assert_eq!(deposit.append(b"object").unwrap().keep().await, Status::OUT_OF_RESOURCES);
    }
}
