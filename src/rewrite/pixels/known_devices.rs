//! Devices that are known to draw text into their images, and where. Facts of public lists, each with its source.
//!
//! The lists are RSNA's CTP (github.com/johnperry/CTP, source/files/scripts/DicomPixelAnonymizer.script, commit 054d508) and pydicom's
//! deid (github.com/pydicom/deid, deid/data/deid.dicom, commit 031ddcf), to which sites contributed what they had seen. What
//! is here says the same of the same images, in our own form; no text of theirs is. Left out is what depends on attributes that no mask
//! looks at: codes of dosimetry phantoms, comments on radiation dose, descriptions of overlays, windows, protocol names.
//! Where the two differ in a rectangle, the larger one is taken.
//!
//! A device may show text elsewhere with other software: who masks with this list looks at what comes out.

use super::mask::MaskSpec;
use super::rectangle::Rectangle;

/// Where a row is from.
const CTP: &str = "RSNA CTP, DicomPixelAnonymizer.script";
const DEID: &str = "pydicom deid, deid.dicom";

/// A row. An empty text and the number 0 fit every image, and `*` stands for any characters.
#[derive(Debug)]
struct Device {
    modality: &'static str,
    manufacturer: &'static str,
    model: &'static str,
    image_type: &'static str,
    series_description: &'static str,
    rows: u16,
    columns: u16,
    only_flagged: bool,
    /// x, y, width, height.
    rectangles: &'static [[u16; 4]],
    source: &'static str,
}

