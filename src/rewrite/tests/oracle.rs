//! Data sets of any shape, against what dicom-object makes of the same change.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::support::*;
use crate::dataset::{Encoding, Tag};
use crate::rewrite::{RuleSpec, Transform};
use dicom_core::value::Value;
use dicom_core::{DataElement, PrimitiveValue, VR};
use dicom_object::InMemDicomObject;

const SITE: &str = "SITE-07";

fn rules() -> Vec<RuleSpec> {
    vec![
        rule("PatientName", "remove"),
        rule("AccessionNumber", "empty"),
        rule_with("InstitutionName", "replace", SITE),
        rule_with("StationName", "set", "NONE"),
        rule("StudyInstanceUID", "uid"),
        rule("(0040,9xxx)", "remove"),
        rule("(0009,ACME,10)", "remove"),
    ]
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Leaf([u8; 2], Vec<u8>),
    Sequence { defined: bool, items: Vec<Nodes> },
}

pub(super) type Nodes = BTreeMap<(u16, u16), Node>;

/// Attributes with text of their VR, or with bytes.
fn leaf() -> impl Strategy<Value = ((u16, u16), Node)> {
    let text = |tag, vr: &[u8; 2], form: &'static str| {
        let vr = *vr;
        form.prop_map(move |text| (tag, Node::Leaf(vr, text.into_bytes()))).boxed()
    };
    prop_oneof![
        text((0x08, 0x50), b"SH", "([A-Z0-9]{2}){0,8}"),
        text((0x08, 0x80), b"LO", "([A-Z0-9]{2}){0,30}"),
        text((0x08, 0x1010), b"SH", "([A-Z0-9]{2}){0,8}"),
        text((0x09, 0x10), b"LO", "ACME|OTHERS"),
        text((0x09, 0x1010), b"LO", "([a-z]{2}){0,8}"),
        text((0x10, 0x10), b"PN", "([A-Z]{4}){0,4}"),
        text((0x10, 0x20), b"LO", "([A-Z0-9]{2}){0,8}"),
        text((0x20, 0xD), b"UI", "(1\\.2(\\.[1-9]{1,3}){0,4})?"),
        text((0x40, 0x9210), b"SH", "x{6}"),
        vec(any::<u8>(), 0..2000).prop_map(|mut bytes| {
            bytes.truncate(bytes.len() / 2 * 2);
            ((0x7FE0, 0x10), Node::Leaf(*b"OB", bytes))
        }),
    ]
}

pub(super) fn nodes() -> impl Strategy<Value = Nodes> {
    let leaves = vec(leaf(), 0..8).prop_map(|leaves| leaves.into_iter().collect::<Nodes>());
    leaves.prop_recursive(4, 40, 3, |inner| {
        let tags = prop_oneof![
            Just((0x08, 0x1115)),
            Just((0x40, 0x275)),
            Just((0x40, 0xA730)),
            Just((0x5200, 0x9229))
        ];
        let sequence = (any::<bool>(), vec(inner, 0..3));
        let sequence = sequence.prop_map(|(defined, items)| Node::Sequence { defined, items });
        (btree_map(tags, sequence, 0..3), vec(leaf(), 0..8)).prop_map(|(mut nodes, leaves)| {
            nodes.extend(leaves);
            nodes
        })
    })
}

pub(super) fn write(data: Data, nodes: &Nodes, encoding: Encoding) -> Data {
    nodes.iter().fold(data, |data, (&tag, node)| match node {
        Node::Leaf(vr, value) if value.len() % 2 == 0 => data.element(tag, vr, value),
        Node::Leaf(vr, value) => data.text(tag, vr, std::str::from_utf8(value).unwrap()),
        Node::Sequence { defined, items } => {
            let items: Vec<Data> =
                items.iter().map(|item| write(Data::new(encoding), item, encoding)).collect();
            data.sequence(tag, *defined, &items)
        }
    })
}

/// As a file, since that is what dicom-object reads in any transfer syntax.
pub(super) fn parse(bytes: &[u8], syntax: &str) -> InMemDicomObject {
    let meta = Data::new(LE)
        .element((2, 1), b"OB", &[0, 1])
        .text((2, 2), b"UI", CLASS)
        .text((2, 3), b"UI", INSTANCE)
        .text((2, 0x10), b"UI", syntax)
        .text((2, 0x12), b"UI", "2.25.1");
    let length = Data::new(LE).element((2, 0), b"UL", &(meta.bytes.len() as u32).to_le_bytes());
    let file = [&[0; 128], &b"DICM"[..], &length.bytes, &meta.bytes, bytes].concat();
    dicom_object::from_reader(&file[..]).unwrap().into_inner()
}

/// Every element, in order: depth, tag, VR, value.
fn dump(object: &InMemDicomObject, depth: usize, out: &mut Vec<(usize, Tag, VR, Vec<u8>)>) {
    for element in object.iter() {
        let tag = element.header().tag;
        match element.value() {
            Value::Primitive(value) => out.push((depth, tag, element.vr(), value.to_bytes().into_owned())),
            Value::Sequence(sequence) => {
                out.push((depth, tag, element.vr(), Vec::new()));
                for (index, item) in sequence.items().iter().enumerate() {
                    out.push((depth + 1, Tag(0, 0), VR::UN, vec![index as u8]));
                    dump(item, depth + 1, out);
                }
            }
            Value::PixelSequence(_) => panic!("none is written"),
        }
    }
}

