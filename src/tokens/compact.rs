//! The compact form of a signed token (RFC 7515 §3.1): header, claims and signature, each in base64url, with dots between them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::json::{Object, object};
use super::refused::{Refused, shown};

/// Bytes of a token: the field of a request that it comes in holds no more (PS3.7 Table D.3-14).
const LONGEST: usize = 65_535;
/// Bytes of a header, in base64url.
const LONGEST_HEADER: usize = 4096;
/// Claims of a token.
const MOST_CLAIMS: usize = 200;
/// What a token may say that it is (RFC 7519 §5.1, RFC 9068 §2.1); a logout token, for one, proves nobody.
const TYPES: [&str; 4] = ["jwt", "at+jwt", "application/jwt", "application/at+jwt"];

/// A token, of which nothing is verified.
pub(super) struct Compact<'t> {
    /// What the signature is over.
    pub signed: &'t [u8],
    pub header: Header,
    pub claims: Object,
    pub signature: Vec<u8>,
}

/// What of a header is looked at. Keys and addresses of keys in it are not.
pub(super) struct Header {
    pub algorithm: String,
    pub key: Option<String>,
}

impl<'t> Compact<'t> {
    /// Reads a token.
    ///
    /// # Errors
    /// [`Refused::Malformed`], [`Refused::Critical`] and [`Refused::Type`].
    pub(super) fn parse(token: &'t [u8]) -> Result<Self, Refused> {
        let malformed = |what: &'static str| Refused::Malformed(what.into());
        if token.len() > LONGEST {
            return Err(malformed("it is longer than 65535 bytes"));
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("it has not three parts with dots between them"));
        };
        if header.len() > LONGEST_HEADER {
            return Err(malformed("its header is longer than 4096 bytes"));
        }
        let signed = token.get(..header.len() + 1 + claims.len()).unwrap_or_default();
        let header = Header::of(&part(header, "header")?)?;
        let claims = part(claims, "claims")?;
        let signature =
            URL_SAFE_NO_PAD.decode(signature).map_err(|_| malformed("its signature is no base64url"))?;
        if claims.len() > MOST_CLAIMS {
            return Err(malformed("it has more than 200 claims"));
        }
        Ok(Self { signed, header, claims, signature })
    }
}

fn part(text: &[u8], what: &str) -> Result<Object, Refused> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| "is no base64url");
    let object = bytes.and_then(|bytes| object(&bytes));
    object.map_err(|problem| Refused::Malformed(format!("its part with the {what} {problem}")))
}

impl Header {
    fn of(header: &Object) -> Result<Self, Refused> {
        // Whoever does not know what it names has to refuse (RFC 7515 §4.1.11), and nothing is known here.
        if header.contains_key("crit") {
            return Err(Refused::Critical);
        }
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(Refused::Malformed(format!("{name} of its header is no string"))),
        };
        if let Some(kind) = text("typ")?
            && !TYPES.contains(&kind.to_ascii_lowercase().as_str())
        {
            return Err(Refused::Type { found: shown(&kind) });
        }
        let algorithm = text("alg")?.ok_or_else(|| Refused::Malformed("its header has no alg".into()))?;
        Ok(Self { algorithm, key: text("kid")? })
    }
}
