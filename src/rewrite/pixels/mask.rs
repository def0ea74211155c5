//! Masks as an administrator writes them, and the images that they are for.

use super::Description;
use crate::dataset::trim;
use crate::wire::Uid;

/// Rectangles to blank, and the images that they are for. What is absent fits every image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskSpec {
    /// SOP Class UID (0008,0016) of the object.
    pub sop_class: Option<Uid>,
    /// (0008,0070), whatever its upper and lower case.
    pub manufacturer: Option<String>,
    /// (0008,1090), whatever its upper and lower case.
    pub model: Option<String>,
    /// Rows (0028,0010) of the image.
    pub rows: Option<u16>,
    /// Columns (0028,0011) of the image.
    pub columns: Option<u16>,
    /// What is blanked, in every frame.
    pub rectangles: Vec<Rectangle>,
}

/// In pixels, from the upper left one, which is at 0, 0. What lies outside the image is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rectangle {
    /// Columns left of it.
    pub x: u16,
    /// Rows above it.
    pub y: u16,
    /// Columns that it covers.
    pub width: u16,
    /// Rows that it covers.
    pub height: u16,
}

impl MaskSpec {
    /// Whether the mask may be for objects of a class.
    pub(in crate::rewrite) fn fits_class(&self, class: &Uid) -> bool {
        self.sop_class.as_ref().is_none_or(|wanted| wanted == class)
    }

    /// Whether it is for images of this class, manufacturer and model.
    pub(super) fn fits(&self, image: &Description) -> bool {
        self.fits_class(&image.class)
            && is_named(self.manufacturer.as_deref(), &image.manufacturer)
            && is_named(self.model.as_deref(), &image.model)
    }

    pub(super) fn fits_matrix(&self, rows: u16, columns: u16) -> bool {
        self.rows.is_none_or(|wanted| wanted == rows) && self.columns.is_none_or(|wanted| wanted == columns)
    }
}

fn is_named(wanted: Option<&str>, value: &[u8]) -> bool {
    wanted.is_none_or(|wanted| trim(wanted.as_bytes()).eq_ignore_ascii_case(trim(value)))
}
