//! The demonstration's folder: certificates, secrets, configuration, the study, the archive, the records.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use dicom_object::DefaultDicomObject;
use tempfile::TempDir;

use super::requestor::secure::Credentials;
use crate::files::full;
use crate::notation::hex;

/// Calling AE title of the demonstration's modality.
pub(super) const MODALITY: &str = "CT_DEMO";
/// Called AE title of the archive.
pub(super) const ARCHIVE: &str = "ARCHIVE";
/// What the modality's certificate carries as its subject alternative name.
pub(super) const MODALITY_NAME: &str = "ct.demo.example";
/// The listener's name in the configuration.
pub(super) const LISTENER: &str = "remote";
/// The rewrite's name in the configuration.
pub(super) const REWRITE: &str = "demo";

/// A folder that is kept, or goes with this value.
#[derive(Debug)]
pub(crate) struct Site {
    folder: PathBuf,
    temporary: Option<TempDir>,
}

impl Site {
    /// Uses `folder`, which it makes, or a temporary one.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn open(folder: Option<&Path>) -> io::Result<Self> {
        let Some(folder) = folder else {
            let temporary = tempfile::Builder::new().prefix("dimsegate-demo-").tempdir()?;
            return Ok(Self { folder: temporary.path().to_owned(), temporary: Some(temporary) });
        };
        fs::create_dir_all(folder).map_err(|error| naming(folder, &error))?;
        let folder = folder.canonicalize().map_err(|error| naming(folder, &error))?;
        Ok(Self { folder, temporary: None })
    }

    /// The folder itself, absolute.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the folder goes when the demonstration ends.
    pub(crate) fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// Removes a temporary folder.
    ///
    /// # Errors
    /// When something of it cannot be removed.
    pub(crate) fn close(self) -> io::Result<()> {
        self.temporary.map_or(Ok(()), TempDir::close)
    }

    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.join("certs")
    }

    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.join("archive")
    }

    /// What the modality sends, as files.
    pub(crate) fn study(&self) -> PathBuf {
        self.folder.join("study")
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.folder.join("audit")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.folder.join("dimsegate.toml")
    }

    /// The modality's certificate and key, and the CA that it trusts.
    pub(crate) fn modality(&self) -> Credentials {
        let certificates = self.certificates();
        Credentials {
            ca: certificates.join("ca.pem"),
            certificate_chain: certificates.join("ct.pem"),
            private_key: certificates.join("ct.key"),
        }
    }

    /// Writes what the modality sends as Part 10 files, to be sent again by hand.
    ///
    /// # Errors
    /// When the folder or a file cannot be written.
    pub(crate) fn write_study(&self, study: &[DefaultDicomObject]) -> io::Result<()> {
        let folder = self.study();
        fs::create_dir_all(&folder).map_err(|error| naming(&folder, &error))?;
        for (number, object) in (1..).zip(study) {
            let path = folder.join(format!("ct-{number}.dcm"));
            object.write_to_file(&path).map_err(|error| naming(&path, &io::Error::other(error)))?;
        }
        Ok(())
    }

    /// Writes the secrets, where there are none yet, and the configuration that reaches the archive at `archive`.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn write_configuration(&self, archive: SocketAddr) -> io::Result<()> {
        for secret in ["audit.key", "pseudonym.key"] {
            write_secret(&self.folder.join(secret))?;
        }
        let path = self.configuration();
        fs::write(&path, self.configuration_text(archive)).map_err(|error| naming(&path, &error))
    }

    fn configuration_text(&self, archive: SocketAddr) -> String {
        let path =
            |name: &str| toml::Value::from(self.folder.join(name).to_string_lossy().as_ref()).to_string();
        include_str!("dimsegate.toml.in")
            .replace("@AUDIT@", &path("audit"))
            .replace("@STATE@", &path("state"))
            .replace("@AUDIT_KEY@", &path("audit.key"))
            .replace("@PSEUDONYM_KEY@", &path("pseudonym.key"))
            .replace("@CA@", &path("certs/ca.pem"))
            .replace("@LIST@", &path("certs/ca.crl.pem"))
            .replace("@SERVER_CERTIFICATE@", &path("certs/server.pem"))
            .replace("@SERVER_KEY@", &path("certs/server.key"))
            .replace("@ARCHIVE@", &archive.to_string())
    }
}

