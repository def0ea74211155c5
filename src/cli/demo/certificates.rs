//! The demonstration's development CA, and the two certificates that it signs.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use time::{Duration, OffsetDateTime};

const LIFETIME: Duration = Duration::days(30);

/// Makes `ca.pem`, `ca.key`, `server.pem`, `server.key`, `ct.pem` and `ct.key` in `folder`, unless they are there.
///
/// # Errors
/// What could not be made or written, as a sentence.
pub fn make(folder: &Path, modality_name: &str) -> Result<(), String> {
    let files = ["ca.pem", "ca.key", "server.pem", "server.key", "ct.pem", "ct.key"];
    if files.iter().all(|file| folder.join(file).is_file()) {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let key = key()?;
    let parameters = authority()?;
    let certificate = parameters.self_signed(&key).map_err(said)?;
    write(folder, "ca", &certificate.pem(), &key)?;
    let authority = Issuer::new(parameters, key);
    let server = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    issue(folder, "server", &authority, server.to_vec(), ExtendedKeyUsagePurpose::ServerAuth)?;
    issue(folder, "ct", &authority, vec![modality_name.to_owned()], ExtendedKeyUsagePurpose::ClientAuth)
}

fn authority() -> Result<CertificateParams, String> {
    let mut parameters = parameters("dimsegate demo CA", Vec::new())?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(parameters)
}

fn issue(
    folder: &Path,
    name: &str,
    authority: &Issuer<'_, KeyPair>,
    names: Vec<String>,
    usage: ExtendedKeyUsagePurpose,
) -> Result<(), String> {
    let mut parameters = parameters(&format!("dimsegate demo {name}"), names)?;
    parameters.is_ca = IsCa::ExplicitNoCa;
    parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    parameters.extended_key_usages = vec![usage];
    parameters.use_authority_key_identifier_extension = true;
    let key = key()?;
    let certificate = parameters.signed_by(&key, authority).map_err(said)?;
    write(folder, name, &certificate.pem(), &key)
}

fn parameters(common_name: &str, names: Vec<String>) -> Result<CertificateParams, String> {
    let mut parameters = CertificateParams::new(names).map_err(said)?;
    parameters.distinguished_name = rcgen::DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, common_name);
    let now = OffsetDateTime::now_utc();
    // Clocks of a few minutes' difference are usual.
    parameters.not_before = now - Duration::hours(1);
    parameters.not_after = now + LIFETIME;
    Ok(parameters)
}

fn key() -> Result<KeyPair, String> {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(said)
}

fn write(folder: &Path, name: &str, certificate: &str, key: &KeyPair) -> Result<(), String> {
    for (extension, mode, text) in [("pem", 0o644, certificate), ("key", 0o600, key.serialize_pem().as_str())]
    {
        let path = folder.join(format!("{name}.{extension}"));
        // A file that is there keeps its mode when it is written over.
        let _ = fs::remove_file(&path);
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

fn said(error: rcgen::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::make;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn keys_are_private_and_what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
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
