//! A public key as a key set writes it (JWK, RFC 7517 §4, RFC 7518 §6, RFC 8037 §2), and whether a signature is by its other half.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::json::Object;

/// Bits of an RSA modulus: what is shorter is too weak, what is longer takes too long.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Bytes of an RSA exponent: 2^33 at the most, as aws-lc has it.
const LONGEST_EXPONENT: usize = 5;
/// Bytes of the name of a key.
const LONGEST_ID: usize = 256;

/// A key that can verify.
pub(super) struct Key {
    pub id: Option<String>,
    /// The only one that it is for.
    algorithm: Option<Algorithm>,
    material: Material,
}

enum Material {
    /// On a curve, for one way of signing.
    Point(Algorithm, ParsedPublicKey),
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

/// What a member of a key set is.
pub(super) enum Member {
    Usable(Key),
    /// For something else, or of a kind that nobody knows here.
    OfNoUse,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a key called {:?}", self.id)
    }
}

impl Key {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn read(jwk: &Object) -> Result<Member, String> {
        if jwk.contains_key("d") || jwk.contains_key("k") {
            return Err("holds a secret: a private or symmetric key belongs to the issuer alone".into());
        }
        let is_for_signatures = text(jwk, "use")?.is_none_or(|purpose| purpose == "sig");
        let verifies = jwk.get("key_ops").is_none_or(|operations| {
            operations.as_array().is_some_and(|all| all.iter().any(|one| one == "verify"))
        });
        let named = text(jwk, "alg")?;
        let algorithm = named.and_then(Algorithm::named);
        if !is_for_signatures || !verifies || (named.is_some() && algorithm.is_none()) {
            return Ok(Member::OfNoUse);
        }
        let Some(material) = Material::of(jwk)? else { return Ok(Member::OfNoUse) };
        let id = text(jwk, "kid")?.map(str::to_owned);
        if id.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
            return Err(format!("has a kid of more than {LONGEST_ID} bytes"));
        }
        let key = Self { id, algorithm, material };
        match algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            true => Err("is for an alg that its kty or crv is not for".into()),
            false => Ok(Member::Usable(key)),
        }
    }

    /// Whether it is for signatures of this kind.
    pub(super) fn fits(&self, algorithm: Algorithm) -> bool {
        let is_of_kind = match &self.material {
            Material::Point(own, _) => *own == algorithm,
            Material::Rsa(_) => rsa(algorithm).is_some(),
        };
        is_of_kind && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// Whether the signature is right. Never with a kind that it is not for.
    pub(super) fn verifies(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        self.fits(algorithm)
            && match (&self.material, rsa(algorithm)) {
                (Material::Point(_, key), _) => key.verify_sig(signed, signature).is_ok(),
                (Material::Rsa(key), Some(kind)) => key.verify(kind, signed, signature).is_ok(),
                (Material::Rsa(_), None) => false,
            }
    }
}

impl Material {
    /// `None`: of a kind that nobody knows here.
    fn of(jwk: &Object) -> Result<Option<Self>, String> {
        let kind = text(jwk, "kty")?.ok_or("has no kty")?;
        let curve = text(jwk, "crv")?.unwrap_or_default();
        let point = |algorithm, kind: &'static dyn VerificationAlgorithm, bytes: &[u8]| {
            let key = ParsedPublicKey::new(kind, bytes);
            key.map(|key| Some(Self::Point(algorithm, key))).map_err(|_| format!("is no point of {curve}"))
        };
        match (kind, curve) {
            ("EC", "P-256") => point(Algorithm::Es256, &ECDSA_P256_SHA256_FIXED, &of_curve(jwk, 32)?),
            ("EC", "P-384") => point(Algorithm::Es384, &ECDSA_P384_SHA384_FIXED, &of_curve(jwk, 48)?),
            ("EC", "P-521") => point(Algorithm::Es512, &ECDSA_P521_SHA512_FIXED, &of_curve(jwk, 66)?),
            ("OKP", "Ed25519") => point(Algorithm::EdDsa, &ED25519, &bytes_of(jwk, "x", 32)?),
            ("RSA", _) => Self::rsa(jwk).map(Some),
            _ => Ok(None),
        }
    }

    fn rsa(jwk: &Object) -> Result<Self, String> {
        // Some write a zero before it, which the number does not need.
        let number = |name: &str| -> Result<Vec<u8>, String> {
            let bytes = bytes(jwk, name)?;
            Ok(bytes.into_iter().skip_while(|byte| *byte == 0).collect())
        };
        let (n, e) = (number("n")?, number("e")?);
        let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
        if !RSA_BITS.contains(&bits) {
            return Err(format!("is an RSA key of {bits} bits, where 2048 to 8192 are taken"));
        }
        if e.len() > LONGEST_EXPONENT || e.last().is_none_or(|last| last % 2 == 0) {
            return Err("has an exponent that no RSA key has".into());
        }
        Ok(Self::Rsa(RsaPublicKeyComponents { n, e }))
    }
}

const fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::EdDsa => None,
    }
}

/// Both coordinates, uncompressed (SEC 1 §2.3.3).
fn of_curve(jwk: &Object, length: usize) -> Result<Vec<u8>, String> {
    Ok([vec![4], bytes_of(jwk, "x", length)?, bytes_of(jwk, "y", length)?].concat())
}

fn bytes_of(jwk: &Object, name: &str, length: usize) -> Result<Vec<u8>, String> {
    let bytes = bytes(jwk, name)?;
    match bytes.len() == length {
        true => Ok(bytes),
        false => Err(format!("has {} bytes in {name}, where its curve has {length}", bytes.len())),
    }
}

fn bytes(jwk: &Object, name: &str) -> Result<Vec<u8>, String> {
    let text = text(jwk, name)?.ok_or_else(|| format!("has no {name}"))?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("has no base64url in {name}"))
}

fn text<'o>(jwk: &'o Object, name: &str) -> Result<Option<&'o str>, String> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("has something else than a string in {name}")),
    }
}
