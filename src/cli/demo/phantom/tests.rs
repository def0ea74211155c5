use dicom_dictionary_std::tags;

use super::{EDGE, PRIVATE_CREATOR, SLICES, study};

fn text(object: &dicom_object::DefaultDicomObject, tag: dicom_core::Tag) -> String {
    object.element(tag).unwrap().to_str().unwrap().into_owned()
}

#[test]
fn the_study_is_one_study_of_distinct_instances() {
    let study = study().unwrap();
    assert_eq!(study.len(), SLICES);
    for tag in
        [tags::STUDY_INSTANCE_UID, tags::SERIES_INSTANCE_UID, tags::FRAME_OF_REFERENCE_UID, tags::PATIENT_ID]
    {
        assert!(study.iter().all(|object| text(object, tag) == text(&study[0], tag)), "{tag}");
    }
    let instances: std::collections::BTreeSet<_> =
        study.iter().map(|object| text(object, tags::SOP_INSTANCE_UID)).collect();
    assert_eq!(instances.len(), SLICES);
    for uid in instances {
        assert!(uid.starts_with("2.25.") && uid.len() <= 64, "{uid}");
        assert!(uid[5..].parse::<u128>().is_ok() && !uid[5..].starts_with('0'), "{uid}");
    }
}

#[test]
fn a_slice_reads_back_from_its_bytes_with_everything_in_place() {
    let slice = &study().unwrap()[1];
    let mut file = Vec::new();
    slice.write_all(&mut file).unwrap();
    let read = dicom_object::from_reader(file.as_slice()).unwrap();
    assert_eq!(text(&read, tags::PATIENT_NAME), "DURAND^CAMILLE^ANNE");
    assert_eq!(text(&read, tags::IMAGE_TYPE), "ORIGINAL\\PRIMARY\\AXIAL");
    assert_eq!(text(&read, tags::IMAGE_POSITION_PATIENT), "-191.25\\-191.25\\-12.5");
    assert_eq!(text(&read, dicom_core::Tag(0x0009, 0x0010)), PRIVATE_CREATOR);
    assert_eq!(read.private_element(0x0009, PRIVATE_CREATOR, 0x02).unwrap().to_str().unwrap(), "37.25");
    let reference = read.element(tags::REFERENCED_IMAGE_SEQUENCE).unwrap().items().unwrap();
    let first = study().unwrap()[0].meta().media_storage_sop_instance_uid().to_owned();
    assert_eq!(
        reference[0].element(tags::REFERENCED_SOP_INSTANCE_UID).unwrap().to_str().unwrap(),
        first.trim_end_matches('\0')
    );
    let order = read.element(tags::REQUEST_ATTRIBUTES_SEQUENCE).unwrap().items().unwrap();
    let protocol = order[0].element(tags::SCHEDULED_PROTOCOL_CODE_SEQUENCE).unwrap().items().unwrap();
    assert_eq!(protocol[0].element(tags::CODE_MEANING).unwrap().to_str().unwrap(), "Thorax 5 mm");
}

#[test]
fn a_chest_is_drawn() {
    let slice = &study().unwrap()[4];
    let pixels = slice.element(tags::PIXEL_DATA).unwrap().to_multi_int::<i32>().unwrap();
    assert_eq!(pixels.len(), usize::from(EDGE) * usize::from(EDGE));
    let unit = |x: usize, y: usize| pixels[y * usize::from(EDGE) + x] - 1024;
    assert!((-1024..=-988).contains(&unit(2, 2)), "air outside, {}", unit(2, 2));
    assert!((-842..=-818).contains(&unit(76, 128)), "lung, {}", unit(76, 128));
    assert!((168..=192).contains(&unit(128, 178)), "marrow of the spine, {}", unit(128, 178));
    assert!(pixels.iter().any(|&pixel| pixel - 1024 > 600), "bone");
}

#[test]
fn every_start_makes_the_same_bytes() {
    let bytes = |objects: Vec<dicom_object::DefaultDicomObject>| {
        let mut all = Vec::new();
        objects.iter().for_each(|object| object.write_dataset(&mut all).unwrap());
        all
    };
    assert_eq!(bytes(study().unwrap()), bytes(study().unwrap()));
}
