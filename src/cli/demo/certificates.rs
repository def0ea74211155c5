//! The demonstration's development CA, and the two certificates that it signs.

use std::path::Path;

use crate::tls::authority::{AuthorityError, Directory, Request, SubjectName};

/// Makes `ca.pem`, `server.pem`, `server.key`, `ct.pem` and `ct.key` in `folder`, those that are not there yet.
///
/// # Errors
/// What could not be made or written.
pub(super) fn make(folder: &Path, modality_name: &str) -> Result<(), AuthorityError> {
    let authority = if folder.join("ca.pem").exists() {
        let authority = Directory::open(folder)?;
        // The list of an earlier demonstration may have ended, and would refuse everybody.
        authority.renew_list()?;
        authority
    } else {
        Directory::create(folder, "dimsegate demo CA")?
    };
    let loopback = vec![SubjectName::Ip([127, 0, 0, 1].into()), SubjectName::Dns("localhost".to_owned())];
    let server = Request { client: false, ..Request::new("dimsegate demo", loopback) };
    issue(&authority, "server", &server)?;
    let name = SubjectName::Dns(modality_name.to_owned());
    issue(&authority, "ct", &Request { server: false, ..Request::new(modality_name, vec![name]) })
}

fn issue(authority: &Directory, name: &str, request: &Request) -> Result<(), AuthorityError> {
    if authority.file(&format!("{name}.pem")).exists() {
        return Ok(());
    }
    authority.issue(name, request).map(drop)
}

#[cfg(test)]
mod tests {
    use super::make;
    use crate::scratch::Scratch;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private_and_what_is_there_stays() {
        let folder = Scratch::new();
        make(folder.path(), "ct.demo.example").unwrap();
        for name in ["ca", "server", "ct"] {
            let mode = |file: String| {
                std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode() & 0o777
            };
            assert_eq!(mode(format!("{name}.key")), 0o600);
        }
        let ca = std::fs::read(folder.path().join("ca.pem")).unwrap();
        make(folder.path(), "ct.demo.example").unwrap();
        assert_eq!(std::fs::read(folder.path().join("ca.pem")).unwrap(), ca);
    }
}
