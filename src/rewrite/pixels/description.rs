//! What an object says of its image (PS3.3 C.7.6.3), read before anything of it is sent.

use super::super::error::RewriteProblem;
use super::extent::{frames, number};
use super::regions::Regions;
use super::tags::{ALLOCATED, COLUMNS, FRAMES, PHOTOMETRIC, ROWS, SAMPLES};
use crate::dataset::{Header, Tag, trim};
use crate::wire::Uid;

const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
const MODALITY: Tag = Tag(0x0008, 0x0060);
const MANUFACTURER: Tag = Tag(0x0008, 0x0070);
const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103E);
const MODEL: Tag = Tag(0x0008, 0x1090);
pub(super) const PLANAR: Tag = Tag(0x0028, 0x0006);
pub(super) const STORED: Tag = Tag(0x0028, 0x0101);
pub(super) const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
pub(super) const REPRESENTATION: Tag = Tag(0x0028, 0x0103);
const FLAG: Tag = Tag(0x0028, 0x0301);

/// Elements of which a description is made.
pub(in crate::rewrite) const WANTED: [Tag; 16] = [
    IMAGE_TYPE,
    MODALITY,
    SERIES_DESCRIPTION,
    MANUFACTURER,
    MODEL,
    SAMPLES,
    PHOTOMETRIC,
    PLANAR,
    FRAMES,
    ROWS,
    COLUMNS,
    ALLOCATED,
    STORED,
    HIGH_BIT,
    REPRESENTATION,
    FLAG,
];

/// The elements at the top that masks depend on. A number is absent where it cannot be read.
#[derive(Clone, Debug)]
pub(in crate::rewrite) struct Description {
    pub(super) class: Uid,
    pub(super) image_type: Vec<u8>,
    pub(super) modality: Vec<u8>,
    pub(super) series_description: Vec<u8>,
    pub(super) manufacturer: Vec<u8>,
    pub(super) model: Vec<u8>,
    pub(super) photometric: Vec<u8>,
    /// 0 where it cannot be read.
    pub(super) frames: u64,
    rows: Option<u16>,
    columns: Option<u16>,
    pub(super) samples: Option<u16>,
    pub(super) planar: Option<u16>,
    pub(super) allocated: Option<u16>,
    pub(super) stored: Option<u16>,
    pub(super) high_bit: Option<u16>,
    pub(super) representation: Option<u16>,
    /// Whether (0028,0301) is YES.
    pub(super) is_flagged: bool,
    /// Of ultrasound.
    pub(in crate::rewrite) regions: Regions,
    is_image: bool,
}

impl Description {
    pub(in crate::rewrite) fn new(class: &Uid) -> Self {
        Self {
            class: class.clone(),
            image_type: Vec::new(),
            modality: Vec::new(),
            series_description: Vec::new(),
            manufacturer: Vec::new(),
            model: Vec::new(),
            photometric: Vec::new(),
            frames: 1,
            rows: None,
            columns: None,
            samples: None,
            planar: None,
            allocated: None,
            stored: None,
            high_bit: None,
            representation: None,
            is_flagged: false,
            regions: Regions::default(),
            is_image: false,
        }
    }

    pub(in crate::rewrite) fn wants(tag: Tag) -> bool {
        WANTED.contains(&tag)
    }

    /// An element at the top.
    pub(in crate::rewrite) fn read(&mut self, header: &Header, value: &[u8]) {
        let number = number(header, value);
        self.is_image |= header.tag.0 == 0x0028;
        match header.tag {
            IMAGE_TYPE => self.image_type = value.to_vec(),
            MODALITY => self.modality = value.to_vec(),
            SERIES_DESCRIPTION => self.series_description = value.to_vec(),
            FLAG => self.is_flagged = trim(value) == b"YES",
            MANUFACTURER => self.manufacturer = value.to_vec(),
            MODEL => self.model = value.to_vec(),
            PHOTOMETRIC => self.photometric = trim(value).to_vec(),
            FRAMES => self.frames = frames(value).unwrap_or(0),
            ROWS => self.rows = number,
            COLUMNS => self.columns = number,
            SAMPLES => self.samples = number,
            PLANAR => self.planar = number,
            ALLOCATED => self.allocated = number,
            STORED => self.stored = number,
            HIGH_BIT => self.high_bit = number,
            REPRESENTATION => self.representation = number,
            _ => {}
        }
    }

    /// Rows and columns, where there are both.
    pub(super) fn matrix(&self) -> Option<(u16, u16)> {
        let (rows, columns) = (self.rows?, self.columns?);
        (rows > 0 && columns > 0).then_some((rows, columns))
    }

    /// Whether anything was said of an image.
    pub(in crate::rewrite) fn is_image(&self) -> bool {
        self.is_image
    }

    /// Rows or columns are missing.
    pub(super) fn lacking(&self) -> (Tag, RewriteProblem) {
        let tag = if self.rows.is_none_or(|rows| rows == 0) { ROWS } else { COLUMNS };
        (tag, RewriteProblem::Unmaskable)
    }
}
