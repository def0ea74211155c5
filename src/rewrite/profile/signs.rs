//! What of an image tells that text is likely in its pixels, besides its class: one table, which is judged by and shown.

use crate::dataset::{Tag, trim};

/// (0028,0301) Burned In Annotation.
pub(in crate::rewrite) const BURNED_IN_ANNOTATION: Tag = Tag(0x0028, 0x0301);
const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
const CONVERSION_TYPE: Tag = Tag(0x0008, 0x0064);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);
/// (0048,0010) Specimen Label in Image.
pub(super) const LABEL_IN_IMAGE: Tag = Tag(0x0048, 0x0010);

/// What a value has to be.
#[derive(Clone, Copy, Debug)]
enum Test {
    /// Its letters hold one of these words, in any case, whatever stands between the letters: SCREEN SAVE, Screen_Save.
    Holds(&'static [&'static str]),
    /// It is one of these.
    Is(&'static [&'static str]),
    /// There is one.
    Given,
}

/// A row of the table.
#[derive(Debug)]
pub(in crate::rewrite) struct Sign {
    first: Tag,
    /// The last element of a range, the first where it is one.
    last: Tag,
    name: &'static str,
    test: Test,
    /// Whether it tells so even where (0028,0301) is NO.
    pub(super) always: bool,
    /// What such an image is.
    kind: &'static str,
    /// Where it is defined, or who looks for it.
    source: &'static str,
}

/// Attributes that are read for it, those of Secondary Capture devices among them.
pub(in crate::rewrite) const WANTED: [Tag; 13] = [
    BURNED_IN_ANNOTATION,
    IMAGE_TYPE,
    CONVERSION_TYPE,
    SERIES_DESCRIPTION,
    LABEL_IN_IMAGE,
    Tag(0x0018, 0x1012),
    Tag(0x0018, 0x1013),
    Tag(0x0018, 0x1014),
    Tag(0x0018, 0x1015),
    Tag(0x0018, 0x1016),
    Tag(0x0018, 0x1017),
    Tag(0x0018, 0x1018),
    Tag(0x0018, 0x1019),
];

const fn sign(tag: Tag, name: &'static str, test: Test, kind: &'static str, source: &'static str) -> Sign {
    Sign { first: tag, last: tag, name, test, always: false, kind, source }
}

/// Those that many others look for who de-identify.
const FILTERS: &str = "CTP's BurnedInPixelsFilter, pydicom deid";

/// See the [module](self).
pub(in crate::rewrite) static SIGNS: [Sign; 9] = [
    sign(
        BURNED_IN_ANNOTATION,
        "Burned In Annotation",
        Test::Is(&["YES"]),
        "text, as the object itself says",
        "PS3.3 C.7.6.1",
    ),
    Sign {
        always: true,
        ..sign(
            IMAGE_TYPE,
            "Image Type",
            Test::Is(&["LABEL", "OVERVIEW"]),
            "a slide's label, or the slide with its label",
            "PS3.3 C.8.12.4.1.1",
        )
    },
    Sign {
        always: true,
        ..sign(
            LABEL_IN_IMAGE,
            "Specimen Label in Image",
            Test::Is(&["YES"]),
            "a slide with its label",
            "PS3.3 C.8.12.4",
        )
    },
    sign(
        IMAGE_TYPE,
        "Image Type",
        Test::Holds(&["SAVE", "CAPTURE", "SCREENSHOT", "SCREENDUMP", "PRINTSCREEN"]),
        "a screen that was saved",
        FILTERS,
    ),
    sign(
        IMAGE_TYPE,
        "Image Type",
        Test::Holds(&["REPORT", "DOSEINFO", "PROTOCOL", "DEMOGRAPHIC"]),
        "a page of a report, of doses or of a protocol",
        "pydicom deid: Image Type REPORTDATA, DEMOGRAPHICDATA",
    ),
    sign(
        SERIES_DESCRIPTION,
        "Series Description",
        Test::Holds(&["SAVE", "CAPTURE", "SCREENSHOT", "SCREENDUMP", "PRINTSCREEN"]),
        "a screen that was saved",
        FILTERS,
    ),
    sign(
        SERIES_DESCRIPTION,
        "Series Description",
        Test::Holds(&[
            "REPORT",
            "DOSEINFO",
            "DOSESUMMARY",
            "DOSEPAGE",
            "PATIENTPROTOCOL",
            "EXAMPROTOCOL",
            "PROTOCOLPAGE",
            "NOMINATIONFORM",
            "REQUISITION",
            "WORKSHEET",
            "SCANNEDDOC",
            "MEDRAD",
            "ELECTRONICFILM",
        ]),
        "a page of a report, of doses, of a protocol, or a form that was scanned",
        "pydicom deid: Dose Report, Patient Protocol, PACS nomination form; CTP: Dose Report, AVA Report, MEDRAD, AW electronic film",
    ),
    sign(
        CONVERSION_TYPE,
        "Conversion Type",
        Test::Is(&["DF", "SD", "SI", "WSD", "DV", "DI", "DRW"]),
        "a scanned film or document, a drawing, a capture of video or screen",
        "PS3.3 C.8.6.1.1.1",
    ),
    Sign {
        last: Tag(0x0018, 0x1019),
        ..sign(
            Tag(0x0018, 0x1012),
            "what a device of Secondary Capture or hardcopy wrote",
            Test::Given,
            "a capture, whatever its SOP class",
            "PS3.3 C.8.6.1; CTP's BurnedInPixelsFilter",
        )
    },
];

