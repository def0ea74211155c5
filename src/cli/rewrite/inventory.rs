//! `--inventory`: every distinct pair of attribute and text that is left in what was written, for a curator to look at.
//!
//! Items have no numbers here: what stands in the first item of a sequence and in the second is one attribute. Of a text up
//! to [`LONGEST`] bytes are shown; those of more are told apart by their length and by a digest of [`READ`] bytes. No more than
//! [`MOST`] pairs are held, and [`EACH`] of one attribute, so that one with a new text in each object takes no room from the
//! others; what found no room is counted by attribute.

pub(super) mod accepted;
mod page;
mod risk;
mod table;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use super::elements::{Element, Look, look_at};
use super::failure::FileError;
use super::inputs::printable;
use super::names::Place;
use crate::cli::audit::report::write;
use crate::dataset::{Header, trim};
use crate::notation::hex;
use crate::rewrite::text_of;
use accepted::Accepted;
use risk::{Risk, Why};

/// Pairs that are held.
const MOST: usize = 100_000;
/// Of one attribute.
const EACH: usize = 2_000;
/// Bytes of a text that are shown.
const LONGEST: usize = 1024;
/// Bytes of a text that are read, to tell it from others.
const READ: usize = 64 << 10;

/// An attribute and one of its texts.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Pair {
    /// By tags, without item numbers: `(0040,0275).(0040,0007)`.
    attribute: String,
    keyword: String,
    vr: String,
    text: String,
    /// Bytes of the text, where not all of it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    length: Option<u32>,
    /// Elements that have it.
    times: u64,
    /// A file that has it, as it is called in the folder that was written.
    example: String,
    why: Vec<&'static str>,
    /// The first 16 hexadecimal digits of the SHA-256 of the attribute and the text: what an accepted pair is found by.
    digest: String,
    /// What a rule calls the attribute.
    rule: String,
    #[serde(skip)]
    risk: u32,
}

/// An attribute with more texts than are held.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct LeftOut {
    attribute: String,
    /// Elements whose text found no room.
    times: u64,
}

/// What is left in files, see the [module](self).
#[derive(Debug, Default)]
pub(super) struct Inventory {
    pairs: HashMap<String, Pair>,
    texts_of: HashMap<String, usize>,
    left_out: BTreeMap<String, u64>,
    accepted: Accepted,
    /// Elements that were not listed, since their pair was accepted before.
    hidden: u64,
    files: u64,
}

/// As it is written out: the riskiest first.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Listed {
    files: u64,
    pairs: Vec<Pair>,
    /// Elements whose pair had been accepted.
    accepted: u64,
    left_out: Vec<LeftOut>,
}

impl Inventory {
    /// Of nothing yet; pairs that were accepted are not listed.
    pub(super) fn new(accepted: Accepted) -> Self {
        Self { accepted, ..Self::default() }
    }

    /// Adds what is left in a file.
    ///
    /// # Errors
    /// It cannot be read; what was read of it is counted.
    pub(super) fn add(&mut self, file: &Path) -> Result<(), FileError> {
        self.files = self.files.saturating_add(1);
        let name = file.file_name().map_or_else(String::new, |name| printable(Path::new(name)));
        look_at(file, &mut Looking { inventory: self, name: &name })
    }

    fn count(&mut self, element: &Element<'_>, risk: &Risk, name: &str) {
        let value = trim(element.value);
        let attribute = element.place.attribute();
        let text = String::from_utf8_lossy(&text_of(element.character_set, value)).into_owned();
        let longer = element.header.length.filter(|&length| length as usize > element.value.len());
        let whole =
            [attribute.as_bytes(), b"\0", &longer.unwrap_or(0).to_le_bytes(), text.as_bytes()].concat();
        let found = hex::encode(digest(&SHA256, &whole).as_ref().get(..8).unwrap_or_default());
        if let Some(pair) = self.pairs.get_mut(&found) {
            pair.times = pair.times.saturating_add(1);
            return;
        }
        if self.accepted.has(&attribute, &found, &text) {
            self.hidden = self.hidden.saturating_add(1);
            return;
        }
        let texts = self.texts_of.get(&attribute).copied().unwrap_or(0);
        if texts >= EACH || self.pairs.len() >= MOST {
            let times = self.left_out.entry(attribute).or_default();
            *times = times.saturating_add(1);
            return;
        }
        self.texts_of.insert(attribute.clone(), texts + 1);
        let (shown, is_cut) = cut(text);
        let pair = Pair {
            attribute,
            keyword: element.place.keyword().to_owned(),
            vr: String::from_utf8_lossy(&element.header.vr.code()).into_owned(),
            text: shown,
            length: element.header.length.filter(|_| is_cut || longer.is_some()),
            times: 1,
            example: name.to_owned(),
            why: risk.why.iter().map(|why| why.word()).collect(),
            digest: found.clone(),
            rule: element.place.rule(),
            risk: risk.points(),
        };
        self.pairs.insert(found, pair);
    }

    fn listed(self) -> Listed {
        let mut pairs: Vec<Pair> = self.pairs.into_values().collect();
        pairs.sort_by(|one, other| {
            let key = |pair: &Pair| (std::cmp::Reverse(pair.risk), pair.times);
            key(one)
                .cmp(&key(other))
                .then_with(|| (&one.attribute, &one.text).cmp(&(&other.attribute, &other.text)))
        });
        let left_out = self.left_out.into_iter().map(|(attribute, times)| LeftOut { attribute, times });
        Listed { files: self.files, pairs, accepted: self.hidden, left_out: left_out.collect() }
    }

