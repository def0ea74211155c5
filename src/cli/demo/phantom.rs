//! The demonstration's study: a CT of a person who does not exist, the same at every start.
//!
//! Its header has what a scanner writes (PS3.3 Table A.3-1): names, dates and identifiers in the places where a site
//! would look for them, one in a sequence of a sequence, and a private block.

mod drawing;

use dicom_core::value::{DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{DefaultDicomObject, FileMetaTableBuilder, InMemDicomObject};

/// Slices of the study.
pub(super) const SLICES: usize = 8;
/// Rows and columns of a slice.
pub(super) const EDGE: u16 = 256;
/// Reserves the block of private elements in group 0009.
pub(super) const PRIVATE_CREATOR: &str = "DIMSEGATE DEMO 1.0";

/// Text by which the patient could be found, wherever in the header it stands.
pub(super) const TRACES: [&str; 3] = ["DURAND", "CAMILLE", "HSM-0047113"];

const THICKNESS: f64 = 5.0;
const PIXEL_SPACING: f64 = 1.5;
const PRIVATE_GROUP: u16 = 0x0009;
/// Between the rescaled Hounsfield units and what is stored.
const INTERCEPT: i16 = -1024;

type Element = DataElement<InMemDicomObject>;

/// The study's objects in the order of their instance numbers, explicit VR little endian.
///
/// # Errors
/// dicom-object's reason as a sentence, if it should not make an object of this header.
pub(super) fn study() -> Result<Vec<DefaultDicomObject>, String> {
    (0..SLICES).map(slice).collect()
}

fn slice(index: usize) -> Result<DefaultDicomObject, String> {
    let mut object = InMemDicomObject::from_element_iter(
        [
            patient(),
            study_module(),
            series(),
            equipment(),
            image(index),
            order(),
            private_block(index),
            pixels(index),
        ]
        .concat(),
    );
    if index > 0 {
        object.put(referenced_image());
    }
    let meta = FileMetaTableBuilder::new().transfer_syntax(uids::EXPLICIT_VR_LITTLE_ENDIAN);
    object.with_meta(meta).map_err(|error| format!("the phantom's slice {}: {error}", index + 1))
}

/// Patient module (PS3.3 C.7.1.1) and Patient Study module (C.7.2.2).
fn patient() -> Vec<Element> {
    vec![
        text(tags::PATIENT_NAME, VR::PN, "DURAND^CAMILLE^ANNE"),
        text(tags::PATIENT_ID, VR::LO, "HSM-0047113"),
        text(tags::ISSUER_OF_PATIENT_ID, VR::LO, "HOPITAL SAINT-MARTIN"),
        text(tags::PATIENT_BIRTH_DATE, VR::DA, "19610428"),
        text(tags::PATIENT_SEX, VR::CS, "F"),
        text(tags::PATIENT_AGE, VR::AS, "062Y"),
        text(tags::PATIENT_SIZE, VR::DS, "1.68"),
        text(tags::PATIENT_WEIGHT, VR::DS, "64"),
        text(tags::PATIENT_ADDRESS, VR::LO, "14 RUE DES TILLEULS, 69000 LYON"),
        text(tags::PATIENT_TELEPHONE_NUMBERS, VR::SH, "+33 4 00 00 00 00"),
        text(tags::PATIENT_COMMENTS, VR::LT, "Phantom. This person does not exist."),
    ]
}

/// General Study module (PS3.3 C.7.2.1).
fn study_module() -> Vec<Element> {
    vec![
        uid(tags::STUDY_INSTANCE_UID, &derived_uid("study")),
        text(tags::STUDY_DATE, VR::DA, "20240312"),
        text(tags::STUDY_TIME, VR::TM, "101532"),
        text(tags::STUDY_ID, VR::SH, "CT4471"),
        text(tags::ACCESSION_NUMBER, VR::SH, "A202403120815"),
        text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "MOREAU^JULES^^DR"),
        text(tags::STUDY_DESCRIPTION, VR::LO, "CT Thorax, dossier 4711308"),
        sequence(tags::PROCEDURE_CODE_SEQUENCE, code("CTTHX", "99HSM", "CT of thorax")),
    ]
}

