//! Texts that stand for something else, read without a copy.

use serde::de::{Deserializer, Error, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// What `of` makes of a text; `null` is the empty one.
pub(super) fn text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    of: impl FnOnce(&str) -> T,
) -> Result<T, D::Error> {
    struct Text<F, T>(F, PhantomData<T>);

    impl<F: FnOnce(&str) -> T, T> Visitor<'_> for Text<F, T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
            Ok((self.0)(text))
        }

        fn visit_unit<E: Error>(self) -> Result<T, E> {
            Ok((self.0)(""))
        }
    }

    deserializer.deserialize_any(Text(of, PhantomData))
}
