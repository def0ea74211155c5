//! Which passcodes are taken (NIST SP 800-63B §3.1.1.2): long ones, whatever they are made of, but those that anybody
//! would try; and passcodes that are made.

use aws_lc_rs::rand;
use zeroize::Zeroizing;

use super::common::COMMON;
use super::error::UsersError;

/// Characters.
const SHORTEST: usize = 12;
/// Bytes: more than any person types.
const LONGEST: usize = 1024;
/// Characters that are left of a passcode without the user's name in it.
const BESIDE_NAME: usize = 8;

/// Why a passcode is not taken; says what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPasscode {
    /// Too few characters.
    #[error(
        "the passcode has fewer than {SHORTEST} characters; a few words that nobody else would put together are good"
    )]
    Short,
    /// Too many bytes.
    #[error("the passcode is longer than {LONGEST} bytes")]
    Long,
    /// What everybody tries first.
    #[error("the passcode is one of the commonest; a few words that nobody else would put together are good")]
    Common,
    /// Little but the name.
    #[error("the passcode is little more than the user's name; take another")]
    Name,
    /// What no keyboard types.
    #[error("the passcode has control characters; write it in one line")]
    Control,
}

/// Whether the passcode of a user is refused.
///
/// # Errors
/// Why.
pub fn refused(passcode: &str, name: &str) -> Result<(), WeakPasscode> {
    let plain = passcode.to_lowercase();
    let plain = Zeroizing::new(plain);
    let mut characters = plain.chars();
    let first = characters.next();
    if passcode.len() > LONGEST {
        return Err(WeakPasscode::Long);
    }
    if passcode.chars().any(char::is_control) {
        return Err(WeakPasscode::Control);
    }
    if passcode.chars().count() < SHORTEST {
        return Err(WeakPasscode::Short);
    }
    if COMMON.contains(&plain.as_str()) || characters.all(|one| Some(one) == first) {
        return Err(WeakPasscode::Common);
    }
    let beside = Zeroizing::new(plain.replace(&name.to_lowercase(), ""));
    if beside.len() < plain.len() && beside.chars().count() < BESIDE_NAME {
        return Err(WeakPasscode::Name);
    }
    Ok(())
}

/// A passcode with 100 random bits: five groups of four letters and digits that nobody takes for others.
///
/// # Errors
/// [`UsersError::System`].
pub fn made() -> Result<Zeroizing<String>, UsersError> {
    const LETTERS: &[u8; 32] = b"23456789abcdefghijkmnpqrstuvwxyz";
    let mut random = Zeroizing::new([0_u8; 20]);
    rand::fill(random.as_mut_slice()).map_err(|_| UsersError::System("random numbers"))?;
    let mut text = Zeroizing::new(String::with_capacity(24));
    for (index, byte) in random.iter().enumerate() {
        if index > 0 && index % 4 == 0 {
            text.push('-');
        }
        text.extend(LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter)));
    }
    Ok(text)
}
