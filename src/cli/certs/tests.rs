use super::{Args, CANNOT_CREATE, DATA_ERROR};
use crate::scratch::Scratch;
use clap::Parser;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    args: Args,
}

fn certs(line: &[&str]) -> Result<String, (String, u8)> {
    let program =
        Program::try_parse_from([&["certs"], line].concat()).map_err(|error| (error.to_string(), 2))?;
    match &program.args.command {
        super::Command::Init(init) => init.run().map_err(|error| super::failure(&error)),
        super::Command::Issue(issue) => issue.run().map_err(|error| super::failure(&error)),
        super::Command::Revoke(revoke) => revoke.run(),
        super::Command::Crl(crl) => crl.run().map_err(|error| super::failure(&error)),
        super::Command::Show(show) => show.run(),
    }
}

fn openssl(line: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(line).output().expect("openssl is needed by this test");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_site_without_a_ca_gets_what_openssl_accepts() {
    let home = Scratch::new();
    let dir = home.path().join("certs");
    let at = |name: &str| dir.join(name).to_str().unwrap().to_owned();
    let dir_text = dir.to_str().unwrap();

    let said = certs(&["init", dir_text, "--name", "Lyon CA"]).unwrap();
    assert!(said.contains("client-ca = ") && said.contains("certs issue"), "{said}");
    assert_eq!(mode(&dir.join("ca.key")), 0o600);
    certs(&["issue", dir_text, "server", "--server", "--san", "proxy.example", "--san", "10.0.0.4"]).unwrap();
    certs(&["issue", dir_text, "lyon", "--client", "--san", "dns:gw.lyon.example", "--key-type", "rsa3072"])
        .unwrap();
    assert_eq!(mode(&dir.join("lyon.key")), 0o600);

    let (ca, list) = (at("ca.pem"), at("ca.crl.pem"));
    let verify = |purpose: &str, name: &str| {
        let line =
            ["verify", "-x509_strict", "-crl_check", "-CAfile", &ca, "-CRLfile", &list, "-purpose", purpose];
        openssl(&[&line[..], &[&at(name)]].concat())
    };
    assert_eq!(verify("sslserver", "server.pem"), (true, format!("{}: OK\n", at("server.pem"))));
    assert_eq!(verify("sslclient", "lyon.pem"), (true, format!("{}: OK\n", at("lyon.pem"))));
    assert!(!verify("sslclient", "server.pem").0);
    let (_, key) = openssl(&["pkey", "-in", &at("lyon.key"), "-noout", "-text"]);
    assert!(key.contains("3072 bit"), "{key}");

    assert!(certs(&["revoke", dir_text, "lyon"]).unwrap().contains("lyon is revoked"));
    assert!(certs(&["revoke", dir_text, "lyon"]).unwrap().contains("was revoked before"));
    assert!(certs(&["crl", dir_text]).unwrap().contains("(1 revoked)"));
    let (good, text) = openssl(&["crl", "-in", &list, "-CAfile", &ca, "-noout", "-text"]);
    assert!(good && text.contains("verify OK"), "{text}");
    assert_eq!(text.matches("Serial Number:").count(), 1, "{text}");
    let number = text.split("X509v3 CRL Number:").nth(1).unwrap().split_whitespace().next();
    assert_eq!(number, Some("4"), "{text}");
    let (good, text) = verify("sslclient", "lyon.pem");
    assert!(!good && text.contains("certificate revoked"), "{text}");
    assert!(verify("sslserver", "server.pem").0);
}

#[test]
fn show_says_all_but_the_key() {
    let home = Scratch::new();
    let dir = home.path().to_str().unwrap();
    certs(&["init", dir, "--name", "Lyon CA"]).unwrap();
    certs(&["issue", dir, "lyon", "--san", "gw.lyon.example", "--san", "uri:urn:x", "--days", "20"]).unwrap();
    let at = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let text = certs(&["show", &at("lyon.pem"), &at("lyon.key"), &at("ca.pem"), &at("ca.crl.pem")]).unwrap();
    let fingerprint = |form: &[&str]| {
        openssl(form).1.trim().rsplit(['=', ' ']).next().unwrap().replace(':', "").to_lowercase()
    };
    let sha256 = fingerprint(&["x509", "-in", &at("lyon.pem"), "-noout", "-fingerprint", "-sha256"]);
    for part in [
        "subject    CN=lyon\n",
        "issuer     CN=Lyon CA\n",
        "name       dns:gw.lyon.example\n",
        "name       uri:urn:x\n",
        "key        EC 256 bit\n",
        "signature  ECDSA with SHA-256\n",
        "usage      server and client\n",
        "WARNING    it ends in 19 days",
        &format!("binding    sha256:{sha256}\n"),
        "private key, not encrypted\n",
        "CA certificate\n",
        "issuer     itself\n",
        "revocation list\n  issuer     CN=Lyon CA\n",
        "revoked    none\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let key = fs::read_to_string(at("lyon.key")).unwrap();
    assert!(key.lines().all(|line| !text.contains(line) || line.starts_with("-----")));

    let spki = home.path().join("spki.der");
    let public = home.path().join("public.pem");
    let (_, pem) = openssl(&["x509", "-in", &at("lyon.pem"), "-noout", "-pubkey"]);
    fs::write(&public, pem).unwrap();
    openssl(&[
        "pkey",
        "-pubin",
        "-in",
        public.to_str().unwrap(),
        "-outform",
        "DER",
        "-out",
        spki.to_str().unwrap(),
    ]);
    let digest = fingerprint(&["dgst", "-sha256", spki.to_str().unwrap()]);
    assert!(text.contains(&format!("spki-sha256:{digest}")), "{digest} is not in:\n{text}");
}

#[test]
fn mistakes_are_told_and_nothing_is_overwritten() {
    let home = Scratch::new();
    let dir = home.path().join("x");
    let dir = dir.to_str().unwrap();
    let (message, code) = certs(&["issue", dir, "lyon", "--san", "a.b"]).unwrap_err();
    assert!(message.contains("certs init") && code == DATA_ERROR, "{message}");
    certs(&["init", dir]).unwrap();
    let key = fs::read(format!("{dir}/ca.key")).unwrap();
    assert_eq!(certs(&["init", dir]).unwrap_err().1, CANNOT_CREATE);
    assert_eq!(fs::read(format!("{dir}/ca.key")).unwrap(), key);
    certs(&["issue", dir, "lyon", "--san", "a.b"]).unwrap();
    let (message, code) = certs(&["issue", dir, "lyon", "--san", "a.b"]).unwrap_err();
    assert!(message.contains("lyon.pem exists") && code == CANNOT_CREATE, "{message}");
    for bad in ["ca", "../x", ".x", "-x", "a/b", "", "a b", "é"] {
        let wrong = certs(&["issue", dir, "--san", "a.b", "--", bad]).unwrap_err();
        assert!(wrong.0.contains("cannot be a file name") && wrong.1 == DATA_ERROR, "{bad:?}: {wrong:?}");
    }
    assert_eq!(certs(&["issue", dir, "paris"]).unwrap_err().1, 2, "a name is needed");
    assert_eq!(certs(&["issue", dir, "paris", "--san", "*.b"]).unwrap_err().1, 2);
    let other = home.path().join("other");
    certs(&["init", other.to_str().unwrap(), "--name", "another"]).unwrap();
    fs::copy(format!("{dir}/lyon.pem"), other.join("lyon.pem")).unwrap();
    let (message, _) = certs(&["revoke", other.to_str().unwrap(), "lyon"]).unwrap_err();
    assert!(message.contains("was not issued by the CA"), "{message}");
    fs::write(other.join("junk"), "junk").unwrap();
    let (message, code) = certs(&["show", other.join("junk").to_str().unwrap()]).unwrap_err();
    assert!(message.contains("junk is not proper PEM") && code == DATA_ERROR, "{message}");
}
