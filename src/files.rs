//! Files by the names that people gave them, on a command line or in a configuration.
//!
//! A name that is not absolute is relative to the working directory, as every program takes it. Whoever reads an error of
//! a service does not see what that was, so that errors say it.

use std::fmt;
use std::path::{Path, absolute};

/// A file as an error calls it: where it was looked for, and in which directory, where its name left that open.
#[derive(Clone, Copy, Debug)]
pub struct Full<'p>(&'p Path);

/// How errors call a file.
pub fn full(path: &Path) -> Full<'_> {
    Full(path)
}

/// What an error that begins with a file's name, as it was given, says besides: where it was looked for, if the name does not
/// say that.
pub fn looked_for(path: &Path) -> String {
    if path.is_relative() { format!("; it was looked for as {}", full(path)) } else { String::new() }
}

impl fmt::Display for Full<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let directory = std::env::current_dir().ok().filter(|_| self.0.is_relative());
        let whole = directory.as_ref().and_then(|_| absolute(self.0).ok());
        match whole.zip(directory) {
            Some((whole, directory)) => {
                write(f, &whole)?;
                f.write_str(" (relative to the working directory ")?;
                write(f, &directory)?;
                f.write_str(")")
            }
            None => write(f, self.0),
        }
    }
}

/// Without what could move a terminal's cursor.
fn write(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    path.to_string_lossy().chars().try_for_each(|c| match c.is_control() {
        true => write!(f, "{}", c.escape_default()),
        false => fmt::Write::write_char(f, c),
    })
}

#[cfg(test)]
mod tests {
    use super::{full, looked_for};
    use std::path::Path;

    #[test]
    fn a_relative_name_is_completed_and_its_directory_named() {
        let here = std::env::current_dir().unwrap();
        let here = here.display();
        assert_eq!(
            full(Path::new("certs/ca.pem")).to_string(),
            format!("{here}/certs/ca.pem (relative to the working directory {here})")
        );
    }

    #[test]
    fn an_absolute_name_stands_for_itself_and_moves_no_cursor() {
        assert_eq!(full(Path::new("/etc/dimsegate/ca.pem")).to_string(), "/etc/dimsegate/ca.pem");
        assert_eq!(full(Path::new("/etc/\u{1b}[2J")).to_string(), "/etc/\\u{1b}[2J");
        assert_eq!(looked_for(Path::new("/etc/dimsegate/ca.pem")), "");
    }
}