impl Sign {
    /// Whether it is a sign of this element.
    fn is_of(&self, tag: Tag) -> bool {
        self.first.0 == tag.0 && (self.first.1..=self.last.1).contains(&tag.1)
    }

    fn fits(&self, value: &[u8]) -> bool {
        let mut values = value.split(|&b| b == b'\\').map(trim);
        match self.test {
            Test::Holds(words) => values.any(|value| holds(value, words)),
            Test::Is(wanted) => values.any(|value| wanted.iter().any(|wanted| wanted.as_bytes() == value)),
            Test::Given => values.any(|value| !value.is_empty()),
        }
    }

    /// As a row of a table in Markdown: the element, what its value is, what such an image is, whether (0028,0301) NO
    /// lets it pass, and who says so.
    pub(in crate::rewrite) fn row(&self) -> String {
        let Self { first, last, name, kind, source, .. } = self;
        let to = if first == last { String::new() } else { format!(" to {last}") };
        let value = match self.test {
            Test::Holds(words) => format!("holds {}", words.join(", ")),
            Test::Is(wanted) => format!("is {}", wanted.join(", ")),
            Test::Given => "any".to_owned(),
        };
        let passes = if self.always || *first == BURNED_IN_ANNOTATION { "no" } else { "yes" };
        format!("| {first}{to} {name} | {value} | {kind} | {passes} | {source} |")
    }
}

/// Whether some sign is of this element. It is asked of every element at the top, and therefore does not read the table.
pub(super) fn wants(tag: Tag) -> bool {
    WANTED.contains(&tag)
}

/// The signs that a value of an element is.
pub(super) fn of<'a>(tag: Tag, value: &'a [u8]) -> impl Iterator<Item = &'static Sign> + 'a {
    SIGNS.iter().filter(move |sign| sign.is_of(tag) && sign.fits(value))
}

fn holds(value: &[u8], words: &[&str]) -> bool {
    let letters: Vec<u8> =
        value.iter().filter(|b| b.is_ascii_alphabetic()).map(u8::to_ascii_uppercase).collect();
    words.iter().any(|word| memchr::memmem::find(&letters, word.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::{SIGNS, Tag, wants};

    #[test]
    fn what_the_table_names_is_read_and_nothing_else() {
        for group in [0x0008, 0x0018, 0x0028, 0x0040, 0x0048] {
            let differs = (0..=u16::MAX)
                .map(|element| Tag(group, element))
                .find(|&tag| wants(tag) != SIGNS.iter().any(|sign| sign.is_of(tag)));
            assert_eq!(differs, None);
        }
    }
}