/// General Series (PS3.3 C.7.3.1) and Frame of Reference (C.7.4.1) modules.
fn series() -> Vec<Element> {
    vec![
        text(tags::MODALITY, VR::CS, "CT"),
        uid(tags::SERIES_INSTANCE_UID, &derived_uid("series")),
        text(tags::SERIES_NUMBER, VR::IS, "2"),
        text(tags::SERIES_DATE, VR::DA, "20240312"),
        text(tags::SERIES_TIME, VR::TM, "101744"),
        text(tags::SERIES_DESCRIPTION, VR::LO, "Thorax 5.0 soft tissue"),
        text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST"),
        text(tags::PROTOCOL_NAME, VR::LO, "Thorax routine"),
        text(tags::PERFORMING_PHYSICIAN_NAME, VR::PN, "LEFEVRE^ALICE"),
        text(tags::OPERATORS_NAME, VR::PN, "BENALI^SAMIR"),
        text(tags::PATIENT_POSITION, VR::CS, "HFS"),
        uid(tags::FRAME_OF_REFERENCE_UID, &derived_uid("frame of reference")),
        text(tags::POSITION_REFERENCE_INDICATOR, VR::LO, ""),
    ]
}

/// General Equipment module (PS3.3 C.7.5.1).
fn equipment() -> Vec<Element> {
    vec![
        text(tags::MANUFACTURER, VR::LO, "dimsegate"),
        text(tags::MANUFACTURER_MODEL_NAME, VR::LO, "Phantom CT"),
        text(tags::INSTITUTION_NAME, VR::LO, "Hopital Saint-Martin"),
        text(tags::INSTITUTION_ADDRESS, VR::ST, "1 place du Parvis, 69000 Lyon"),
        text(tags::INSTITUTIONAL_DEPARTMENT_NAME, VR::LO, "Radiologie B2"),
        text(tags::STATION_NAME, VR::SH, "CT2-CONSOLE"),
        text(tags::DEVICE_SERIAL_NUMBER, VR::LO, "SN-20871"),
        text(tags::SOFTWARE_VERSIONS, VR::LO, "1.0"),
    ]
}

/// General Image, Image Plane, CT Image and SOP Common modules (PS3.3 C.7.6.1, C.7.6.2, C.8.2.1, C.12.1).
fn image(index: usize) -> Vec<Element> {
    let position = location(index);
    let corner = -PIXEL_SPACING * f64::from(EDGE - 1) / 2.0;
    vec![
        uid(tags::SOP_CLASS_UID, uids::CT_IMAGE_STORAGE),
        uid(tags::SOP_INSTANCE_UID, &instance_uid(index)),
        text(tags::SPECIFIC_CHARACTER_SET, VR::CS, "ISO_IR 100"),
        text(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
        text(tags::INSTANCE_NUMBER, VR::IS, &(index + 1).to_string()),
        text(tags::ACQUISITION_NUMBER, VR::IS, "1"),
        text(tags::INSTANCE_CREATION_DATE, VR::DA, "20240312"),
        text(tags::INSTANCE_CREATION_TIME, VR::TM, "101803"),
        text(tags::ACQUISITION_DATE, VR::DA, "20240312"),
        text(tags::ACQUISITION_TIME, VR::TM, &format!("101751.{index}00")),
        text(tags::CONTENT_DATE, VR::DA, "20240312"),
        text(tags::CONTENT_TIME, VR::TM, &format!("101802.{index}00")),
        text(tags::KVP, VR::DS, "120"),
        text(tags::X_RAY_TUBE_CURRENT, VR::IS, "180"),
        text(tags::EXPOSURE_TIME, VR::IS, "500"),
        text(tags::GANTRY_DETECTOR_TILT, VR::DS, "0"),
        text(tags::CONVOLUTION_KERNEL, VR::SH, "B30"),
        text(tags::SLICE_THICKNESS, VR::DS, &format!("{THICKNESS:.1}")),
        text(tags::PIXEL_SPACING, VR::DS, &format!("{PIXEL_SPACING}\\{PIXEL_SPACING}")),
        text(tags::IMAGE_POSITION_PATIENT, VR::DS, &format!("{corner}\\{corner}\\{position:.1}")),
        text(tags::IMAGE_ORIENTATION_PATIENT, VR::DS, "1\\0\\0\\0\\1\\0"),
        text(tags::SLICE_LOCATION, VR::DS, &format!("{position:.1}")),
    ]
}

/// What the worklist gave the scanner (PS3.3 C.7.3.1, Request Attributes Macro): an identifier two levels down.
fn order() -> Vec<Element> {
    let request = vec![
        text(tags::REQUESTED_PROCEDURE_ID, VR::SH, "RP-20240312-17"),
        text(tags::SCHEDULED_PROCEDURE_STEP_ID, VR::SH, "SPS-20240312-17"),
        text(tags::SCHEDULED_PROCEDURE_STEP_DESCRIPTION, VR::LO, "Thorax"),
        sequence(tags::SCHEDULED_PROTOCOL_CODE_SEQUENCE, code("THX5", "99HSM", "Thorax 5 mm")),
    ];
    vec![sequence(tags::REQUEST_ATTRIBUTES_SEQUENCE, request)]
}

/// The first slice, named by all others: whoever changes its UID has to change it here too.
fn referenced_image() -> Element {
    let reference = vec![
        uid(tags::REFERENCED_SOP_CLASS_UID, uids::CT_IMAGE_STORAGE),
        uid(tags::REFERENCED_SOP_INSTANCE_UID, &instance_uid(0)),
    ];
    sequence(tags::REFERENCED_IMAGE_SEQUENCE, reference)
}

/// Image Pixel module (PS3.3 C.7.6.3) with rescale and window (C.11.1, C.11.2).
fn pixels(index: usize) -> Vec<Element> {
    let stored: Vec<u16> = drawing::hounsfield(location(index), PIXEL_SPACING, EDGE)
        .map(|unit| unit.saturating_sub(INTERCEPT).clamp(0, 4095).unsigned_abs())
        .collect();
    vec![
        number(tags::SAMPLES_PER_PIXEL, 1),
        text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
        number(tags::ROWS, EDGE),
        number(tags::COLUMNS, EDGE),
        number(tags::BITS_ALLOCATED, 16),
        number(tags::BITS_STORED, 12),
        number(tags::HIGH_BIT, 11),
        number(tags::PIXEL_REPRESENTATION, 0),
        text(tags::RESCALE_INTERCEPT, VR::DS, &INTERCEPT.to_string()),
        text(tags::RESCALE_SLOPE, VR::DS, "1"),
        text(tags::RESCALE_TYPE, VR::LO, "HU"),
        text(tags::WINDOW_CENTER, VR::DS, "40"),
        text(tags::WINDOW_WIDTH, VR::DS, "400"),
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(stored.into())),
    ]
}

