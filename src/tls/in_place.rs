//! Cipher suites that leave application data where it was decrypted.
//!
//! rustls decrypts a record in the buffer that it came in, and then copies it into a vector of its own for the reader to
//! copy it once more. For what a relay moves, those copies and allocations cost as much as the cryptography. These
//! suites are rustls's own, with one difference: while a [`note`] is taken, a decrypted record of application data is
//! handed on with its first byte only, and the note says where all of it lies. Handshakes, keys, sequence numbers, key
//! updates, alerts, limits and close_notify remain rustls's business; nothing here sees a key.
//!
//! Outside of [`note`] the suites are exactly rustls's. Its next release lends decrypted data by itself: then this file goes, together
//! with what stands behind `stream::Side`, and nothing else changes.

use std::cell::{Cell, RefCell};
use std::sync::LazyLock;

use rustls::crypto::CipherSuiteCommon;
use rustls::crypto::cipher::{
    AeadKey, InboundOpaqueMessage, InboundPlainMessage, Iv, KeyBlockShape, MessageDecrypter,
    MessageEncrypter, Tls12AeadAlgorithm, Tls13AeadAlgorithm, UnsupportedOperationError,
};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{
    ConnectionTrafficSecrets, ContentType, Error, SupportedCipherSuite, Tls12CipherSuite, Tls13CipherSuite,
};
use std::sync::Arc;

thread_local! {
    static NOTE: Cell<Option<Note>> = const { Cell::new(None) };
    static SERVER_NAME: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What was seen while rustls processed records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// Where application data lies: its address, and how many bytes.
    pub data: Option<(usize, usize)>,
    /// Records of application data; more than one cannot be told apart.
    pub records: usize,
    /// There was a ClientHello, so that there may be a [`server_name`].
    pub client_hello: bool,
}

/// Runs `process`, which hands records to rustls, and gives what was noted meanwhile.
pub(super) fn note<T>(process: impl FnOnce() -> T) -> (T, Note) {
    NOTE.set(Some(Note::default()));
    let _noting = Noting;
    let result = process();
    (result, NOTE.take().unwrap_or_default())
}

/// Takes the name that the latest noted ClientHello of this thread asked for.
pub(super) fn server_name() -> Option<String> {
    SERVER_NAME.take()
}

/// Ends the note, however the processing ends: other connections of this thread are to be served as by rustls alone.
struct Noting;

impl Drop for Noting {
    fn drop(&mut self) {
        NOTE.set(None);
    }
}

fn noting(write: impl FnOnce(&mut Note)) -> bool {
    let note = NOTE.get().map(|mut note| {
        write(&mut note);
        note
    });
    NOTE.set(note);
    note.is_some()
}

/// The suites of rustls on aws-lc-rs, in its order.
pub(super) fn cipher_suites() -> Vec<SupportedCipherSuite> {
    static SUITES: LazyLock<Vec<SupportedCipherSuite>> = LazyLock::new(|| {
        let suites = rustls::crypto::aws_lc_rs::default_provider().cipher_suites;
        suites.into_iter().map(leaving_in_place).collect()
    });
    SUITES.clone()
}

/// Suites live as long as the process, as those of rustls do.
fn leaving_in_place(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    match suite {
        SupportedCipherSuite::Tls13(suite) => {
            SupportedCipherSuite::Tls13(Box::leak(Box::new(Tls13CipherSuite {
                common: common(&suite.common),
                hkdf_provider: suite.hkdf_provider,
                aead_alg: Box::leak(Box::new(Tls13(suite.aead_alg))),
                quic: None,
            })))
        }
        SupportedCipherSuite::Tls12(suite) => {
            SupportedCipherSuite::Tls12(Box::leak(Box::new(Tls12CipherSuite {
                common: common(&suite.common),
                prf_provider: suite.prf_provider,
                kx: suite.kx,
                sign: suite.sign,
                aead_alg: Box::leak(Box::new(Tls12(suite.aead_alg))),
            })))
        }
    }
}

fn common(common: &CipherSuiteCommon) -> CipherSuiteCommon {
    CipherSuiteCommon {
        suite: common.suite,
        hash_provider: common.hash_provider,
        confidentiality_limit: common.confidentiality_limit,
    }
}

struct Tls13(&'static dyn Tls13AeadAlgorithm);

impl Tls13AeadAlgorithm for Tls13 {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv)
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        Box::new(InPlace(self.0.decrypter(key, iv)))
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct Tls12(&'static dyn Tls12AeadAlgorithm);

impl Tls12AeadAlgorithm for Tls12 {
    fn encrypter(&self, key: AeadKey, iv: &[u8], extra: &[u8]) -> Box<dyn MessageEncrypter> {
        self.0.encrypter(key, iv, extra)
    }

    fn decrypter(&self, key: AeadKey, iv: &[u8]) -> Box<dyn MessageDecrypter> {
        Box::new(InPlace(self.0.decrypter(key, iv)))
    }

    fn key_block_shape(&self) -> KeyBlockShape {
        self.0.key_block_shape()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: &[u8],
        explicit: &[u8],
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.0.extract_keys(key, iv, explicit)
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}

struct InPlace(Box<dyn MessageDecrypter>);

impl MessageDecrypter for InPlace {
    fn decrypt<'a>(
        &mut self,
        message: InboundOpaqueMessage<'a>,
        sequence: u64,
    ) -> Result<InboundPlainMessage<'a>, Error> {
        let mut plain = self.0.decrypt(message, sequence)?;
        if plain.typ == ContentType::ApplicationData && !plain.payload.is_empty() {
            let place = (plain.payload.as_ptr().addr(), plain.payload.len());
            let noted = noting(|note| {
                note.data = Some(place);
                note.records += 1;
            });
            // An empty one would count as one of the empty records that rustls tolerates only a few of.
            if let (true, Some(first)) = (noted, plain.payload.get(..1)) {
                plain.payload = first;
            }
        }
        Ok(plain)
    }
}

/// A resolver that notes the server name on the way.
#[derive(Debug)]
pub(super) struct NotingName(pub Arc<dyn ResolvesServerCert>);

impl ResolvesServerCert for NotingName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if noting(|note| note.client_hello = true) {
            SERVER_NAME.set(hello.server_name().map(str::to_owned));
        }
        self.0.resolve(hello)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }
}
