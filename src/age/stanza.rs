//! The file key, sealed for one recipient: a public key that is made for it, and what both keys agree on (X25519).

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::error::Unspecified;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use zeroize::Zeroizing;

use super::{Error, FileKey, Identity, Recipient, decode, derive};

const KIND: &str = "X25519";
const LABEL: &[u8] = b"age-encryption.org/v1/X25519";
/// Each sealing key is used once, since a share is made for each file and recipient.
const NONCE: [u8; 12] = [0; 12];

/// One recipient's part of a header.
pub(super) struct Stanza {
    /// What kind it is, and what that needs.
    pub arguments: Vec<String>,
    pub body: Vec<u8>,
}

pub(super) fn wrap(file_key: &FileKey, recipient: &Recipient) -> Result<Stanza, Unspecified> {
    let ephemeral = PrivateKey::generate(&X25519)?;
    let share = ephemeral.compute_public_key()?;
    let key = sealing_key(&ephemeral, &recipient.0, share.as_ref(), recipient)?;
    // Room for the tag: a vector that grows leaves what it held, the file key, behind in memory.
    let mut body = Zeroizing::new(Vec::with_capacity(file_key.len() + CHACHA20_POLY1305.tag_len()));
    body.extend_from_slice(&**file_key);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(NONCE), Aad::empty(), &mut *body)?;
    let arguments = vec![KIND.into(), STANDARD_NO_PAD.encode(share)];
    Ok(Stanza { arguments, body: std::mem::take(&mut *body) })
}

/// The file key, from the first stanza that one of the identities opens.
pub(super) fn find(stanzas: &[Stanza], identities: &[Identity]) -> Result<Option<FileKey>, Error> {
    if stanzas.len() > 1 && stanzas.iter().any(|stanza| stanza.arguments.iter().take(1).eq(["scrypt"])) {
        return Err(Error::Header("has a passphrase beside other recipients"));
    }
    for stanza in stanzas.iter().filter(|stanza| stanza.arguments.iter().take(1).eq([KIND])) {
        for identity in identities {
            if let Some(key) = unwrap(stanza, identity)? {
                return Ok(Some(key));
            }
        }
    }
    Ok(None)
}

fn unwrap(stanza: &Stanza, identity: &Identity) -> Result<Option<FileKey>, Error> {
    let [_, share] = &*stanza.arguments else {
        return Err(Error::Header("has an X25519 stanza without its one argument"));
    };
    let share = decode(share)?;
    let mut file_key = FileKey::default();
    // Of 32 bytes and no others: a longer one could be made to open under two keys.
    if stanza.body.len() != file_key.len() + CHACHA20_POLY1305.tag_len() {
        return Err(Error::Header("has an X25519 stanza that does not hold 16 bytes"));
    }
    let key = sealing_key(&identity.secret, &share, &share, identity.public());
    let key = key.map_err(|_| Error::Header("has an X25519 stanza with a share that is no good key"))?;
    let mut body = Zeroizing::new(stanza.body.clone());
    let Ok(opened) = key.open_in_place(Nonce::assume_unique_for_key(NONCE), Aad::empty(), &mut body) else {
        return Ok(None);
    };
    file_key.copy_from_slice(opened);
    Ok(Some(file_key))
}

/// From one side's secret and the other's public key; both sides know the share and the recipient.
fn sealing_key(
    own: &PrivateKey,
    other: &[u8],
    share: &[u8],
    recipient: &Recipient,
) -> Result<LessSafeKey, Unspecified> {
    let salt = [share, &recipient.0].concat();
    // Fails for a key of the wrong length, and for one with which every secret agrees on zero.
    let key = agree(own, UnparsedPublicKey::new(&X25519, other), Unspecified, |shared| {
        derive(shared, &salt, LABEL)
    })?;
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.as_ref())?))
}
