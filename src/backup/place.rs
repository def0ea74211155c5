//! Where a member lies.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A path that leads nowhere but down: relative to the working directory, or absolute, without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Place(String);

/// Why a path is no place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no place for a member: a path is needed that is text, without control characters and without \"..\""
)]
pub struct NotAPlace(String);

/// Bytes of the longest path of the system.
const LONGEST: usize = 4096;

impl Place {
    /// The place of a file that is named so from the working directory. One above that is named by its absolute path.
    ///
    /// # Errors
    /// Its name is no text, or has control characters.
    pub fn of(path: &Path) -> Result<Self, NotAPlace> {
        let told = || NotAPlace(path.to_string_lossy().into_owned());
        let below = match path.is_absolute() {
            true => None,
            false => settled(path),
        };
        let whole = below.or_else(|| settled(&std::path::absolute(path).ok()?));
        whole.and_then(|path| path.into_os_string().into_string().ok()).ok_or_else(told)?.try_into()
    }

    /// As it is named from the working directory.
    pub fn path(&self) -> &Path {
        Path::new(&self.0)
    }

    /// Whether it stays where it is, whatever the working directory.
    pub fn is_absolute(&self) -> bool {
        self.path().is_absolute()
    }

    /// Its path below a folder, without the root.
    pub fn below(&self) -> &Path {
        let path = self.path();
        path.strip_prefix("/").unwrap_or(path)
    }
}

/// Without dots; `None` where it leads above where it begins.
fn settled(path: &Path) -> Option<PathBuf> {
    let mut settled = PathBuf::new();
    let mut depth = 0_usize;
    for component in path.components() {
        match component {
            Component::Normal(name) => {
                settled.push(name);
                depth = depth.saturating_add(1);
            }
            Component::ParentDir => {
                depth = depth.checked_sub(1)?;
                settled.pop();
            }
            Component::RootDir => settled.push("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    (depth > 0).then_some(settled)
}

impl TryFrom<String> for Place {
    type Error = NotAPlace;

    fn try_from(text: String) -> Result<Self, NotAPlace> {
        let relative = text.strip_prefix('/').unwrap_or(&text);
        let is_name = |name: &str| !matches!(name, "" | "." | "..");
        let fits = text.len() < LONGEST && !text.chars().any(char::is_control);
        if fits && relative.split('/').all(is_name) { Ok(Self(text)) } else { Err(NotAPlace(text)) }
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
