//! One side of the comparison: the elements of a file, and its first frame.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use crate::cli::rewrite::elements::{Element, Look, look_at};
use crate::cli::rewrite::failure::FileError;
use crate::cli::rewrite::names::Place;
use crate::cli::rewrite::part10::Start;
use crate::dataset::{Header, PIXEL_DATA, Syntax, Tag, Vr, trim};
use crate::rewrite::{Picture, Viewing, text_of};

/// Elements of a file that are compared.
pub(super) const MOST: usize = 5_000;
/// Bytes of a value that are compared.
const MOST_READ: usize = 64 << 10;
/// Bytes of a value that are shown.
const LONGEST: usize = 256;
/// Bytes of tag and length before a fragment.
const HEAD: usize = 8;
/// Pixels of a picture, the longer way.
pub(super) const SIDE: usize = 512;

/// A file as it is shown.
#[derive(Default)]
pub(super) struct Side {
    rows: Vec<Row>,
    /// The first frame, or why it is not shown; `None` without pixel data.
    pub(super) picture: Option<Result<Picture, &'static str>>,
    pub(super) frames: u64,
    /// Whether there are more elements than are kept.
    pub(super) is_cut: bool,
    viewing: Option<Viewing>,
    /// Of encapsulated pixel data, the fragments so far, and the bytes of the first frame.
    fragments: usize,
    frame: Vec<u8>,
    /// Bytes of the fragments of the first frame with their heads, where the basic offset table says so.
    first: Option<usize>,
    /// Bytes of the fragments so far, with their heads.
    passed: usize,
}

struct Row {
    steps: Vec<(Tag, u32)>,
    path: String,
    keyword: &'static str,
    /// The value as it is shown.
    text: String,
    /// What was read of the value, by a number that differs where that does.
    digest: u64,
    length: Option<u32>,
}

/// An element of both sides, or of one.
pub(super) struct Compared {
    pub(super) path: String,
    pub(super) keyword: &'static str,
    pub(super) before: Option<String>,
    pub(super) after: Option<String>,
    is_same: bool,
}

impl Compared {
    pub(super) fn is_changed(&self) -> bool {
        !self.is_same
    }
}

impl Side {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(path: &Path) -> Result<Self, FileError> {
        let mut side = Self::default();
        look_at(path, &mut side)?;
        if let Some(viewing) = &side.viewing {
            side.frames = viewing.frames();
            if side.fragments > 0 {
                side.picture = Some(viewing.picture(&side.frame, Vr::OB));
            }
        }
        Ok(side)
    }

    /// In place of a file that cannot be read, beside what became of it.
    pub(super) fn unread(after: &Self) -> Self {
        let picture = after.picture.as_ref().map(|_| Err("the file was not read"));
        Self { picture, ..Self::default() }
    }

    /// The elements where those of the other side cannot be read.
    pub(super) fn alone(self) -> Vec<Compared> {
        let row = |Row { path, keyword, text, .. }| Compared {
            path,
            keyword,
            before: Some("not read".to_owned()),
            after: Some(text),
            is_same: false,
        };
        self.rows.into_iter().map(row).collect()
    }
}

impl Look for Side {
    fn begins(&mut self, start: &Start) {
        self.viewing = Some(Viewing::new(&start.sop_class_uid, start.transfer_syntax_uid.as_str()));
    }

    fn wants(&mut self, header: &Header, place: &Place) -> usize {
        match &self.viewing {
            Some(viewing) if header.tag == PIXEL_DATA && place.steps.len() == 1 => viewing.wanted(),
            _ => MOST_READ,
        }
    }

    fn element(&mut self, element: &Element<'_>) {
        let is_top = element.place.steps.len() == 1;
        if let Some(viewing) = self.viewing.as_mut().filter(|_| is_top) {
            if Viewing::wants(element.header.tag) {
                viewing.read(&element.header, element.value);
            } else if element.header.tag == PIXEL_DATA {
                self.picture = Some(viewing.picture(element.value, element.header.vr));
            }
        }
        if self.rows.len() < MOST {
            self.rows.push(Row::of(element));
        } else {
            self.is_cut = true;
        }
    }

    fn fragments(&mut self, _header: &Header) -> usize {
        self.viewing.as_ref().map_or(0, Viewing::wanted)
    }

    /// The first is the basic offset table. Of one frame all others are taken; of more those before where the table says that
    /// the second begins, or one.
    fn fragment(&mut self, bytes: &[u8]) {
        let viewing = self.viewing.as_ref();
        if self.fragments == 0 {
            self.first = second_offset(bytes);
        } else if self.is_of_first(viewing.map_or(1, Viewing::frames))
            && self.frame.len() < viewing.map_or(0, Viewing::wanted)
        {
            self.frame.extend_from_slice(bytes);
        }
        if self.fragments > 0 {
            self.passed = self.passed.saturating_add(HEAD).saturating_add(bytes.len());
        }
        self.fragments += 1;
    }
}

