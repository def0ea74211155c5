use crate::scratch::Scratch;
use dicom_core::VR;
use dicom_dictionary_std::tags;
use dicom_object::DefaultDicomObject;

use super::{Failure, Kept};
use crate::cli::demo::phantom;

/// The study as an archive without any proxy in front would keep it.
fn kept_as(change: impl Fn(usize, &mut DefaultDicomObject)) -> Result<Kept, Failure> {
    let folder = Scratch::new();
    let mut files = Vec::new();
    for (index, mut object) in phantom::study().unwrap().into_iter().enumerate() {
        change(index, &mut object);
        files.push(folder.path().join(format!("{}.dcm", 9 - index)));
        object.write_to_file(files.last().unwrap()).unwrap();
    }
    let kept = Kept::of(&phantom::study().unwrap(), &files)?;
    kept.refer_to_each_other()?;
    kept.hold_no_traces()?;
    Ok(kept)
}

fn anonymous(object: &mut DefaultDicomObject) {
    object.put_str(tags::PATIENT_NAME, VR::PN, "SUBJECT^DEMO");
    object.put_str(tags::PATIENT_ID, VR::LO, "0011223344556677");
    object.remove_element(dicom_core::Tag(0x0009, 0x1001));
}

#[test]
fn objects_are_found_whatever_their_uids_and_file_names() {
    let kept = kept_as(|_, object| anonymous(object)).unwrap();
    assert_eq!(kept.len(), phantom::SLICES);
    assert_eq!(kept.object(1).unwrap().element(tags::INSTANCE_NUMBER).unwrap().to_int::<u8>().unwrap(), 2);
}

#[test]
fn a_trace_of_the_patient_anywhere_is_found() {
    let forgotten = kept_as(|index, object| {
        anonymous(object);
        if index == 5 {
            object.put_str(tags::IMAGE_COMMENTS, VR::LT, "seen by HSM-0047113's physician");
        }
    });
    assert!(matches!(forgotten, Err(Failure::NotRewritten { what: "HSM-0047113", .. })), "{forgotten:?}");
}

#[test]
fn a_reference_to_nothing_and_a_lost_object_are_found() {
    let dangling = kept_as(|index, object| {
        anonymous(object);
        if index == 0 {
            object.put_str(tags::SOP_INSTANCE_UID, VR::UI, "2.25.1");
        }
    });
    assert!(matches!(dangling, Err(Failure::DanglingReference { .. })), "{dangling:?}");
    let lost = kept_as(|index, object| {
        if index == 3 {
            object.put_str(tags::INSTANCE_NUMBER, VR::IS, "99");
        }
    });
    assert!(matches!(lost, Err(Failure::Lost { found: 7, sent: 8 })), "{lost:?}");
}
