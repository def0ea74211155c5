//! The folder that is filled, or left as it was found.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::answers::Answers;
use super::configuration;
use crate::audit::signing::SigningKey;
use crate::files::full;
use crate::tls::authority::{Authority, Directory, Request, SubjectName};

const CONFIGURATION: &str = "dimsegate.toml";
pub(super) const USERS: &str = "keys/users.toml";
pub(super) const USERS_KEY: &str = "keys/users.key";
/// Bytes of a secret, before they are written as text.
const SECRET: usize = 48;

/// A folder that was empty; until it is kept, letting it go empties it again.
pub(super) struct Folder {
    path: PathBuf,
    /// Folders that were made, the outermost first.
    made: Vec<PathBuf>,
    begun: bool,
    kept: bool,
}

impl Folder {
    /// Looks at the folder, which may be missing; changes nothing.
    ///
    /// # Errors
    /// It is not empty, or no folder.
    pub(super) fn begin(path: &Path) -> Result<Self, String> {
        let mut made = Vec::new();
        match fs::read_dir(path).map(|mut entries| entries.next().is_none()) {
            Ok(false) => {
                return Err(format!("{} is not empty; name a folder that is, or a new one", full(path)));
            }
            Ok(true) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let missing =
                    |folder: &&Path| !folder.as_os_str().is_empty() && fs::symlink_metadata(folder).is_err();
                made.extend(path.ancestors().take_while(missing).map(Path::to_owned));
                made.reverse();
            }
            Err(error) => return Err(format!("{} cannot be used: {error}", full(path))),
        }
        Ok(Self { path: path.to_owned(), made, begun: false, kept: false })
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.file(CONFIGURATION)
    }

    /// Makes everything.
    ///
    /// # Errors
    /// What could not be made.
    pub(super) fn fill(&mut self, answers: &Answers) -> Result<(), String> {
        self.begun = true;
        let made = self.made.clone();
        let inside = ["certs", "keys", "audit", "state"].map(|name| self.file(name));
        for folder in made.iter().chain(&inside) {
            let one = DirBuilder::new().mode(0o700).create(folder);
            one.map_err(|error| format!("cannot make {}: {error}", full(folder)))?;
        }
        self.certificates(answers)?;
        self.keys()?;
        self.write(CONFIGURATION, configuration::text(answers).as_bytes(), 0o644)
    }

    fn certificates(&self, answers: &Answers) -> Result<(), String> {
        let failed = |error: crate::tls::authority::AuthorityError| error.to_string();
        let authority = Directory::create(&self.file("certs"), &Authority::unique_name().map_err(failed)?);
        let authority = authority.map_err(failed)?;
        let name: SubjectName = answers.name.parse().map_err(|error| format!("{error}"))?;
        let server = Request { client: false, ..Request::new(&answers.name, vec![name]) };
        authority.issue("server", &server).map_err(failed)?;
        let name = SubjectName::Dns(answers.site.clone());
        let site = Request { server: false, ..Request::new(&answers.site, vec![name]) };
        authority.issue(&answers.site, &site).map(drop).map_err(failed)
    }

    fn keys(&self) -> Result<(), String> {
        for name in ["keys/audit.key", USERS_KEY] {
            let mut random = Zeroizing::new([0; SECRET]);
            rand::fill(random.as_mut_slice()).map_err(|_| "the system gives no random numbers".to_owned())?;
            let secret = Zeroizing::new(STANDARD.encode(random.as_slice()) + "\n");
            self.write(name, secret.as_bytes(), 0o600)?;
        }
        let (key, secret) = SigningKey::generate().map_err(|error| format!("the key {error}"))?;
        self.write("keys/audit-signing.key", secret.as_bytes(), 0o600)?;
        self.write("keys/audit-signing.key.pub", key.public_key().to_pem().as_bytes(), 0o644)
    }

    fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), String> {
        let file = self.file(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(&file);
        let written = opened.and_then(|mut opened| opened.write_all(bytes).and_then(|()| opened.sync_all()));
        written.map_err(|error| format!("cannot write {}: {error}", full(&file)))
    }

    /// What was made stays.
    pub(super) fn keep(&mut self) {
        self.kept = true;
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.kept || !self.begun {
            return;
        }
        // It was empty, so that all of this is what was made here.
        for name in ["certs", "keys", "audit", "state"] {
            let _ = fs::remove_dir_all(self.file(name));
        }
        let _ = fs::remove_file(self.configuration());
        for folder in self.made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}