/// [`rules`], in memory.
fn change(object: InMemDicomObject, top: bool) -> InMemDicomObject {
    let acme = object.get(Tag(9, 0x10)).is_some_and(|creator| creator.to_str().unwrap().trim() == "ACME");
    let text = |tag, vr, text: &str| DataElement::new(tag, vr, PrimitiveValue::from(text));
    let changed = object.into_iter().filter_map(|element| {
        let tag = element.header().tag;
        Some(match (tag.0, tag.1) {
            (0x10, 0x10) | (0x40, 0x9000..=0x9FFF) => return None,
            (0x09, 0x1010) if acme => return None,
            (0x08, 0x50) => DataElement::empty(tag, VR::SH),
            (0x08, 0x80) => text(tag, VR::LO, SITE),
            (0x08, 0x1010) => text(tag, VR::SH, "NONE"),
            (0x20, 0xD) if !element.to_str().unwrap().is_empty() => {
                let old = element.to_str().unwrap().trim_end_matches('\0').to_owned();
                text(tag, VR::UI, &ruleset(&rules()).map_uid(&old))
            }
            _ => match element.into_parts() {
                (header, Value::Sequence(sequence)) => {
                    let items: Vec<_> =
                        sequence.into_items().into_iter().map(|item| change(item, false)).collect();
                    DataElement::new(header.tag, VR::SQ, dicom_core::value::DataSetSequence::from(items))
                }
                (header, value) => DataElement::new_with_len(header.tag, header.vr(), header.len, value),
            },
        })
    });
    let mut changed = InMemDicomObject::from_element_iter(changed);
    if top {
        changed.put(text(Tag(8, 0x1010), VR::SH, "NONE"));
    }
    changed
}

/// Trailing padding is not what the two disagree about.
fn dumped(object: &InMemDicomObject) -> Vec<(usize, Tag, VR, Vec<u8>)> {
    let mut all = Vec::new();
    dump(object, 0, &mut all);
    for (_, tag, _, value) in &mut all {
        let padded = |value: &[u8]| matches!(value.last(), Some(b' ' | 0));
        while tag.0 != 0x7FE0 && padded(value) {
            value.pop();
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn rewriting_is_what_dicom_object_would_do(nodes in nodes(), sizes in vec(1_usize..300, 1..5)) {
        let syntaxes =
            [(LE, "1.2.840.10008.1.2.1"), (BE, "1.2.840.10008.1.2.2"), (IMPLICIT, "1.2.840.10008.1.2")];
        for (encoding, uid) in syntaxes {
            let input = write(Data::image(encoding), &nodes, encoding).bytes;
            let (sent, _) = run_in(transform(&rules(), encoding), &input, &[usize::MAX]).unwrap();
            let (chunked, _) = run_in(transform(&rules(), encoding), &input, &sizes).unwrap();
            prop_assert_eq!(&sent, &chunked, "any chunking gives the same");
            prop_assert_eq!(dumped(&parse(&sent, uid)), dumped(&change(parse(&input, uid), true)));
            let (same, _) = run_in(transform(&[rule("PatientMotherBirthName", "remove")], encoding), &input, &sizes).unwrap();
            prop_assert_eq!(same, &input[..], "untouched");
            let (same, _) = run_in(Transform::identity(), &input, &sizes).unwrap();
            prop_assert_eq!(same, input);
        }
    }

    #[test]
    fn damage_never_panics_and_chunking_never_matters(
        nodes in nodes(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        sizes in vec(1_usize..50, 1..4),
    ) {
        for encoding in [LE, BE, IMPLICIT, DEFLATED] {
            let mut input = write(Data::image(encoding), &nodes, encoding).bytes;
            for (at, byte) in &damage {
                let at = at.index(input.len());
                input[at] = *byte;
            }
            input.truncate(end.index(input.len()) + 1);
            let whole = run_in(transform(&rules(), encoding), &input, &[usize::MAX]).map(|(sent, _)| sent);
            let chunked = run_in(transform(&rules(), encoding), &input, &sizes).map(|(sent, _)| sent);
            if encoding == DEFLATED {
                // Of two damages, that of the compression may be met before or after that of what it holds.
                prop_assert_eq!(whole.ok(), chunked.ok());
            } else {
                prop_assert_eq!(whole, chunked);
            }
        }
    }

    #[test]
    fn garbage_never_panics(garbage in vec(any::<u8>(), 0..300)) {
        for encoding in [LE, BE, IMPLICIT, DEFLATED] {
            let _ = run_in(transform(&rules(), encoding), &garbage, &[7]);
            let header = [&Data::image(encoding).bytes[..], &garbage].concat();
            let _ = run_in(transform(&rules(), encoding), &header, &[usize::MAX]);
        }
    }
}
