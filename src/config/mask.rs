//! `burned-in` and `masks` of a `[[rewrite]]`.

use super::report::{Located, Wrong};
use super::section::Section;
use super::suggest;
use crate::policy::sop_class::{sop_class_names, sop_class_uid};
use crate::rewrite::{BurnedIn, MaskSpec, Rectangle, known_devices};
use crate::wire::Uid;

const MOST: usize = 64;
const LARGEST_FRAME: u64 = 64 << 20;

/// What becomes of objects that are likely to carry burned-in text; `None` where nothing is said, or nothing that is right.
pub(super) fn burned_in(section: &Section<'_>) -> Option<BurnedIn> {
    #[derive(Clone, Copy, PartialEq)]
    enum Chosen {
        Pass,
        Refuse,
        Mask,
    }
    let choices = [("pass", Chosen::Pass), ("refuse", Chosen::Refuse), ("mask", Chosen::Mask)];
    let chosen = section.choice("burned-in", &choices);
    let refuse_others = section.choice("unmasked", &[("refuse", true), ("pass", false)]).unwrap_or(true);
    let decodes =
        section.choice("compressed-pixels", &[("refuse", false), ("decode", true)]).unwrap_or(false);
    let largest = section.size("largest-frame", 1 << 10..=1 << 30);
    if !decodes && section.is_sound("compressed-pixels") && section.is_sound("burned-in") {
        let problem = "needs compressed-pixels = \"decode\"";
        section.refuse(&["largest-frame"], problem, "write that, or remove the key");
    }
    let masks: Vec<Option<MaskSpec>> = section.inline_tables("masks").iter().map(mask).collect();
    let by_regions = section.flag("ultrasound-regions").unwrap_or(false);
    let known = section.flag("known-devices").unwrap_or(false);
    if chosen == Some(Chosen::Mask) {
        let remedy = "list what to blank, as in [{ rows = 480, rectangles = [[0, 0, 640, 40]] }]";
        let others_are_sound = section.is_sound("ultrasound-regions") && section.is_sound("known-devices");
        if !by_regions && !known && others_are_sound {
            section.require(&[("masks", remedy)]);
        }
    } else if section.is_sound("burned-in") {
        let keys = ["masks", "ultrasound-regions", "known-devices", "unmasked", "compressed-pixels"];
        section.refuse(&keys, "needs burned-in = \"mask\"", "write that, or remove the key");
    }
    Some(match chosen? {
        Chosen::Pass => BurnedIn::Pass,
        Chosen::Refuse => BurnedIn::Refuse,
        // One that cannot be read was reported.
        Chosen::Mask => BurnedIn::Mask {
            masks: masks
                .into_iter()
                .flatten()
                .chain(known.then(known_devices).into_iter().flatten())
                .collect(),
            by_regions,
            refuse_others,
            decode_up_to: decodes.then(|| largest.unwrap_or(LARGEST_FRAME)),
        },
    })
}

fn mask(section: &Section<'_>) -> Option<MaskSpec> {
    let sop_class = section.parsed("sop-class", sop_class).map(|class| class.value);
    let text = |key| section.string(key).map(|text| text.value.to_owned());
    let size = |key| section.count(key, 1..=65_535).and_then(|size| u16::try_from(size).ok());
    let (modality, manufacturer, model) = (text("modality"), text("manufacturer"), text("model"));
    let (image_type, series_description) = (text("image-type"), text("series-description"));
    let (rows, columns) = (size("rows"), size("columns"));
    let read = section.rows::<4>("rectangles", "rectangles, each [x, y, width, height] in pixels");
    section.require(&[("rectangles", "list what to blank, as in [[0, 0, 640, 40]]: x, y, width, height")]);
    let count = read.as_ref().map_or(1, Vec::len);
    if !(1..=MOST).contains(&count) {
        let place = section.place_of("rectangles");
        section.report.error(&place, format!("holds {count} rectangles"), format!("list 1 to {MOST}"));
    }
    let checked = read.map(|read| read.into_iter().map(|one| rectangle(section, &one, rows, columns)));
    let rectangles: Option<Vec<Rectangle>> =
        checked.and_then(|all| all.collect::<Vec<_>>().into_iter().collect());
    Some(MaskSpec {
        sop_class,
        modality,
        manufacturer,
        model,
        image_type,
        series_description,
        rows,
        columns,
        only_flagged: false,
        rectangles: rectangles?,
        source: None,
    })
}

/// A rectangle that lies in the matrix, where that is known.
fn rectangle(
    section: &Section<'_>,
    one: &Located<[i32; 4]>,
    rows: Option<u16>,
    columns: Option<u16>,
) -> Option<Rectangle> {
    let within = |start: u16, size: u16, most: Option<u16>| {
        size > 0 && u32::from(start) + u32::from(size) <= u32::from(most.unwrap_or(u16::MAX))
    };
    let rectangle = match one.value.map(u16::try_from) {
        [Ok(x), Ok(y), Ok(width), Ok(height)] if within(x, width, columns) && within(y, height, rows) => {
            Some(Rectangle { x, y, width, height })
        }
        _ => None,
    };
    if rectangle.is_none() {
        let problem = "does not lie in the image";
        section.report.error(
            &one.place,
            problem,
            "write [x, y, width, height], from the upper left pixel, at 0, 0",
        );
    }
    rectangle
}

fn sop_class(text: &str) -> Result<Uid, Wrong> {
    let unknown = || {
        Wrong::new(
            format!("{text:?} is neither a UID nor a known keyword"),
            suggest::or_list(text, sop_class_names()),
        )
    };
    sop_class_uid(text).ok_or_else(unknown)
}
