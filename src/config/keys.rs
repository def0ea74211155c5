//! What a configuration says, key by key, so that a reload can tell what it changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::{Table, Value};

/// Every key of a file with its value. Names things by their names: `peer "lyon".networks`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Keys(BTreeMap<String, String>);

/// Most changes that are told.
const MOST: usize = 100;

impl Keys {
    pub(super) fn of(text: &str) -> Self {
        let mut keys = BTreeMap::new();
        for (name, value) in text.parse::<Table>().unwrap_or_default() {
            enter(name, &value, &mut keys);
        }
        Self(keys)
    }

    /// Each key with its value as TOML, in the order of their names.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Whether both say the same of one thing with a name, a `[[rewrite]]` for one.
    pub fn say_the_same(&self, other: &Self, what: &str, name: &str) -> bool {
        let thing = format!("{what} \"{name}\"");
        self.of_thing(&thing).eq(other.of_thing(&thing))
    }

    /// The keys of one thing with a name that are not the same in both.
    pub fn changed_of(&self, other: &Self, what: &str, name: &str) -> Vec<String> {
        let thing = format!("{what} \"{name}\".");
        let values = |keys: &Self| -> BTreeMap<String, String> {
            let own = |key: &str| key.strip_prefix(&thing).unwrap_or_default().to_owned();
            keys.of_thing(&thing).map(|(key, value)| (own(key), value.clone())).collect()
        };
        let (new, old) = (values(self), values(other));
        let all: BTreeSet<&String> = new.keys().chain(old.keys()).collect();
        all.into_iter().filter(|key| new.get(*key) != old.get(*key)).cloned().collect()
    }

    /// The keys of a thing, and of things inside it.
    fn of_thing(&self, thing: &str) -> impl Iterator<Item = (&String, &String)> {
        let from = self.0.range(thing.to_owned()..);
        from.take_while(move |(key, _)| key.starts_with(thing))
    }

    /// The keys that are not as they were `before`, without their values: things that came or went as a whole, and keys.
    pub fn changes_since(&self, before: &Self) -> Vec<String> {
        let names = |keys: &Self| keys.0.keys().map(|key| thing_of(key).to_owned()).collect::<BTreeSet<_>>();
        let (old, new) = (names(before), names(self));
        let came = new.difference(&old).map(|thing| format!("added {thing}"));
        let gone = old.difference(&new).map(|thing| format!("removed {thing}"));
        let all: BTreeSet<&String> = self.0.keys().chain(before.0.keys()).collect();
        let kept = |key: &&String| old.contains(thing_of(key)) && new.contains(thing_of(key));
        let changed = all.into_iter().filter(kept).filter(|key| self.0.get(*key) != before.0.get(*key));
        let mut told: Vec<String> =
            came.chain(gone).chain(changed.map(|key| format!("changed {key}"))).collect();
        if told.len() > MOST {
            let more = told.split_off(MOST).len();
            told.push(format!("and {more} more"));
        }
        told
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// `peer "lyon"` of `peer "lyon".networks`; a key of no thing with a name stands for itself.
fn thing_of(key: &str) -> &str {
    key.rfind('"').and_then(|end| key.get(..=end)).unwrap_or(key)
}

fn enter(path: String, value: &Value, keys: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            for (name, value) in table {
                enter(format!("{path}.{name}"), value, keys);
            }
        }
        Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_table) => {
            for (item, number) in items.iter().zip(1_usize..) {
                let name = item.get("name").or_else(|| item.get("id")).and_then(Value::as_str);
                let name = name.map_or_else(|| number.to_string(), str::to_owned);
                enter(format!("{path} \"{name}\""), item, keys);
            }
        }
        other => {
            keys.insert(path, other.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Keys;

    const BEFORE: &str = "[limits]\nmax-associations = 5\n[[peer]]\nname = \"lyon\"\nnetworks = [\"10.0.0.0/8\"]\n[[peer]]\nname = \"old\"\n";
    const AFTER: &str = "[limits]\nmax-associations = 6\n[[peer]]\nname = \"new\"\n[[peer]]\nname = \"lyon\"\nnetworks = [\"10.0.0.0/9\"]\nrole = \"x\"\n";

    #[test]
    fn changes_are_named_by_thing_and_key_and_say_no_value() {
        let (before, after) = (Keys::of(BEFORE), Keys::of(AFTER));
        assert_eq!(
            after.changes_since(&before),
            [
                "added peer \"new\"",
                "removed peer \"old\"",
                "changed limits.max-associations",
                "changed peer \"lyon\".networks",
                "changed peer \"lyon\".role"
            ]
        );
        assert!(after.changes_since(&after).is_empty());
    }
}
