//! What an association has proven of whoever asks for it: something that one has, knows, or is shown once.

use std::fmt;

/// One kind of proof. DIMSE has no round of questions, so all of them come with the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Factor {
    /// A client certificate that the listener accepted, and its key (PS3.15 B.12).
    Certificate,
    /// The passcode of a user (PS3.7 D.3.3.7, type 2).
    Passcode,
    /// A code behind the passcode that works once (RFC 6238).
    OneTimeCode,
    /// What an issuer says of a user, signed (PS3.7 D.3.3.7, type 5; RFC 7519).
    Token,
}

impl Factor {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Certificate, Self::Passcode, Self::OneTimeCode, Self::Token];

    /// As configuration and records write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Passcode => "passcode",
            Self::OneTimeCode => "one-time-code",
            Self::Token => "token",
        }
    }

    /// The factor that a word names.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.name() == word)
    }

    /// What whoever lacks it has to do.
    pub(super) const fn remedy(self) -> &'static str {
        match self {
            Self::Certificate => "let the requestor connect with a client certificate",
            Self::Passcode => "let the requestor send a user name and passcode (user identity, type 2)",
            Self::OneTimeCode => {
                "let the requestor send the six digits of now behind the passcode, of a user who has a one-time secret"
            }
            Self::Token => "let the requestor send a JSON Web Token of an [[issuer]] (user identity, type 5)",
        }
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Several of them, each once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Factors(u8);

impl Factors {
    /// Whether it is among them.
    pub const fn contains(self, factor: Factor) -> bool {
        self.0 & Self::bit(factor) != 0
    }

    /// These factors and one more.
    #[must_use]
    pub const fn with(self, factor: Factor) -> Self {
        Self(self.0 | Self::bit(factor))
    }

    /// In the order of [`Factor::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Factor> {
        Factor::ALL.into_iter().filter(move |factor| self.contains(*factor))
    }

    /// The first of these that is not among `proven`.
    pub fn missing_in(self, proven: Self) -> Option<Factor> {
        self.iter().find(|factor| !proven.contains(*factor))
    }

    const fn bit(factor: Factor) -> u8 {
        1 << factor as u8
    }
}

impl FromIterator<Factor> for Factors {
    fn from_iter<I: IntoIterator<Item = Factor>>(factors: I) -> Self {
        factors.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Display for Factors {
    /// Such as `certificate, passcode`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, factor) in self.iter().enumerate() {
            write!(f, "{}{factor}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