impl Side {
    fn is_of_first(&self, frames: u64) -> bool {
        match self.first {
            _ if frames == 1 => true,
            Some(end) => self.passed < end,
            None => self.fragments == 1,
        }
    }
}

/// Where the second frame begins, behind the table (PS3.5 A.4).
fn second_offset(table: &[u8]) -> Option<usize> {
    let second = table.as_chunks().0.get(1)?;
    usize::try_from(u32::from_le_bytes(*second)).ok()
}

impl Row {
    fn of(element: &Element<'_>) -> Self {
        let value = element.value.get(..LONGEST * 4).unwrap_or(element.value);
        Self {
            steps: element.place.steps.clone(),
            path: element.place.path(),
            keyword: element.place.keyword(),
            text: shown(element.header, value, element.character_set),
            digest: digest(trim(element.value)),
            length: element.header.length,
        }
    }
}

fn digest(value: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The elements of both, in the order of a data set.
pub(super) fn compared(before: Side, after: Side) -> Vec<Compared> {
    let (mut one, mut other) = (before.rows.into_iter().peekable(), after.rows.into_iter().peekable());
    let mut all = Vec::new();
    loop {
        let order = match (one.peek(), other.peek()) {
            (Some(left), Some(right)) => left.steps.cmp(&right.steps),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (None, None) => return all,
        };
        let left = if order.is_le() { one.next() } else { None };
        let right = if order.is_ge() { other.next() } else { None };
        all.extend(pair(left, right));
    }
}

fn pair(left: Option<Row>, right: Option<Row>) -> Option<Compared> {
    let is_same = match (&left, &right) {
        (Some(left), Some(right)) => {
            (left.digest, left.length.map(|length| length.next_multiple_of(2)))
                == (right.digest, right.length.map(|length| length.next_multiple_of(2)))
        }
        _ => false,
    };
    let (path, keyword) = left.as_ref().or(right.as_ref()).map(|row| (row.path.clone(), row.keyword))?;
    Some(Compared {
        path,
        keyword,
        before: left.map(|row| row.text),
        after: right.map(|row| row.text),
        is_same,
    })
}

/// A value as a person reads it; of what is none, how long it is.
fn shown(header: Header, value: &[u8], character_set: &[u8]) -> String {
    let length = header.length.unwrap_or(0);
    match &header.vr.code() {
        b"US" | b"AT" => numbers(value, |bytes: [u8; 2]| header.syntax.u16(bytes).to_string()),
        b"SS" => numbers(value, |bytes: [u8; 2]| (header.syntax.u16(bytes) as i16).to_string()),
        b"UL" => numbers(value, |bytes: [u8; 4]| header.syntax.u32(bytes).to_string()),
        b"SL" => numbers(value, |bytes: [u8; 4]| (header.syntax.u32(bytes) as i32).to_string()),
        b"FL" => numbers(value, |bytes: [u8; 4]| f32::from_bits(header.syntax.u32(bytes)).to_string()),
        b"FD" => numbers(value, |bytes: [u8; 8]| double(bytes, header.syntax).to_string()),
        b"OB" | b"OD" | b"OF" | b"OL" | b"OV" | b"OW" | b"SV" | b"UV" => format!("{length} bytes"),
        b"UN" if value.iter().any(|byte| byte.is_ascii_control()) => format!("{length} bytes"),
        _ => text(value, character_set, length),
    }
}

fn double(bytes: [u8; 8], syntax: Syntax) -> f64 {
    if syntax.big_endian { f64::from_be_bytes(bytes) } else { f64::from_le_bytes(bytes) }
}

/// The first numbers of a value.
fn numbers<const N: usize>(value: &[u8], number: impl Fn([u8; N]) -> String) -> String {
    let first: Vec<String> = value.as_chunks().0.iter().take(8).map(|&bytes| number(bytes)).collect();
    let more = if value.len() / N > first.len() { " …" } else { "" };
    first.join("\\") + more
}

fn text(value: &[u8], character_set: &[u8], length: u32) -> String {
    let text = text_of(character_set, trim(value));
    let text = String::from_utf8_lossy(&text);
    let mut start: String = text.chars().take(LONGEST).collect();
    if start.len() < text.len() || value.len() < length as usize {
        start += &format!("… ({length} bytes)");
    }
    start
}
