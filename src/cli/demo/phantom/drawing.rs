//! A chest of ellipses in Hounsfield units, with noise that is the same at every start.

/// An ellipse, its centre and half axes in millimetres of the patient (x to the left, y to the back).
struct Ellipse {
    centre: (f64, f64),
    half_axes: (f64, f64),
    unit: i16,
}

const AIR: i16 = -1000;
const FAT: i16 = -95;
const MUSCLE: i16 = 45;
const LUNG: i16 = -830;
const BONE: i16 = 620;
const MARROW: i16 = 180;
const BLOOD: i16 = 60;
const CONTRAST: i16 = 240;
const TABLE: i16 = -350;
const NOISE: i16 = 12;

const RIBS: u8 = 9;

/// Row by row, the units of an axial slice at `location` millimetres along the patient.
pub(super) fn hounsfield(location: f64, spacing: f64, edge: u16) -> impl Iterator<Item = i16> {
    let parts = anatomy(location);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15 ^ location.to_bits());
    let middle = f64::from(edge - 1) / 2.0;
    (0..edge).flat_map(move |row| (0..edge).map(move |column| (row, column))).map(move |(row, column)| {
        let x = (f64::from(column) - middle) * spacing;
        let y = (f64::from(row) - middle) * spacing;
        let tissue = parts.iter().rev().find(|part| part.holds(x, y)).map_or(AIR, |part| part.unit);
        tissue.saturating_add(noise.next())
    })
}

impl Ellipse {
    fn holds(&self, x: f64, y: f64) -> bool {
        let (dx, dy) = ((x - self.centre.0) / self.half_axes.0, (y - self.centre.1) / self.half_axes.1);
        dx * dx + dy * dy <= 1.0
    }
}

/// From the outside in: what comes later lies over what came before.
fn anatomy(location: f64) -> Vec<Ellipse> {
    let part = |x, y, width, height, unit| Ellipse { centre: (x, y), half_axes: (width, height), unit };
    let lung = 1.0 - location.abs() / 90.0;
    let heart = 1.0 - (location + 10.0).abs() / 60.0;
    let mut parts = vec![
        part(0.0, 158.0, 150.0, 9.0, TABLE),
        part(0.0, 0.0, 172.0, 118.0, FAT),
        part(0.0, 0.0, 160.0, 106.0, MUSCLE),
    ];
    parts.extend(ribs(location));
    parts.extend([
        part(-78.0, 2.0, 62.0 * lung, 84.0 * lung, LUNG),
        part(78.0, 2.0, 62.0 * lung, 84.0 * lung, LUNG),
        part(-70.0, 34.0, 7.0, 5.0, MUSCLE),
        part(22.0, -26.0, 52.0 * heart, 44.0 * heart, BLOOD),
        part(30.0, -22.0, 22.0 * heart, 18.0 * heart, CONTRAST),
        part(18.0, 46.0, 13.0, 13.0, CONTRAST),
        part(0.0, 14.0, 9.0, 8.0, AIR),
        part(0.0, -92.0, 20.0, 7.0, BONE),
        part(0.0, 76.0, 27.0, 22.0, BONE),
        part(0.0, 76.0, 21.0, 16.0, MARROW),
        part(0.0, 106.0, 7.0, 16.0, BONE),
        part(0.0, 101.0, 8.0, 6.0, MUSCLE),
    ]);
    parts
}

/// A ring of ribs that turns a little from slice to slice, as ribs cut at an angle do.
fn ribs(location: f64) -> impl Iterator<Item = Ellipse> {
    (0..RIBS).flat_map(move |rib| {
        let angle = -1.15 + f64::from(rib) * 0.29 + location * 0.006;
        [1.0, -1.0].map(|side| Ellipse {
            centre: (side * 148.0 * angle.cos(), 95.0 * angle.sin()),
            half_axes: (8.0, 5.0),
            unit: BONE,
        })
    })
}

/// xorshift64, seeded by the slice: the phantom has to be the same at every start.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> i16 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let span = u64::from(NOISE.unsigned_abs()) * 2 + 1;
        i16::try_from(self.0 % span).unwrap_or(0) - NOISE
    }
}
