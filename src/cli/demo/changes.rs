//! What became of an object between the modality and the archive, element by element.

use std::borrow::Cow;

use dicom_core::value::{PrimitiveValue, Value};
use dicom_core::{DataElement, Tag, VR};
use dicom_object::InMemDicomObject;

use crate::dataset::keyword_of;

type Element = DataElement<InMemDicomObject>;

/// Two versions of one object against each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// In the order of the tags.
    pub changes: Vec<Change>,
    /// Elements whose value is the same in both, those in sequences too.
    pub unchanged: usize,
}

/// One element that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `(gggg,eeee)`, in a sequence `(gggg,eeee)[1](gggg,eeee)` with items counted from 1.
    pub path: String,
    /// Of the dictionary, or what kind of private element it is.
    pub keyword: String,
    /// `None` where the element is absent.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Compares by value: padding and VR encoding do not count, since they are not what a reader sees.
pub(super) fn compare(before: &InMemDicomObject, after: &InMemDicomObject) -> Comparison {
    let mut comparison = Comparison::default();
    comparison.data_sets("", before, after);
    comparison
}

impl Comparison {
    fn data_sets(&mut self, prefix: &str, before: &InMemDicomObject, after: &InMemDicomObject) {
        let mut tags: Vec<Tag> = before.tags().chain(after.tags()).collect();
        tags.sort_unstable();
        tags.dedup();
        for tag in tags {
            self.elements(&format!("{prefix}{tag}"), tag, before.get(tag), after.get(tag));
        }
    }

    fn elements(&mut self, path: &str, tag: Tag, before: Option<&Element>, after: Option<&Element>) {
        if let (Some(before), Some(after)) = (before, after) {
            if let (Some(old), Some(new)) = (before.items(), after.items())
                && old.len() == new.len()
            {
                for (item, (old, new)) in (1..).zip(old.iter().zip(new)) {
                    self.data_sets(&format!("{path}[{item}]"), old, new);
                }
                return;
            }
            if content(before) == content(after) {
                self.unchanged += 1;
                return;
            }
        }
        self.changes.push(Change {
            path: path.to_owned(),
            keyword: keyword(tag),
            before: before.map(shown),
            after: after.map(shown),
        });
    }
}

/// The bytes that the value stands for; `None` where it has items or fragments.
fn content(element: &Element) -> Option<Cow<'_, [u8]>> {
    let value = element.value().primitive()?;
    match value {
        PrimitiveValue::Str(_) | PrimitiveValue::Strs(_) => {
            Some(value.to_str().trim_end_matches(['\0', ' ']).as_bytes().to_vec().into())
        }
        _ => Some(value.to_bytes()),
    }
}

fn shown(element: &Element) -> String {
    match (element.value(), element.vr()) {
        (Value::Sequence(sequence), _) => format!("{} item(s)", sequence.items().len()),
        (Value::PixelSequence(pixels), _) => format!("{} fragment(s)", pixels.fragments().len()),
        (Value::Primitive(value), VR::OB | VR::OD | VR::OF | VR::OL | VR::OV | VR::OW | VR::UN) => {
            format!("{} bytes", value.to_bytes().len())
        }
        (Value::Primitive(value), _) => value.to_str().trim_end_matches(['\0', ' ']).to_owned(),
    }
}

fn keyword(tag: Tag) -> String {
    if tag.group() % 2 == 1 {
        let creator = (0x0010..=0x00ff).contains(&tag.element());
        return if creator { "private creator" } else { "private element" }.to_owned();
    }
    keyword_of(tag).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Change, compare};
    use crate::cli::demo::phantom;
    use dicom_core::value::{DataSetSequence, PrimitiveValue};
    use dicom_core::{DataElement, VR};
    use dicom_dictionary_std::tags;
    use dicom_object::{DefaultDicomObject, InMemDicomObject};

    fn slice() -> DefaultDicomObject {
        phantom::study().unwrap().remove(1)
    }

    #[test]
    fn what_was_written_and_read_again_has_not_changed() {
        let mut file = Vec::new();
        slice().write_all(&mut file).unwrap();
        let comparison = compare(&slice(), &dicom_object::from_reader(file.as_slice()).unwrap());
        assert_eq!(comparison.changes, []);
        assert!(comparison.unchanged > 80, "{}", comparison.unchanged);
    }

    #[test]
    fn changed_emptied_removed_and_added_elements_are_told_apart() {
        let mut after = slice();
        after.put_str(tags::PATIENT_NAME, VR::PN, "NOBODY");
        after.put(DataElement::new(tags::PATIENT_BIRTH_DATE, VR::DA, PrimitiveValue::Empty));
        after.remove_element(dicom_core::Tag(0x0009, 0x1010));
        after.remove_element(tags::REQUEST_ATTRIBUTES_SEQUENCE);
        after.put_str(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES");
        let comparison = compare(&slice(), &after);
        let change = |path: &str, keyword: &str, before: Option<&str>, after: Option<&str>| Change {
            path: path.into(),
            keyword: keyword.into(),
            before: before.map(Into::into),
            after: after.map(Into::into),
        };
        assert_eq!(
            comparison.changes,
            [
                change("(0009,1010)", "private element", Some("32 bytes"), None),
                change("(0010,0010)", "PatientName", Some("DURAND^CAMILLE^ANNE"), Some("NOBODY")),
                change("(0010,0030)", "PatientBirthDate", Some("19610428"), Some("")),
                change("(0012,0062)", "PatientIdentityRemoved", None, Some("YES")),
                change("(0040,0275)", "RequestAttributesSequence", Some("1 item(s)"), None),
            ]
        );
    }

    #[test]
    fn a_change_in_a_sequence_is_named_by_its_path_and_the_rest_counted() {
        let mut after = slice();
        let before = compare(&after, &after).unchanged;
        let reference = InMemDicomObject::from_element_iter([
            DataElement::new(tags::REFERENCED_SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.2"),
            DataElement::new(tags::REFERENCED_SOP_INSTANCE_UID, VR::UI, "2.25.1"),
        ]);
        after.put(DataElement::new(
            tags::REFERENCED_IMAGE_SEQUENCE,
            VR::SQ,
            DataSetSequence::from(vec![reference]),
        ));
        let comparison = compare(&slice(), &after);
        assert_eq!(comparison.unchanged, before - 1);
        assert_eq!(comparison.changes.len(), 1);
        assert_eq!(comparison.changes[0].path, "(0008,1140)[1](0008,1155)");
        assert_eq!(comparison.changes[0].after.as_deref(), Some("2.25.1"));
    }
}
