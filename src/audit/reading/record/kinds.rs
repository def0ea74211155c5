//! Fields that are of one kind in some events and of another kind in others.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use serde_json::Value;

use super::super::Text;

/// `ended`: how an association did, or whether the run before did in good order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended<'a> {
    How(Text<'a>),
    InOrder(bool),
}

impl Ended<'_> {
    pub(super) fn into_owned(self) -> Ended<'static> {
        match self {
            Self::How(how) => Ended::How(how.into_owned()),
            Self::InOrder(in_order) => Ended::InOrder(in_order),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Ended<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Ended<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a truth value")
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Ended::How(Text(text.into())))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Ended::How(Text(text.to_owned().into())))
            }

            fn visit_bool<E: Error>(self, in_order: bool) -> Result<Self::Value, E> {
                Ok(Ended::InOrder(in_order))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

/// `last`: the number of a record; of a checkpoint, whether it is the last of its run, which is no number.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    Ok(Value::deserialize(deserializer)?.as_u64())
}
