//! JSON in which nothing is said twice: of two members with one name, readers take another one each (RFC 8259 §4).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The members of an object.
pub(super) type Object = Map<String, Value>;

/// Reads an object. Its depth is bounded by the parser, everything else by the length of the text.
///
/// # Errors
/// What is wrong, without anything of the text.
pub(super) fn object(bytes: &[u8]) -> Result<Object, &'static str> {
    match serde_json::from_slice(bytes) {
        Ok(Once(Value::Object(object))) => Ok(object),
        Ok(Once(_)) => Err("is no JSON object"),
        Err(error) if error.is_data() => Err("says a member twice"),
        Err(_) => Err("is no JSON"),
    }
}

/// A value in which no object has a member twice.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reading).map(Self)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Object::new();
        while let Some((name, Once(value))) = members.next_entry::<String, Once>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn nothing_is_said_twice_at_any_depth_and_nothing_nests_without_end() {
        assert_eq!(object(br#"{"a":1,"b":{"a":[{"a":null}]}}"#).unwrap().len(), 2);
        for (text, why) in [
            (r#"{"a":1,"a":1}"#, "says a member twice"),
            (r#"{"a":1,"\u0061":1}"#, "says a member twice"),
            (r#"{"b":[{"c":{"a":1,"a":2}}]}"#, "says a member twice"),
            ("[1]", "is no JSON object"),
            ("{", "is no JSON"),
            (r#"{"a":1e999}"#, "is no JSON"),
            (r#"{"a":1} x"#, "is no JSON"),
            ("", "is no JSON"),
        ] {
            assert_eq!(object(text.as_bytes()), Err(why), "{text}");
        }
        let deep = format!("{}{}", r#"{"a":"#.repeat(10_000), "}".repeat(10_000));
        assert_eq!(object(deep.as_bytes()), Err("is no JSON"));
    }
}
