use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::{BOUNDS, Listen, bind, connect, router, served};
use crate::identity::Certificate;
use crate::scratch::Scratch;

const CALLER: &[u8] = b"GET /caller HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

async fn asked(mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) -> String {
    stream.write_all(CALLER).await.unwrap();
    let mut read = String::new();
    stream.read_to_string(&mut read).await.unwrap();
    read
}

#[tokio::test]
async fn a_unix_socket_is_for_owner_and_group_knows_who_connects_and_goes_at_the_end() {
    let home = Scratch::new();
    let path = home.path().join("admin.sock");
    let serving = bind(&Listen::Unix(path.clone()), BOUNDS).await.unwrap().serve(router(&Arc::default()));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
    let got = asked(UnixStream::connect(&path).await.unwrap()).await;
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let who = format!("Unix {{ uid: {uid}, gid: {gid}, pid: Some({}) }}", std::process::id());
    assert!(got.contains(&who), "{got}");
    serving.stop().await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_lies_where_nobody_else_can_put_another_and_is_alone_there() {
    let home = Scratch::new();
    let (folder, other) = (home.path().join("run"), home.path().join("other"));
    fs::create_dir(&folder).unwrap();
    let listen = Listen::Unix(folder.join("admin.sock"));
    // Of a process with the same number that was killed, or a trap.
    fs::write(&other, "kept").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&other, folder.join(format!(".{:x}", std::process::id()))).unwrap();
    for (mode, is_good) in [(0o777, false), (0o1777, true), (0o770, true), (0o755, true)] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
        match bind(&listen, BOUNDS).await {
            Ok(_bound) => {
                let names = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name());
                assert_eq!((is_good, names.collect::<Vec<_>>()), (true, vec!["admin.sock".into()]));
                let mode = fs::metadata(folder.join("admin.sock")).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o660);
            }
            Err(error) => {
                assert!(!is_good, "{error}");
                assert!(error.to_string().contains("anybody can put another socket in its place"), "{error}");
            }
        }
    }
    assert_eq!(fs::metadata(&other).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_socket_that_nobody_answers_is_replaced_and_nothing_else_is() {
    let home = Scratch::new();
    let path = home.path().join("admin.sock");
    let listen = Listen::Unix(path.clone());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let bound = bind(&listen, BOUNDS).await.unwrap();
    let refusal = |error: super::super::BindError| error.to_string();
    let taken = bind(&listen, BOUNDS).await.map_err(refusal).err().unwrap();
    assert!(
        taken
            .ends_with("admin.sock: another process answers at that socket; stop it, or choose another path"),
        "{taken}"
    );
    // Somebody else's socket at the same path is not this one's to remove.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "letters").unwrap();
    drop(bound);
    let no_socket = bind(&listen, BOUNDS).await.map_err(refusal).err().unwrap();
    assert!(no_socket.contains("a file at that path that is no socket"), "{no_socket}");
    assert_eq!(fs::read(&path).unwrap(), b"letters");
}

#[tokio::test]
async fn what_is_in_the_way_of_a_socket_is_said() {
    let home = Scratch::new();
    let serving = served(BOUNDS).await;
    let nowhere = home.path().join("nowhere/admin.sock");
    let cases = [
        (serving.address().clone(), "another program listens there already"),
        (Listen::Address(([192, 0, 2, 1], 0).into()), "no interface of this machine has that address"),
        (Listen::Unix(nowhere), "there is no folder"),
        (Listen::Unix(home.path().join("x".repeat(120))), "107 bytes are the most"),
    ];
    for (listen, expected) in cases {
        let error = bind(&listen, BOUNDS).await.err().unwrap().to_string();
        assert!(
            error.starts_with(&format!("cannot listen at {listen}: ")) && error.contains(expected),
            "{error}"
        );
    }
    serving.stop().await;
}

#[tokio::test]
async fn an_address_is_told_and_no_certificate_without_tls() {
    let serving = served(BOUNDS).await;
    let stream = connect(&serving).await;
    let (from, own) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
    let got = asked(stream).await;
    let who = format!("source: Address({from}), certificate: None, own: Some({own}), has_tls: false");
    assert!(got.contains(&who), "{got}");
    serving.stop().await;
}

#[tokio::test]
async fn a_certificate_that_was_shown_and_verified_is_told() {
    let (authority, certificate, key) = site();
    let key = || PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority).unwrap();
    let roots = Arc::new(roots);
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone()).build().unwrap();
    let server = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.clone()], key())
        .unwrap();
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate.clone()], key())
        .unwrap();
    let listen = Listen::Address(([127, 0, 0, 1], 0).into());
    let bound = bind(&listen, BOUNDS).await.unwrap();
    let Listen::Address(address) = bound.address().clone() else { unreachable!("an address") };
    let server = Arc::new(server);
    let serving = bound.behind(Arc::new(move || server.clone())).serve(router(&Arc::default()));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let got = asked(TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap()).await;
    let Certificate { fingerprint, .. } = Certificate::from_der(&certificate).unwrap();
    assert!(got.contains(&fingerprint), "{got}");
    serving.stop().await;
}

/// A CA, and what it signed for both sides.
fn site() -> (CertificateDer<'static>, CertificateDer<'static>, KeyPair) {
    let ca = CertifiedIssuer::self_signed(authority(), KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &ca).unwrap();
    (ca.der().clone(), own.der().clone(), key)
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}
