//! Where in a file each table begins that has a header of its own.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Whose a header is: the first key of it, and which of the tables of an array it belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub key: String,
    /// Of `[[key]]`, counted from 0; `None` of `[key]`.
    pub item: Option<usize>,
    /// Whether it is the header of that table, and not of one inside it.
    pub is_its_own: bool,
}

/// The headers of a file by their offsets. A table ends where the next header begins, or before the comments and empty lines
/// above that: they are about what follows, which may be another one's.
pub(super) struct Regions<'t> {
    text: &'t str,
    headers: BTreeMap<usize, Owner>,
    /// Where values end. The last line of one may look like a comment.
    ends: BTreeSet<usize>,
}

impl<'t> Regions<'t> {
    /// Of a file that was read without an error.
    pub(super) fn of(text: &'t str, root: &DeTable<'_>) -> Self {
        let mut regions = Self { text, headers: BTreeMap::new(), ends: BTreeSet::new() };
        for (key, value) in root {
            let owner = |item| Owner { key: key.get_ref().to_string(), item, is_its_own: true };
            match value.get_ref() {
                DeValue::Array(items) => {
                    items
                        .iter()
                        .enumerate()
                        .for_each(|(item, value)| regions.enter(value, owner(Some(item))));
                }
                _ => regions.enter(value, owner(None)),
            }
        }
        regions
    }

    fn enter(&mut self, value: &Spanned<DeValue<'_>>, owner: Owner) {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::Table(table) => {
                // One that only tables inside it stand for begins where the first of them does.
                let inside = Owner { is_its_own: false, ..owner.clone() };
                for value in table.iter().map(|(_, value)| value) {
                    self.enter(value, inside.clone());
                }
                if self.is_header(at) {
                    self.headers.entry(at).or_insert(owner);
                }
            }
            DeValue::Array(items) => {
                items.iter().for_each(|item| self.enter(item, owner.clone()));
                if !items.iter().any(|item| self.has(item.span().start)) {
                    self.ends.insert(value.span().end);
                }
            }
            _ => {
                self.ends.insert(value.span().end);
            }
        }
    }

    /// Whether a table begins there with brackets, and not with a brace or with the key of a value.
    fn is_header(&self, at: usize) -> bool {
        self.text.get(at..).is_some_and(|rest| rest.starts_with('['))
    }

    /// What stands above the first header.
    pub(super) fn above(&self) -> std::ops::Range<usize> {
        0..self.headers.keys().next().copied().unwrap_or(self.text.len())
    }

    /// Each table, from its header to what stands above the next one.
    pub(super) fn each(&self) -> impl Iterator<Item = (std::ops::Range<usize>, &Owner)> {
        let ends = self.headers.keys().skip(1).copied().chain([self.text.len()]);
        self.headers.iter().zip(ends).map(|((start, owner), next)| (*start..self.end(*start, next), owner))
    }

    /// Where what is of the table ends that begins at `start`.
    fn end(&self, start: usize, next: usize) -> usize {
        let least = self.ends.range(..=next).next_back().copied().unwrap_or_default().max(start);
        let mut end = next;
        // The line of the next header is empty up to it.
        while let Some(above) = self.text.get(least..end) {
            let line = above.strip_suffix('\n').unwrap_or(above).rfind('\n').map(|at| least + at + 1);
            let Some(line) = line else { return end };
            let written = self.text.get(line..end).unwrap_or_default().trim();
            if !written.is_empty() && !written.starts_with('#') {
                return end;
            }
            end = line;
        }
        end
    }

    /// Whether a value stands under a header of its own.
    pub(super) fn has(&self, at: usize) -> bool {
        self.headers.contains_key(&at)
    }
}

#[cfg(test)]
mod tests {
    use super::Regions;
    use toml::de::DeTable;

    #[test]
    fn a_table_is_found_where_its_header_is_and_no_text_that_looks_like_one() {
        let text = "relative-to = \"file\"\n# [[peer]]\n[limits]\ngrace = \"\"\"\n[[peer]]\n\"\"\"\n  [[peer]]\nname = \"a\"\n\
                    scope = [{ tag = \"x\" },\n{ tag = \"y\" }]\n[ peer . tls ]\nx = [\n[1],\n]\n[[\"peer\"]]\nname='b'\n\
                    [audit]\n[[audit.repository]]\n[audit.repository.tls]\n";
        let root = DeTable::parse(text).unwrap();
        let regions = Regions::of(text, root.get_ref());
        let found: Vec<_> = regions
            .each()
            .map(|(range, owner)| {
                let header = text[range].lines().next().unwrap();
                (header, owner.key.as_str(), owner.item, owner.is_its_own)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("[limits]", "limits", None, true),
                ("[[peer]]", "peer", Some(0), true),
                ("[ peer . tls ]", "peer", Some(0), false),
                ("[[\"peer\"]]", "peer", Some(1), true),
                ("[audit]", "audit", None, true),
                ("[[audit.repository]]", "audit", None, false),
                ("[audit.repository.tls]", "audit", None, false),
            ]
        );
        assert_eq!(&text[regions.above()], "relative-to = \"file\"\n# [[peer]]\n");
    }

    #[test]
    fn what_stands_above_a_header_is_not_of_the_table_before_it() {
        let text = "[a]\nx = 1 # of x\n# of what follows\n\n \t# too\n  [b]\n# inside\ny = \"\"\"\n# value\n\n# value\"\"\"\n#\n[c]\n#\n[d]\nz = [\n# of z\n]\n\n# the end";
        let root = DeTable::parse(text).unwrap();
        let regions = Regions::of(text, root.get_ref());
        let found: Vec<_> = regions.each().map(|(range, _)| &text[range]).collect();
        assert_eq!(
            found,
            [
                "[a]\nx = 1 # of x\n",
                "[b]\n# inside\ny = \"\"\"\n# value\n\n# value\"\"\"\n",
                "[c]\n",
                "[d]\nz = [\n# of z\n]\n",
            ]
        );
    }
}