/// Private elements that carry what the public ones do not show. Written tag by tag: dicom-object 0.10.1 reserves
/// block 01, and blocks begin with 10 (PS3.5 §7.8.1).
fn private_block(index: usize) -> Vec<Element> {
    let calibration: Vec<u8> = (0..32).map(|byte: u8| byte.wrapping_mul(37)).collect();
    vec![
        text(Tag(PRIVATE_GROUP, 0x0010), VR::LO, PRIVATE_CREATOR),
        text(Tag(PRIVATE_GROUP, 0x1001), VR::LO, "DURAND CAMILLE / HSM-0047113"),
        text(Tag(PRIVATE_GROUP, 0x1002), VR::DS, &format!("{}.25", 36 + index)),
        DataElement::new(Tag(PRIVATE_GROUP, 0x1010), VR::OB, PrimitiveValue::from(calibration)),
    ]
}

fn code(value: &str, scheme: &str, meaning: &str) -> Vec<Element> {
    vec![
        text(tags::CODE_VALUE, VR::SH, value),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, scheme),
        text(tags::CODE_MEANING, VR::LO, meaning),
    ]
}

fn text(tag: Tag, vr: VR, value: &str) -> Element {
    let values = value.split('\\').map(str::to_owned).collect::<Vec<_>>();
    match values.as_slice() {
        [single] if single.is_empty() => DataElement::new(tag, vr, PrimitiveValue::Empty),
        _ => DataElement::new(tag, vr, PrimitiveValue::Strs(values.into())),
    }
}

fn uid(tag: Tag, value: &str) -> Element {
    text(tag, VR::UI, value)
}

fn number(tag: Tag, value: u16) -> Element {
    DataElement::new(tag, VR::US, PrimitiveValue::from(value))
}

fn sequence(tag: Tag, item: Vec<Element>) -> Element {
    DataElement::new(tag, VR::SQ, DataSetSequence::from(vec![InMemDicomObject::from_element_iter(item)]))
}

/// Millimetres along the patient, the study's middle at 0.
fn location(index: usize) -> f64 {
    let step = i32::try_from(index).unwrap_or(0) * 2 + 1 - i32::try_from(SLICES).unwrap_or(0);
    f64::from(step) * THICKNESS / 2.0
}

fn instance_uid(index: usize) -> String {
    derived_uid(&format!("instance {}", index + 1))
}

/// `2.25.` and a UUID of version 8 made from a name (PS3.5 Annex B.2, RFC 9562 §5.8).
fn derived_uid(name: &str) -> String {
    let named = format!("dimsegate demo {name}");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, named.as_bytes());
    let number = digest.as_ref().first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
    let version = 8_u128 << 76;
    let variant = 2_u128 << 62;
    format!("2.25.{}", number & !(0xf << 76) & !(0x3 << 62) | version | variant)
}

#[cfg(test)]
mod tests;
