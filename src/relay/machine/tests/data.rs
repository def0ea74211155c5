//! Data sets, in explicit VR little endian.

use super::wire::CT;

pub(super) fn element((group, element): (u16, u16), vr: &[u8; 2], value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).unwrap();
    [&group.to_le_bytes()[..], &element.to_le_bytes(), vr, &length.to_le_bytes(), value].concat()
}

fn even(text: &str, padding: u8) -> Vec<u8> {
    let mut value = text.as_bytes().to_vec();
    value.resize(text.len().next_multiple_of(2), padding);
    value
}

/// An image of a patient, with so many bytes of pixels.
pub(super) fn image(instance: &str, pixels: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0..pixels.next_multiple_of(2)).map(|n| (n % 251) as u8).collect();
    let length = u32::try_from(pixels.len()).unwrap();
    [
        element((8, 0x16), b"UI", &even(CT, 0)),
        element((8, 0x18), b"UI", &even(instance, 0)),
        element((0x10, 0x10), b"PN", &even("Doe^Jane", b' ')),
        element((0x10, 0x20), b"LO", &even("4711", b' ')),
        element((0x20, 0x0D), b"UI", &even("1.2.3", 0)),
        [&[0xE0, 0x7F, 0x10, 0, b'O', b'W', 0, 0][..], &length.to_le_bytes(), &pixels].concat(),
    ]
    .concat()
}

/// One that ends inside an element, behind so many bytes of pixels.
pub(super) fn cut_off(instance: &str, pixels: usize) -> Vec<u8> {
    let mut data = image(instance, pixels);
    data.extend([0xFC, 0xFF, 0xFC]);
    data
}

/// What a query looks for.
pub(super) fn identifier() -> Vec<u8> {
    [
        element((8, 0x52), b"CS", &even("STUDY", b' ')),
        element((0x10, 0x10), b"PN", &even("Doe*", b' ')),
        element((0x10, 0x20), b"LO", &[]),
    ]
    .concat()
}
