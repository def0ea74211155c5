//! Where each key and each table of a configuration stands, for whoever has to show the line.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Lines of keys and tables, by the names that [`Keys`](super::Keys) gives them: `limits.idle-timeout`, `peer "lyon"`,
/// `listener "remote".tls.profile`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places(BTreeMap<String, usize>);

impl Places {
    /// Of a text without errors; of any other it knows no place.
    pub(super) fn of(text: &str) -> Self {
        let (root, errors) = DeTable::parse_recoverable(text);
        let mut places = Self::default();
        if errors.is_empty() {
            let lines = Lines::of(text);
            root.get_ref().iter().for_each(|(name, value)| {
                places.enter(&lines, name.get_ref().to_string(), name.span().start, value);
            });
        }
        places
    }

    /// The line of a key or of the header of a table, counted from 1; `None` where it is not there.
    pub fn line_of(&self, key: &str) -> Option<usize> {
        self.0.get(key).copied()
    }

    fn enter(&mut self, lines: &Lines, path: String, at: usize, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (name, value) in table {
                    self.enter(lines, format!("{path}.{}", name.get_ref()), name.span().start, value);
                }
                self.0.insert(path, lines.line(at));
            }
            DeValue::Array(items)
                if !items.is_empty() && items.iter().all(|one| one.get_ref().is_table()) =>
            {
                for (item, number) in items.iter().zip(1_usize..) {
                    let item_of = |key| item.get_ref().get(key);
                    let name =
                        item_of("name").or_else(|| item_of("id")).and_then(|name| name.get_ref().as_str());
                    let name = name.map_or_else(|| number.to_string(), str::to_owned);
                    self.enter(lines, format!("{path} \"{name}\""), item.span().start, item);
                }
            }
            _ => drop(self.0.insert(path, lines.line(at))),
        }
    }
}

/// Where the lines of a text begin, in bytes.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let behind = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(behind).collect())
    }

    fn line(&self, at: usize) -> usize {
        self.0.partition_point(|begin| *begin <= at).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    const TEXT: &str = "[limits]\nidle-timeout = \"5m\"\n\n[[peer]]\nname = \"lyon\"\nrole = \"r\"\n[[listener]]\nname = \"remote\"\n[listener.tls]\nprofile = \"tls13\"\n[upstream]\nhealth = { echo = \"3s\" }\n";

    #[test]
    fn keys_and_tables_are_found_by_their_names() {
        let places = Places::of(TEXT);
        for (key, line) in [
            ("limits", 1),
            ("limits.idle-timeout", 2),
            ("peer \"lyon\"", 4),
            ("peer \"lyon\".role", 6),
            ("listener \"remote\".tls", 9),
            ("listener \"remote\".tls.profile", 10),
            ("upstream.health.echo", 12),
        ] {
            assert_eq!(places.line_of(key), Some(line), "{key}");
        }
        assert_eq!(places.line_of("peer \"geneva\""), None);
        assert_eq!(Places::of("[limits").line_of("limits"), None);
    }
}
