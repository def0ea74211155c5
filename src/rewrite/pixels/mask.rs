//! Masks as an administrator writes them, and the images that they are for.

use super::Description;
use super::rectangle::Rectangle;
use super::wanted::is_wanted;
use crate::wire::Uid;

/// Images of devices, and captures of their screens: others need not be looked at for the masks of known devices.
const OF_DEVICES: [&str; 16] = [
    "1.2.840.10008.5.1.4.1.1.1",
    "1.2.840.10008.5.1.4.1.1.1.1",
    "1.2.840.10008.5.1.4.1.1.128",
    "1.2.840.10008.5.1.4.1.1.2",
    "1.2.840.10008.5.1.4.1.1.2.1",
    "1.2.840.10008.5.1.4.1.1.20",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.3.1",
    "1.2.840.10008.5.1.4.1.1.4",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.6.1",
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.7.1",
    "1.2.840.10008.5.1.4.1.1.7.2",
    "1.2.840.10008.5.1.4.1.1.7.3",
    "1.2.840.10008.5.1.4.1.1.7.4",
];

/// Rectangles to blank, and the images that they are for. What is absent fits every image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MaskSpec {
    /// SOP Class UID (0008,0016) of the object.
    pub sop_class: Option<Uid>,
    /// (0008,0060). In this and the other texts `*` stands for any characters, and upper and lower case do not matter.
    pub modality: Option<String>,
    /// (0008,0070).
    pub manufacturer: Option<String>,
    /// (0008,1090).
    pub model: Option<String>,
    /// One of the values of (0008,0008).
    pub image_type: Option<String>,
    /// (0008,103E).
    pub series_description: Option<String>,
    /// Rows (0028,0010) of the image.
    pub rows: Option<u16>,
    /// Columns (0028,0011) of the image.
    pub columns: Option<u16>,
    /// Whether it is only for images whose (0028,0301) is YES.
    pub only_flagged: bool,
    /// What is blanked, in every frame.
    pub rectangles: Vec<Rectangle>,
    /// Who knows that such images have text there; `None`: the administrator.
    pub source: Option<&'static str>,
}

impl MaskSpec {
    /// Whether the mask may be for objects of a class.
    pub(in crate::rewrite) fn fits_class(&self, class: &Uid) -> bool {
        self.sop_class.as_ref().is_none_or(|wanted| wanted == class)
            && (self.source.is_none() || OF_DEVICES.contains(&class.as_str()))
    }

    /// Whether it is for images of this class, device and series.
    pub(super) fn fits(&self, image: &Description) -> bool {
        self.fits_class(&image.class)
            && is_wanted(self.modality.as_deref(), &image.modality)
            && is_wanted(self.manufacturer.as_deref(), &image.manufacturer)
            && is_wanted(self.model.as_deref(), &image.model)
            && is_wanted(self.image_type.as_deref(), &image.image_type)
            && is_wanted(self.series_description.as_deref(), &image.series_description)
            && (!self.only_flagged || image.is_flagged)
    }

    pub(super) fn fits_matrix(&self, rows: u16, columns: u16) -> bool {
        self.rows.is_none_or(|wanted| wanted == rows) && self.columns.is_none_or(|wanted| wanted == columns)
    }
}
