mod codes;
mod keeping;
mod lockout;
mod passcodes;
mod verifying;

use super::{Hash, Key, OneTimeSecret, User};
use std::sync::LazyLock;
use time::OffsetDateTime;

const PASSCODE: &str = "seven quiet herons";

/// Hashing is slow on purpose: one for all tests.
static HASH: LazyLock<Hash> = LazyLock::new(|| Hash::of(PASSCODE).unwrap());

fn user(name: &str) -> User {
    User {
        name: name.to_owned(),
        hash: HASH.clone(),
        one_time: None,
        roles: vec!["operator".into()],
        not_after: None,
        disabled: false,
        peers: Vec::new(),
    }
}

fn key() -> Key {
    Key::new(&[7; 48]).unwrap()
}

/// That of the examples in RFC 6238.
fn secret() -> OneTimeSecret {
    OneTimeSecret::from_bytes(b"12345678901234567890").unwrap()
}

fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).unwrap()
}
