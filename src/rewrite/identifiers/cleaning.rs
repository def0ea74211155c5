//! A value of a text without the identifiers in it.

use std::borrow::Cow;
use std::ops::Range;

use super::super::character_set::{CharacterSet, is_plain};
use super::codes::is_code;
use super::finder::{Finder, as_bytes};
use super::shapes::Shapes;
use crate::dataset::{Tag, Vr};

/// What stands where an identifier stood: characters of every character set, and of every text VR but CS.
const MARK: &str = "***";
const MARK_OF_CODES: &str = "XXX";
/// Characters of the shortest code that may be an identifier: those of shorter ones are in too many codes.
const SHORTEST_CODE: usize = 6;

/// What is looked for in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rewrite) enum Reach {
    /// The identifiers of the header.
    Header,
    /// Them, but for names of institutions and devices: these may be called as their manufacturer is.
    Maker,
    /// Them, where they are the whole of a code: a part of one says something else.
    Code,
    /// A coding scheme or its version, which is nobody's name where it is a word.
    Scheme,
    /// Them, and what is one by its shape.
    All,
}

/// What is looked for in an attribute's value; `None`: it is no text. What an option of the profile `retains` may have the
/// shape of an identifier, and so have codes: of SNOMED they are long numbers.
pub(in crate::rewrite) fn reach(tag: Tag, vr: Vr, retains: bool) -> Option<Reach> {
    match &vr.code() {
        b"LO" | b"SH" | b"ST" | b"LT" | b"UC" | b"UT" | b"PN" | b"UN" => {
            Some(of_attribute(tag).unwrap_or(if retains { Reach::Header } else { Reach::All }))
        }
        b"CS" | b"AE" | b"UR" => Some(Reach::Header),
        _ => None,
    }
}

/// What is looked for in attributes that have the shape of an identifier, and say what a device, its software or a code is.
fn of_attribute(tag: Tag) -> Option<Reach> {
    Some(match (tag.0, tag.1) {
        // Manufacturer, and its Model Name.
        (0x0008, 0x0070 | 0x1090) => Reach::Maker,
        // Sequence Name, Software Versions, Convolution Kernel.
        (0x0018, 0x0024 | 0x1020 | 0x1210) => Reach::Header,
        // Code Value, Coding Scheme UID's registry, Long and URN Code Value.
        (0x0008, 0x0100 | 0x0112 | 0x0119 | 0x0120) => Reach::Code,
        // Coding Scheme Designator and Version.
        (0x0008, 0x0102 | 0x0103) => Reach::Scheme,
        _ => return None,
    })
}

/// The value without what is found in it, not padded; `None` where nothing is.
pub(in crate::rewrite) fn clean(
    (finder, shapes): (&Finder, &Shapes),
    (vr, set): (Vr, &CharacterSet),
    value: &[u8],
    reach: Reach,
) -> Option<Vec<u8>> {
    let end = value.iter().rposition(|byte| !matches!(byte, 0 | b' ')).map_or(0, |last| last + 1);
    let value = value.get(..end)?;
    let set = set.of_vr(vr);
    let text =
        if is_plain(value) { std::str::from_utf8(value).ok().map(Cow::Borrowed) } else { set.decode(value) };
    let (is_told, text) = (text.is_some(), text.unwrap_or_else(|| Cow::Owned(as_bytes(value))));
    let found = found((finder, shapes), vr, &text, reach);
    if found.is_empty() {
        return None;
    }
    let mark = if vr == Vr::CS { MARK_OF_CODES } else { MARK };
    let cleaned = fitting(vr, &text, marked(&text, found, mark), mark);
    let encoded = set.encode(&cleaned).filter(|_| is_told).map(Cow::into_owned);
    Some(encoded.unwrap_or_else(|| mark.into()))
}

/// Where identifiers are, none of them inside of another.
pub(super) fn found(
    (finder, shapes): (&Finder, &Shapes),
    vr: Vr,
    text: &str,
    reach: Reach,
) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    finder.find(text, reach != Reach::Maker, &mut found);
    if matches!(reach, Reach::Code | Reach::Scheme) && is_code_like(text) {
        let is_whole = |range: &Range<usize>| reach == Reach::Code && range.len() == text.trim().len();
        found.retain(|range| is_whole(range) && range.len() >= SHORTEST_CODE);
    }
    if vr == Vr::CS {
        found.retain(|range| !text.get(range.clone()).is_some_and(is_code));
    }
    if reach == Reach::All {
        shapes.find(text, &mut found);
    }
    if found.len() > 1 {
        found.sort_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, last| {
            let touches = next.start <= last.end;
            if touches {
                last.end = last.end.max(next.end);
            }
            touches
        });
    }
    found
}

/// Whether it is written as codes are: ASCII, with no more than one word. What has more of them is a text.
fn is_code_like(text: &str) -> bool {
    let is_word = |part: &&str| part.len() > 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    text.is_ascii() && text.split(|one: char| !one.is_ascii_alphanumeric()).filter(is_word).count() < 2
}

fn marked(text: &str, found: Vec<Range<usize>>, mark: &str) -> String {
    let (mut marked, mut behind) = (String::with_capacity(text.len()), 0);
    for range in found {
        marked.push_str(text.get(behind..range.start).unwrap_or_default());
        marked.push_str(mark);
        behind = range.end;
    }
    marked.push_str(text.get(behind..).unwrap_or_default());
    marked
}

/// A mark may be longer than a name of two characters. What has no room then leaves a mark too.
fn fitting(vr: Vr, before: &str, cleaned: String, mark: &str) -> String {
    let delimiter = if vr.is_multi_valued() { '\\' } else { '\0' };
    let longest = |text: &str| text.split(delimiter).map(|one| one.chars().count()).max().unwrap_or(0);
    let most = vr.max_characters().max(longest(before));
    if longest(&cleaned) <= most {
        return cleaned;
    }
    let cut = |one: &str| {
        if one.chars().count() <= most {
            return one.to_owned();
        }
        let begin: String = one.chars().take(most.saturating_sub(mark.len())).collect();
        // Of a mark that is cut stands nothing.
        format!("{}{mark}", begin.trim_end_matches('*'))
    };
    cleaned.split(delimiter).map(cut).collect::<Vec<_>>().join(delimiter.encode_utf8(&mut [0; 4]))
}
