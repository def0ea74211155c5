//! Passcodes as they are kept: argon2id, with parameters and salt in one string of the Password Hashing Competition (PHC).

use std::fmt;

use argon2::password_hash::PasswordVerifier;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::error::UsersError;

/// KiB, passes and lanes of what is made here, as OWASP advises: more would cost a proxy under attack more than it costs
/// whoever has the file, before passcodes of twelve characters.
const MADE: (u32, u32, u32) = (19 * 1024, 2, 1);
/// What is read: not weaker than that, and not so much that verifying would take the machine.
const LEAST: (u32, u32) = (19 * 1024, 2);
const MOST: (u32, u32, u32) = (64 * 1024, 8, 4);

/// An argon2id hash, known to be sound and of bounded cost.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash(PasswordHash);

impl Hash {
    /// The hash of a passcode, with a salt of its own. Takes tens of milliseconds and 19 MiB.
    ///
    /// # Errors
    /// [`UsersError::System`].
    pub fn of(passcode: &str) -> Result<Self, UsersError> {
        let mut salt = [0; Salt::RECOMMENDED_LENGTH];
        rand::fill(&mut salt).map_err(|_| UsersError::System("random numbers"))?;
        Self::with(passcode, &salt).ok_or(UsersError::System("memory to hash a passcode in"))
    }

    fn with(passcode: &str, salt: &[u8]) -> Option<Self> {
        let (memory, passes, lanes) = MADE;
        let params = Params::new(memory, passes, lanes, None).ok()?;
        let mut output = Zeroizing::new([0; Params::DEFAULT_OUTPUT_LEN]);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        argon2.hash_password_into(passcode.as_bytes(), salt, output.as_mut_slice()).ok()?;
        Some(Self(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).ok()?,
            salt: Some(Salt::new(salt).ok()?),
            hash: Some(Output::new(output.as_slice()).ok()?),
        }))
    }

    /// Reads one, as in the file.
    ///
    /// # Errors
    /// What would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "is no argon2id hash, set it with: dimsegate user passcode".to_owned();
        let hash = PasswordHash::new(text).map_err(|_| wrong())?;
        let is_argon2id = hash.algorithm == Algorithm::Argon2id.ident();
        let params = Params::try_from(&hash).map_err(|_| wrong())?;
        if !is_argon2id
            || hash.version != Some(Version::V0x13.into())
            || hash.salt.is_none()
            || hash.hash.is_none()
        {
            return Err(wrong());
        }
        let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
        if memory < LEAST.0 || passes < LEAST.1 {
            return Err(format!(
                "is hashed with m={memory},t={passes}, weaker than m={},t={}; set it anew with: dimsegate user passcode",
                LEAST.0, LEAST.1
            ));
        }
        if memory > MOST.0 || passes > MOST.1 || lanes > MOST.2 {
            return Err(format!(
                "is hashed with m={memory},t={passes},p={lanes}, more than verifying may cost (m={},t={},p={}); set it anew with: dimsegate user passcode",
                MOST.0, MOST.1, MOST.2
            ));
        }
        Ok(Self(hash))
    }

    /// Whether it is the hash of this passcode; the comparison takes as long whatever the answer.
    pub fn is_of(&self, passcode: &str) -> bool {
        Argon2::default().verify_password(passcode.as_bytes(), &self.0).is_ok()
    }

    /// As it stands in the file.
    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash")
    }
}