    /// Writes it out: as a page where the name ends in `.html`, as JSON where in `.json`, as a table where it is `-`.
    ///
    /// # Errors
    /// A file cannot be written, or the table.
    pub(super) fn tell(self, to: &[PathBuf], rewrite: &str, shown: &mut dyn Write) -> Result<(), FileError> {
        let listed = self.listed();
        for path in to {
            let bytes = match Form::of(path) {
                Ok(Form::Page) => page::page(&listed, rewrite).into_bytes(),
                Ok(Form::Json) => serde_json::to_vec_pretty(&listed).unwrap_or_default(),
                _ => {
                    table::print(&listed, shown)
                        .map_err(|error| FileError::Write { to: path.clone(), error })?;
                    continue;
                }
            };
            write(path, &bytes).map_err(|error| FileError::Write { to: path.clone(), error })?;
        }
        Ok(())
    }
}

/// The first characters of a text, and whether there are more.
fn cut(mut text: String) -> (String, bool) {
    let mut end = LONGEST.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let is_cut = end < text.len();
    text.truncate(end);
    (text, is_cut)
}

/// What an inventory is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Table,
    Json,
    Page,
}

impl Form {
    fn of(path: &Path) -> Result<Self, String> {
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path == Path::new("-") => Ok(Self::Table),
            Some("json") => Ok(Self::Json),
            Some("html") => Ok(Self::Page),
            _ => Err("is no form of an inventory; write NAME.html, NAME.json, or - for a table".to_owned()),
        }
    }
}

/// Where an inventory goes, as the command line has it.
///
/// # Errors
/// What would be right.
pub(super) fn target(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    Form::of(&path).map(|_| path)
}

/// Counts the texts of one file.
struct Looking<'l> {
    inventory: &'l mut Inventory,
    name: &'l str,
}

impl Look for Looking<'_> {
    fn wants(&mut self, header: &Header, _place: &Place) -> usize {
        if risk::can_be_text(header) { READ } else { 0 }
    }

    fn element(&mut self, element: &Element<'_>) {
        if let Some(risk) = risk::of(element) {
            self.inventory.count(element, &risk, self.name);
        }
    }
}

/// Every reason, with what it means, in the order in which they weigh.
fn legend() -> impl Iterator<Item = (&'static str, &'static str)> {
    Why::ALL.into_iter().map(|why| (why.word(), why.meaning()))
}

#[cfg(test)]
mod tests {
    use super::{Accepted, EACH, Element, Inventory, LONGEST, Look, Looking, target};
    use crate::cli::rewrite::names::Creators;
    use crate::dataset::{Header, Syntax, Tag, Vr};

    fn count(inventory: &mut Inventory, tag: Tag, vr: Vr, value: &[u8]) {
        let length = Some(value.len() as u32);
        let header = Header { tag, vr, length, syntax: Syntax::EXPLICIT_LE };
        let place = Creators::default().place(tag).clone();
        let mut looking = Looking { inventory, name: "a.dcm" };
        let wanted = looking.wants(&header, &place).min(value.len());
        looking.element(&Element { header, place: &place, value: &value[..wanted], character_set: b"" });
    }

    const DESCRIPTION: Tag = Tag(0x0008, 0x1030);

    #[test]
    fn an_attribute_with_many_texts_takes_no_room_from_others_and_is_told() {
        let mut inventory = Inventory::new(Accepted::default());
        for number in 0..EACH + 5 {
            count(&mut inventory, DESCRIPTION, Vr::LO, format!("text {number}").as_bytes());
        }
        // One that is held is counted on.
        count(&mut inventory, DESCRIPTION, Vr::LO, b"text 7 ");
        count(&mut inventory, Tag(0x0018, 0x0060), Vr::DS, b"HOLLOWAY");
        count(&mut inventory, Tag(0x0018, 0x0060), Vr::DS, b"120");
        let listed = inventory.listed();
        assert_eq!((listed.pairs.len(), listed.left_out.len()), (EACH + 1, 1));
        assert_eq!((listed.left_out[0].attribute.as_str(), listed.left_out[0].times), ("(0008,1030)", 5));
        assert_eq!((listed.pairs[0].text.as_str(), &*listed.pairs[0].why), ("HOLLOWAY", &["not its VR"][..]));
        assert_eq!(listed.pairs.iter().map(|pair| pair.times).max(), Some(2));
    }

    #[test]
    fn long_texts_are_cut_and_told_apart_all_the_same() {
        let mut inventory = Inventory::new(Accepted::default());
        let long = "é".repeat(LONGEST);
        for end in ["one", "two"] {
            count(&mut inventory, DESCRIPTION, Vr::UT, [&long, end].concat().as_bytes());
        }
        let listed = inventory.listed();
        assert_eq!(listed.pairs.len(), 2);
        assert!(listed.pairs.iter().all(|pair| pair.text.len() <= 3 * LONGEST && pair.length == Some(2051)));
    }

    #[test]
    fn only_what_has_a_form_is_a_target() {
        assert!(["-", "a.html", "b/c.json"].iter().all(|name| target(name).is_ok()));
        assert!(target("left.txt").unwrap_err().contains("NAME.html"));
    }
}
