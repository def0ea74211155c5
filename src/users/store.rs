//! The file of users, read and changed.

use std::path::{Path, PathBuf};

use super::error::UsersError;
use super::file::{self, MOST};
use super::lock::{self, Held, io_error};
use super::replace::replace;
use super::steps;
use super::user::User;

/// The users of a file as they are now, in its order.
///
/// # Errors
/// [`UsersError`].
pub fn read(path: &Path) -> Result<Vec<User>, UsersError> {
    file::parse(path, &lock::read(path)?)
}

/// A file of users that is to be changed.
#[derive(Clone, Debug)]
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// Of a file that may be there or not.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Adds a user; makes the file, with mode 0600, where it is missing.
    ///
    /// # Errors
    /// [`UsersError::Exists`] and [`UsersError::Full`]; else what reading or writing gave. Then nothing is changed.
    pub fn add(&self, user: User) -> Result<(), UsersError> {
        self.change_with(true, |users| {
            let same = |other: &&User| other.name.eq_ignore_ascii_case(&user.name);
            if let Some(other) = users.iter().find(same) {
                return Err(UsersError::Exists { name: other.name.clone(), file: self.path.clone() });
            }
            if users.len() >= MOST {
                return Err(UsersError::Full { file: self.path.clone(), most: MOST });
            }
            users.push(user);
            Ok(())
        })
    }

    /// Changes a user.
    ///
    /// # Errors
    /// [`UsersError::Unknown`]; else as [`Store::add`].
    pub fn change(&self, name: &str, change: impl FnOnce(&mut User)) -> Result<(), UsersError> {
        self.change_with(false, |users| {
            let user = users.iter_mut().find(|user| user.name == name);
            user.map(change).ok_or_else(|| self.unknown(name))
        })
    }

    /// Removes a user.
    ///
    /// # Errors
    /// As [`Store::change`].
    pub fn remove(&self, name: &str) -> Result<(), UsersError> {
        self.change_with(false, |users| {
            let before = users.len();
            users.retain(|user| user.name != name);
            if users.len() < before { Ok(()) } else { Err(self.unknown(name)) }
        })
    }

    /// Marks the code of a step as used by a user, on the disk. False where it, or a later one, was used before.
    ///
    /// # Errors
    /// What reading or writing gave.
    pub fn take_step(&self, name: &str, step: i64) -> Result<bool, UsersError> {
        let held = Held::take(&self.path, false)?;
        let users = file::parse(&self.path, &held.bytes()?)?;
        steps::take(&self.path, name, step, &users, &held.metadata)
    }

    fn unknown(&self, name: &str) -> UsersError {
        UsersError::Unknown { name: name.to_owned(), file: self.path.clone() }
    }

    fn change_with(
        &self,
        create: bool,
        change: impl FnOnce(&mut Vec<User>) -> Result<(), UsersError>,
    ) -> Result<(), UsersError> {
        let held = Held::take(&self.path, create)?;
        let mut users = file::parse(&self.path, &held.bytes()?)?;
        change(&mut users)?;
        let text = file::render(&users).ok_or(UsersError::System("text for a user"))?;
        replace(&self.path, text.as_bytes(), &held.metadata)
            .map_err(|source| io_error("write", &self.path, source))
    }
}
