//! What a token says, read in parts: `SpinalCord`, `T2w`, `PTV6000`, `5mm`, `L4L5`, `512x512`.
//!
//! A token is cut where letters and digits meet, and where a capital follows a small letter. It stays where each part of it
//! is known, and goes as a whole where one is not: `McSpine` could be a name.

use super::number::{self, Meant};
use super::pieces::{MOST, OF_MATRIX, Pieces};
use super::sense::Sense;
use super::vocabulary::Vocabulary;

/// Digits of a number without a unit inside of a token, and of all of them together.
const FEW: usize = 2;
const FEW_TOGETHER: usize = 4;

/// What was read up to a bound.
#[derive(Clone, Copy, Default)]
struct Read {
    sense: Sense,
    /// Whether a number may follow that has many digits.
    counts: bool,
    /// Whether a number is the last that was read, whether it is over 89, and whether it has its unit.
    is_number: bool,
    is_old: bool,
    is_measured: bool,
    /// Digits of numbers without a unit.
    digits: usize,
}

/// What a token says; `None` where some of it is not known.
pub(super) fn sense(vocabulary: &Vocabulary, token: &str) -> Option<Sense> {
    vocabulary.sense(token).or_else(|| in_parts(vocabulary, token))
}

fn in_parts(vocabulary: &Vocabulary, token: &str) -> Option<Sense> {
    let pieces = Pieces::of(token).filter(|pieces| pieces.count > 1)?;
    let mut reached = [None; MOST + 1];
    reached[0] = Some(Read::default());
    for from in 0..pieces.count {
        let Some(read) = reached.get(from).copied().flatten() else { continue };
        for to in (from + 1..=pieces.count).rev() {
            let Some(place) = reached.get_mut(to).filter(|place| place.is_none()) else { continue };
            *place = read.on(vocabulary, &pieces, (from, to));
        }
    }
    let sense = reached.get(pieces.count).copied().flatten()?.sense;
    sense.is(Sense::SAYS).then_some(sense)
}

impl Read {
    /// Reads the pieces from one to another as one part.
    fn on(self, vocabulary: &Vocabulary, pieces: &Pieces<'_>, (from, to): (usize, usize)) -> Option<Self> {
        let text = pieces.text(from, to);
        match to - from {
            1 if pieces.is_number(from) => self.number(text, pieces.is_side_of_matrix(from)),
            2.. if pieces.is_number(from) && measured(vocabulary, pieces, (from, to)) => {
                Some(Self { sense: self.sense.and(Sense::SAYS), is_measured: true, ..self.behind_a_number() })
            }
            1 if text.len() == 1 => self.letter(vocabulary, pieces, from),
            _ => self.word(vocabulary, text),
        }
    }

    fn number(self, text: &str, is_side: bool) -> Option<Self> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let together = self.digits + digits;
        let is_quantity = self.counts || is_side;
        let stays = match is_quantity {
            true => number::may_stay(text, Meant::Measured),
            // As in 02T10.
            false if self.is_measured => false,
            false => {
                let few = digits <= FEW || text.contains(['.', ',']);
                few && together <= FEW_TOGETHER && number::may_stay(text, Meant::Alone)
            }
        };
        let digits = if is_quantity { self.digits } else { together };
        let sense = if self.counts { self.sense.and(Sense::SAYS) } else { self.sense };
        stays.then_some(Self {
            counts: false,
            is_number: true,
            is_old: number::is_old(text),
            digits,
            sense,
            ..self
        })
    }

    fn behind_a_number(self) -> Self {
        Self { counts: false, is_number: false, is_old: false, is_measured: false, ..self }
    }

    /// One letter: the x of a matrix, `zPTV` and `xLung` of TG-263, the side at the end, what a number follows.
    fn letter(self, vocabulary: &Vocabulary, pieces: &Pieces<'_>, at: usize) -> Option<Self> {
        let text = pieces.text(at, at + 1);
        let sense = vocabulary.sense(text).unwrap_or_default();
        let (is_first, is_last) = (at == 0, at + 1 == pieces.count);
        let before_number = !is_last && pieces.is_number(at + 1);
        // As b1000 and b0; B2 could be a bed.
        let quantity = pieces.text(at + 1, at + 2);
        let counts = sense.is(Sense::COUNTS) && before_number && (quantity.len() > 1 || quantity == "0");
        match text {
            "x" | "X"
                if self.is_number && before_number && pieces.text(at + 1, at + 2).len() <= OF_MATRIX =>
            {
                Some(Self { sense: self.sense.and(Sense::SAYS), counts: true, ..self.behind_a_number() })
            }
            "x" | "z" if is_first && !is_last && !before_number => Some(self),
            "L" | "R" if is_last => Some(Self { sense: self.sense.and(Sense::SAYS), ..self }),
            _ => counts.then_some(Self {
                sense: self.sense.and(Sense::SAYS),
                counts,
                is_number: false,
                ..self
            }),
        }
    }

    /// A word. One of two letters is no part of a token that is written like a name.
    fn word(self, vocabulary: &Vocabulary, text: &str) -> Option<Self> {
        let is_short =
            text.len() < 3 && text.chars().any(char::is_lowercase) && text.chars().all(char::is_alphabetic);
        let is_side = matches!(text, "Lt" | "Rt" | "lt" | "rt");
        // As in 12T10, the end of a date and the hour.
        let is_hour = self.is_number && text.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        if text.len() < 2 || is_hour || is_short && !self.is_number && !is_side {
            return None;
        }
        let sense = vocabulary.sense(text)?;
        if !sense.stands_alone() && !sense.is(Sense::COUNTS) {
            return None;
        }
        if self.is_number && self.is_old && sense.is(Sense::AGES) {
            return None;
        }
        let counts = sense.is(Sense::COUNTS);
        Some(Self { sense: self.sense.and(sense), counts, ..self.behind_a_number() })
    }
}

/// Whether the first of the pieces is a number, and the others are its unit: `mGy` is two.
fn measured(vocabulary: &Vocabulary, pieces: &Pieces<'_>, (from, to): (usize, usize)) -> bool {
    let unit = vocabulary.sense(pieces.text(from + 1, to));
    unit.is_some_and(|unit| unit.is(Sense::UNIT))
        && number::may_stay(pieces.text(from, from + 1), Meant::Measured)
}

#[cfg(test)]
mod tests {
    use super::{Vocabulary, sense};

    #[test]
    fn tokens_are_read_in_parts_and_go_as_a_whole() {
        let vocabulary = Vocabulary::default();
        for token in [
            "SpinalCord",
            "OpticNrv",
            "LungL",
            "T2w",
            "T2wFLAIR",
            "PTV6000",
            "PTV1",
            "zPTV",
            "xLung",
            "5mm",
            "1.25mm",
            "120kV",
            "b1000",
            "TE90",
            "TR5000",
            "L4L5",
            "512x512",
            "2x2x2mm",
            "CT1",
            "GTVp1",
            "3DT1",
            "4DCT",
            "PRV05",
        ] {
            assert!(sense(&vocabulary, token).is_some(), "{token}");
        }
        for token in [
            "McSpine",
            "SpinalDoe",
            "CT123456",
            "MR4711",
            "A1",
            "LaRa",
            "1a2b3c4d",
            "PTV20240101",
            "10h30",
            "X12345",
            "CT12MR34US56",
            "Ax1Ax1Ax1Ax1Ax1Ax1",
            "123x1234567",
        ] {
            assert!(sense(&vocabulary, token).is_none(), "{token}");
        }
    }
}