const fn device(
    [modality, manufacturer, model]: [&'static str; 3],
    [rows, columns]: [u16; 2],
    rectangles: &'static [[u16; 4]],
    source: &'static str,
) -> Device {
    let (image_type, series_description, only_flagged) = ("", "", false);
    Device {
        modality,
        manufacturer,
        model,
        image_type,
        series_description,
        rows,
        columns,
        only_flagged,
        rectangles,
        source,
    }
}

impl Device {
    const fn of_type(self, image_type: &'static str) -> Self {
        Self { image_type, ..self }
    }

    const fn of_series(self, series_description: &'static str) -> Self {
        Self { series_description, ..self }
    }

    /// Of images whose (0028,0301) is YES.
    const fn flagged(self) -> Self {
        Self { only_flagged: true, ..self }
    }

    fn mask(&self) -> MaskSpec {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let size = |size: u16| Some(size).filter(|&size| size > 0);
        let rectangles = self.rectangles.iter();
        MaskSpec {
            sop_class: None,
            modality: text(self.modality),
            manufacturer: text(self.manufacturer),
            model: text(self.model),
            image_type: text(self.image_type),
            series_description: text(self.series_description),
            rows: size(self.rows),
            columns: size(self.columns),
            only_flagged: self.only_flagged,
            rectangles: rectangles.map(|&[x, y, width, height]| Rectangle { x, y, width, height }).collect(),
            source: Some(self.source),
        }
    }
}

/// The masks of all known devices.
pub fn known_devices() -> Vec<MaskSpec> {
    DEVICES.iter().map(Device::mask).collect()
}

/// Modality, manufacturer, model; rows, columns; rectangles.
#[rustfmt::skip]
const DEVICES: [Device; 105] = [
    device(["", "", ""], [0, 0], &[[0, 0, 512, 110]], CTP).of_series("*Dose Report*"),
    device(["", "*GE MEDICAL*", ""], [0, 0], &[[0, 0, 512, 80]], CTP).of_series("*AW electronic film*").flagged(),
    device(["", "*GE MEDICAL*", ""], [512, 0], &[[0, 0, 512, 25]], CTP).flagged(),
    device(["", "*GE MEDICAL*", ""], [512, 0], &[[0, 0, 200, 250]], CTP).of_series("*AVA Report*").flagged(),
    device(["", "", ""], [512, 512], &[[350, 0, 162, 30], [390, 80, 122, 15]], CTP).of_type("*VOLREN*"),
    device(["", "*GE MEDICAL*", ""], [1024, 0], &[[0, 0, 300, 150], [724, 0, 300, 150]], CTP).flagged(),
    device(["", "*VITAL Images*", ""], [1041, 0], &[[0, 0, 795, 150]], CTP).of_series("*AAA*"),
    device(["", "*VITAL Images*", ""], [1041, 0], &[[0, 0, 795, 150]], CTP).of_series("*Report*"),
    device(["CT", "*VITREA*", ""], [1041, 0], &[[0, 0, 795, 150]], DEID).of_series("*AAA*"),
    device(["CT", "*VITREA*", ""], [1041, 0], &[[0, 0, 795, 150]], DEID).of_series("*Report*"),
    device(["", "*SIEMENS*", ""], [860, 0], &[[0, 0, 1132, 60]], CTP).of_type("*SECONDARY*"),
    device(["", "*PHILIPS*", ""], [0, 0], &[[0, 0, 512, 135]], CTP).of_type("*DOSE*"),
    device(["CT", "", "*LightSpeed VCT*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_type("*SCREEN SAVE*"),
    device(["CT", "", "*LightSpeed VCT*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_series("*Dose*"),
    device(["CT", "", "*LightSpeed VCT*"], [0, 0], &[[0, 0, 80, 85]], DEID).of_type("*LOCAL*"),
    device(["CT", "", "*LightSpeed VCT*"], [0, 0], &[[0, 0, 80, 85]], DEID).of_series("*Localizer*"),
    device(["CT", "", "*SOMATOM Definition AS+*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_type("*OTHER*"),
    device(["CT", "", "*SOMATOM Definition AS+*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_series("*Enhancement*"),
    device(["CT", "", "*SOMATOM Definition AS+*"], [0, 0], &[[0, 0, 80, 85]], DEID).of_type("*LOCAL*"),
    device(["CT", "", "*SOMATOM Definition AS+*"], [0, 0], &[[0, 0, 80, 85]], DEID).of_series("*Localizer*"),
    device(["CT", "", "*SOMATOM Definition AS+*"], [0, 0], &[[450, 0, 222, 85]], DEID).of_series("*3D*"),
    device(["CT", "*GE*", "*Stanford*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_series("*Dose*"),
    device(["CT", "*GE*", "*Stanford*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_type("*SCREEN SAVE*"),
    device(["CT", "*GE*", "*GE*"], [0, 0], &[[0, 0, 512, 121]], DEID).of_type("*SCREEN SAVE*"),
    device(["PT", "*Philips*", "*GEMINI*"], [446, 245], &[[0, 0, 125, 50]], DEID),
    device(["PT", "*Philips*", "*GEMINI*"], [445, 493], &[[0, 0, 140, 55]], DEID),
    device(["PT", "*Philips*", "*GEMINI*"], [373, 492], &[[0, 0, 100, 25]], DEID),
    device(["US", "", "*LOGIQ9*"], [0, 0], &[[0, 0, 640, 40]], CTP),
    device(["US", "", "*LOGIQE9*"], [0, 0], &[[0, 0, 960, 70]], CTP),
    device(["US", "*GE*", "*V830*"], [0, 0], &[[0, 0, 960, 70]], DEID),
    device(["US", "*GE*", "*LOGIQE*"], [614, 0], &[[0, 0, 1150, 75]], DEID),
    device(["US", "", "*iU22*"], [480, 0], &[[0, 0, 640, 47]], CTP),
    device(["US", "", "*iU22*"], [768, 0], &[[0, 0, 1024, 75]], CTP),
    device(["US", "", "*iU22*"], [600, 0], &[[0, 0, 800, 59]], CTP),
    device(["US", "*Philips*", "*Affiniti 70G*"], [768, 0], &[[0, 0, 1024, 22]], DEID),
    device(["US", "*Philips*", "*Affiniti 70G*"], [825, 0], &[[0, 0, 1140, 70]], DEID),
    device(["US", "*Philips*", "*ClearVue 650*"], [600, 0], &[[0, 0, 1150, 22]], DEID),
    device(["US", "*Philips*", "*EPIQ*"], [600, 0], &[[0, 0, 1024, 49]], DEID),
    device(["US", "*Philips*", "*EPIQ*"], [768, 0], &[[0, 0, 1024, 49]], DEID),
    device(["US", "*Philips*", "*EPIQ*"], [825, 0], &[[0, 0, 800, 59]], DEID),
    device(["US", "*Philips*", "*CX50*"], [0, 0], &[[0, 0, 800, 59]], DEID),
    device(["US", "*EPIQ*", ""], [600, 0], &[[0, 0, 800, 59]], DEID),
    device(["US", "*EPIQ*", ""], [768, 0], &[[0, 0, 800, 59]], DEID),
    device(["US", "", "*Z_ONE*"], [0, 0], &[[0, 0, 800, 65]], CTP),
    device(["US", "*Zonare*", "*ZS3*"], [600, 0], &[[0, 0, 1150, 55]], DEID),
    device(["US", "*ATL*", "*HDI 5000*"], [476, 640], &[[40, 0, 200, 40], [240, 0, 190, 16]], CTP),
    device(["US", "*ATL*", "*HDI4000*"], [480, 0], &[[0, 0, 1140, 62]], DEID),
    device(["US", "*SIEMENS*", "*S2000*"], [768, 1024], &[[0, 0, 1024, 60]], DEID),
    device(["US", "*SIEMENS*", "*SC2000*"], [768, 1024], &[[230, 50, 260, 370]], DEID).of_type("*SECONDARY*"),
    device(["US", "*SIEMENS*", "*ANTARES*"], [768, 1024], &[[0, 0, 1024, 60], [200, 60, 20, 20], [800, 65, 104, 14]], CTP),
    device(["US", "*SIEMENS*", "*ACUSON*"], [600, 800], &[[0, 0, 800, 43], [128, 56, 16, 16]], CTP),
    device(["US", "*Siemens*", "*G40*"], [600, 0], &[[0, 0, 980, 45]], DEID),
    device(["US", "*Siemens*", "*ACUSON NX3*"], [768, 0], &[[0, 0, 1150, 58]], DEID),
    device(["US", "*Siemens*", "*X150*"], [600, 0], &[[0, 0, 1145, 50]], DEID),
    device(["US", "*Siemens*", "*S3000*"], [768, 0], &[[0, 0, 1040, 60]], DEID),
    device(["US", "*ACUSON*", "*SEQUOIA*"], [480, 640], &[[0, 0, 640, 30]], CTP),
    device(["US", "*TOSHIBA*", "*A500*"], [720, 960], &[[0, 0, 960, 60]], CTP),
    device(["US", "*TOSHIBA*", "*A400*"], [720, 960], &[[0, 0, 960, 60]], DEID),
    device(["US", "*TOSHIBA*", "*TUS-A300*"], [632, 0], &[[0, 0, 1150, 72]], DEID),
    device(["US", "*TOSHIBA*", "*TUS-A300*"], [720, 0], &[[0, 0, 1150, 68]], DEID),
    device(["US", "*TOSHIBA*", "*TUS-A500*"], [903, 0], &[[0, 0, 930, 50]], DEID),
    device(["US", "*TOSHIBA*", "*TUS-A500*"], [632, 0], &[[0, 0, 1150, 60]], DEID),
    device(["US", "*SuperSonic*", "*Aixplorer*"], [1050, 1400], &[[0, 0, 1400, 89]], DEID),
    device(["US", "*SENO*", ""], [1058, 1920], &[[161, 0, 1632, 50]], DEID),
    device(["US", "*SENO*", ""], [1056, 1920], &[[161, 0, 1632, 50]], DEID),
    device(["US", "*ESAOTE*", "*6100*"], [608, 0], &[[0, 0, 790, 52]], DEID),
    device(["US", "*ESAOTE*", "*6150*"], [804, 0], &[[0, 0, 1030, 45]], DEID),
    device(["US", "*ESAOTE*", "*6150*"], [608, 0], &[[0, 0, 1140, 72]], DEID),
    device(["US", "*ESAOTE*", "*6150*"], [555, 0], &[[0, 0, 1140, 72]], DEID),
    device(["US", "*MEDISON*", "*Accuvix V20*"], [768, 0], &[[0, 0, 1010, 65]], DEID),
    device(["US", "*MEDISON*", "*SonoAce R7*"], [768, 0], &[[0, 0, 1140, 60]], DEID),
    device(["US", "*GE Healthcare*", "*Voluson P8*"], [727, 0], &[[0, 0, 1150, 65]], DEID),
    device(["US", "*GE Healthcare*", "*Voluson S*"], [743, 0], &[[0, 0, 925, 62]], DEID),
    device(["US", "*GE Healthcare*", "*Voluson S10*"], [852, 0], &[[0, 0, 1040, 62]], DEID),
    device(["US", "*GE Healthcare*", "*Voluson S10*"], [600, 0], &[[0, 0, 1040, 62]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQS7*"], [720, 0], &[[0, 0, 1060, 67]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQS8*"], [873, 0], &[[0, 0, 1160, 65]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQS8*"], [768, 0], &[[0, 0, 1150, 60]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQS8*"], [819, 0], &[[0, 0, 937, 57]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQS8*"], [720, 0], &[[0, 0, 1140, 50]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQP*"], [614, 0], &[[0, 0, 1060, 67]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQ S6*"], [768, 0], &[[0, 0, 800, 80]], DEID),
    device(["US", "*GE Healthcare*", "*LOGIQ7*"], [989, 0], &[[0, 0, 1150, 24]], DEID),
    device(["US", "*MINDRAY*", "*M6*"], [600, 0], &[[0, 0, 1050, 75]], DEID),
    device(["US", "*MINDRAY*", "*M7*"], [600, 0], &[[0, 0, 800, 50]], DEID),
    device(["US", "*MINDRAY*", "*M7*"], [768, 0], &[[0, 0, 1080, 80]], DEID),
    device(["US", "*MINDRAY*", "*Z5*"], [600, 0], &[[0, 0, 1130, 62]], DEID),
    device(["US", "*MINDRAY*", "*DC-8 PRO*"], [900, 0], &[[0, 0, 1150, 60]], DEID),
    device(["US", "*MINDRAY*", "*M9*"], [910, 0], &[[0, 0, 1150, 60]], DEID),
    device(["US", "*SIUI*", "*CTS-8800*"], [0, 0], &[[0, 0, 1360, 100]], DEID),
    device(["US", "*Kretztechnik*", "*V730*"], [600, 0], &[[0, 0, 1140, 80]], DEID),
    device(["US", "*Hitachi*", "*HI VISION Preirus*"], [768, 0], &[[0, 0, 1150, 60]], DEID),
    device(["US", "*Hitachi*", "*HI VISION Avius*"], [768, 0], &[[0, 0, 1140, 74]], DEID),
    device(["US", "*Hitachi*", "*ProSound F75*"], [768, 0], &[[0, 0, 1025, 50]], DEID),
    device(["US", "*Samsung*", "*UGEO H60*"], [720, 0], &[[0, 0, 1150, 70]], DEID),
    device(["US", "*Samsung*", "*SonoAce R7*"], [768, 0], &[[0, 0, 1024, 60]], DEID),
    device(["US", "*Chison*", "*q9-new*"], [568, 0], &[[0, 0, 1250, 80]], DEID),
    device(["US", "*Ultrasonix*", "*SONIX*"], [768, 0], &[[0, 0, 970, 60]], DEID),
    device(["US", "*Ultrasonix*", "*SONIX*"], [600, 0], &[[0, 0, 970, 60]], DEID),
    device(["", "*Canon*", "*CXDI*"], [2592, 0], &[[0, 0, 2208, 80], [0, 2512, 2208, 80]], CTP),
    device(["NM", "*Siemens*", ""], [860, 0], &[[0, 0, 1132, 90], [0, 780, 1132, 80]], DEID).of_type("*SECONDARY*"),
    device(["NM", "*Siemens*", ""], [865, 0], &[[0, 0, 1132, 35]], DEID).of_type("*SECONDARY*"),
    device(["NM", "*Siemens*", ""], [882, 0], &[[0, 0, 1132, 65]], DEID).of_type("*SECONDARY*"),
    device(["", "*ADAC*", ""], [832, 1024], &[[0, 0, 1024, 80], [0, 762, 1024, 80]], DEID),
    device(["", "", ""], [1077, 750], &[[0, 0, 750, 230]], CTP).of_series("*MEDRAD*"),
];

#[cfg(test)]
mod tests {
    use super::{DEVICES, known_devices};

    #[test]
    fn every_row_says_which_images_it_is_for_and_where_their_text_is() {
        for device in &DEVICES {
            let names = [device.manufacturer, device.model, device.image_type, device.series_description];
            assert!(names.iter().any(|name| name.len() > 3), "{device:?}");
            assert!(!device.rectangles.is_empty(), "{device:?}");
            for &[x, y, width, height] in device.rectangles {
                assert!(width > 0 && height > 0, "{device:?}");
                assert!(device.columns == 0 || x < device.columns, "{device:?}");
                assert!(device.rows == 0 || y < device.rows, "{device:?}");
            }
        }
        let mut masks = known_devices();
        masks.dedup();
        assert_eq!(masks.len(), DEVICES.len());
        let promised = format!("into images, {} of them", DEVICES.len());
        assert!(
            include_str!("../../../conf/README.md")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .contains(&promised)
        );
    }
}
