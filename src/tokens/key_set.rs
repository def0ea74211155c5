//! The keys of an issuer (JWKS, RFC 7517 §5).

use serde_json::Value;

use super::algorithm::Algorithm;
use super::json::object;
use super::key::{Key, Member};

/// Bytes of a key set.
pub const LARGEST: u64 = 512 << 10;
/// Keys of a set.
const MOST: usize = 100;

/// Public keys that can verify; at least one.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
}

/// Why no key is the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// None is called so, or it is for something else.
    Unknown,
    /// The token names none, and more than one could be meant.
    Unnamed,
}

impl KeySet {
    /// Reads a set. Keys that are for something else, or of an unknown kind, are left out (RFC 7517 §5).
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence that begins with its name.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() as u64 > LARGEST {
            return Err(format!("is longer than {} KiB", LARGEST >> 10));
        }
        let set = object(bytes)?;
        let Some(Value::Array(members)) = set.get("keys") else {
            return Err("has no keys: it is no JSON Web Key Set".into());
        };
        if members.len() > MOST {
            return Err(format!("holds more than {MOST} keys"));
        }
        let mut keys: Vec<Key> = Vec::new();
        for (number, member) in (1..).zip(members) {
            let jwk = member.as_object().ok_or_else(|| format!("has no object as key {number}"))?;
            match Key::read(jwk).map_err(|problem| format!("has a key, number {number}, that {problem}"))? {
                Member::Usable(key) if key.id.is_some() && keys.iter().any(|other| other.id == key.id) => {
                    return Err(format!("has two keys with the kid of key {number}"));
                }
                Member::Usable(key) => keys.push(key),
                Member::OfNoUse => {}
            }
        }
        match keys.is_empty() {
            true => Err("holds no key that verifies signatures".into()),
            false => Ok(Self { keys }),
        }
    }

    /// Whether any key is for signatures of this kind.
    pub fn has_for(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    /// The key of a token. One that names none has to leave no choice.
    pub(super) fn key(&self, id: Option<&str>, algorithm: Algorithm) -> Result<&Key, NoKey> {
        let mut fitting = self.keys.iter().filter(|key| key.fits(algorithm));
        match id {
            Some(id) => fitting.find(|key| key.id.as_deref() == Some(id)).ok_or(NoKey::Unknown),
            None => match (fitting.next(), fitting.next()) {
                (Some(only), None) => Ok(only),
                (None, _) => Err(NoKey::Unknown),
                (Some(_), Some(_)) => Err(NoKey::Unnamed),
            },
        }
    }
}