/// 32 random bytes as hexadecimal digits, for nobody else to read. A secret that is there stays: with another one the
/// same study would get other pseudonyms.
fn write_secret(path: &Path) -> io::Result<()> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(|_| io::Error::other("no random bytes to be had"))?;
    let text = hex::encode(&secret);
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(|error| naming(path, &error)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(naming(path, &error)),
    }
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", full(path)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_configuration_is_toml_with_every_place_filled_in() {
        let parent = Scratch::new();
        let site = Site::open(Some(&parent.path().join("a \"quoted\" folder"))).unwrap();
        site.write_configuration("127.0.0.1:11112".parse().unwrap()).unwrap();
        let text = fs::read_to_string(site.configuration()).unwrap();
        let value: toml::Table = text.parse().unwrap();
        assert!(!text.contains('@'), "{text}");
        assert_eq!(value["audit"]["directory"].as_str(), site.records().to_str());
        let state = site.records().with_file_name("state");
        assert_eq!(value["admin"]["state-directory"].as_str(), state.to_str(), "all of it is in the folder");
        assert_eq!(value["upstream"][0]["addresses"][0].as_str(), Some("127.0.0.1:11112"));
        assert_eq!(value["listener"][0]["tls"]["client-ca"].as_str(), site.modality().ca.to_str());
        assert_eq!(value["listener"][0]["name"].as_str(), Some(LISTENER));
        assert_eq!(value["peer"][0]["calling-ae-titles"][0].as_str(), Some(MODALITY));
        assert_eq!(value["peer"][0]["called-ae-titles"][0].as_str(), Some(ARCHIVE));
        assert_eq!(value["peer"][0]["certificates"][0].as_str(), Some("dns:ct.demo.example"));
        assert_eq!(value["peer"][0]["rewrite"].as_str(), Some(REWRITE));
        assert_eq!(value["rewrite"][0]["name"].as_str(), Some(REWRITE));
    }

    #[test]
    fn the_configuration_loads_as_dimsegate_run_would_load_it() {
        let parent = Scratch::new();
        let site = Site::open(Some(parent.path())).unwrap();
        crate::cli::demo::certificates::make(&site.certificates(), MODALITY_NAME).unwrap();
        site.write_configuration("127.0.0.1:11112".parse().unwrap()).unwrap();
        let loaded = crate::config::load(&site.configuration()).map_err(|problems| problems.to_string());
        let settings = loaded.unwrap().settings;
        assert_eq!(settings.listeners.len(), 1);
        assert!(settings.listeners[0].tls.is_some());
    }

    #[test]
    fn secrets_are_long_private_and_stay() {
        let parent = Scratch::new();
        let site = Site::open(Some(parent.path())).unwrap();
        let write = || site.write_configuration("127.0.0.1:1".parse().unwrap()).unwrap();
        write();
        let path = site.folder().join("pseudonym.key");
        let secret = fs::read(&path).unwrap();
        assert_eq!(secret.len(), 64);
        assert_ne!(secret, fs::read(site.folder().join("audit.key")).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        write();
        assert_eq!(fs::read(&path).unwrap(), secret);
    }

    #[test]
    fn a_temporary_folder_goes_and_a_named_one_stays() {
        let site = Site::open(None).unwrap();
        let gone = site.folder().to_owned();
        site.write_configuration("127.0.0.1:1".parse().unwrap()).unwrap();
        site.close().unwrap();
        assert!(!gone.exists());
        let parent = Scratch::new();
        let site = Site::open(Some(&parent.path().join("kept"))).unwrap();
        let kept = site.folder().to_owned();
        site.close().unwrap();
        assert!(kept.exists());
    }
}
