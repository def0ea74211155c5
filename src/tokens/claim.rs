//! Where a claim stands, and what kind of value it is.

use std::fmt;

use serde_json::Value;
use time::OffsetDateTime;

use super::json::Object;

/// Entries of a claim that lists something.
const MOST: usize = 1000;
/// Bytes of where a claim stands.
const LONGEST: usize = 256;

/// The name of a claim, or, where it begins with a slash, the way to it (JSON Pointer, RFC 6901), such as `/realm_access/roles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim(Box<str>);

impl Claim {
    /// Where a claim stands; `None` for a text that no claim can be at.
    pub fn at(text: &str) -> Option<Self> {
        let is_legal =
            (1..=LONGEST).contains(&text.len()) && text != "/" && !text.chars().any(char::is_control);
        is_legal.then(|| Self(text.into()))
    }

    pub(super) fn of<'o>(&self, claims: &'o Object) -> Option<&'o Value> {
        let Some(way) = self.0.strip_prefix('/') else { return claims.get(&*self.0) };
        let mut names = way.split('/').map(|name| name.replace("~1", "/").replace("~0", "~"));
        let first = claims.get(&names.next()?)?;
        names.try_fold(first, |value, name| value.as_object()?.get(&name))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Several texts: an array of strings, or one string. `None` where it is neither, or too many.
pub(super) fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(all) if all.len() <= MOST => all.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// A NumericDate (RFC 7519 §2): seconds since 1970, also parts of them. `None` where it is none, or no calendar has it.
pub(super) fn moment(value: &Value) -> Option<OffsetDateTime> {
    let nanoseconds = match value.as_i64() {
        Some(seconds) => i128::from(seconds) * 1_000_000_000,
        // Out of every calendar where it is too large, and cut there.
        None => (value.as_f64()? * 1e9) as i128,
    };
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::{Claim, moment, texts};
    use crate::tokens::json::object;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn a_claim_is_found_by_its_name_or_by_the_way_to_it() {
        let claims = object(br#"{"a":1,"b.c":2,"https://x/y":3,"d":{"e/f":{"g":[4]}}}"#).unwrap();
        let at = |text: &str| Claim::at(text).unwrap().of(&claims).cloned();
        assert_eq!([at("a"), at("b.c"), at("https://x/y")], [Some(json!(1)), Some(json!(2)), Some(json!(3))]);
        assert_eq!(at("/d/e~1f/g"), Some(json!([4])));
        for nowhere in ["d.e", "/d/e/f", "/a/b", "/d/e~1f/g/0", "//", "b"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
        for none in ["", "/", "a\nb", &"x".repeat(257)] {
            assert_eq!(Claim::at(none), None);
        }
    }

    #[test]
    fn a_list_of_texts_is_nothing_else_and_a_date_is_in_the_calendar() {
        assert_eq!(texts(&json!("a b")), Some(vec!["a b"]));
        assert_eq!(texts(&json!(["a", "b"])), Some(vec!["a", "b"]));
        assert!(
            [json!(1), json!(["a", 1]), json!({}), json!(vec!["x"; 1001])]
                .iter()
                .all(|one| texts(one).is_none())
        );
        assert_eq!(moment(&json!(0)), Some(datetime!(1970-01-01 00:00 UTC)));
        assert_eq!(moment(&json!(1.5)), Some(datetime!(1970-01-01 00:00:01.5 UTC)));
        assert_eq!(moment(&json!(253_402_300_799_i64)), Some(datetime!(9999-12-31 23:59:59 UTC)));
        for none in [json!("0"), json!(253_402_300_800_i64), json!(1e300), json!(i64::MIN), json!(u64::MAX)] {
            assert_eq!(moment(&none), None, "{none}");
        }
    }
}
