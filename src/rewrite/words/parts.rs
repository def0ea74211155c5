//! What a token says, read in parts: `SpinalCord`, `T2w`, `PTV6000`, `5mm`, `L4L5`, `512x512`.
//!
//! A token is cut where letters and digits meet, and where a capital follows a small letter. It stays where each part of it
//! is known, and goes as a whole where one is not: `McSpine` could be a name.

use super::number::{self, Meant};
use super::sense::Sense;
use super::vocabulary::Vocabulary;

/// Pieces of a token at most; one that has more is no word.
const MOST: usize = 10;
/// Digits of a number without a unit inside of a token, and of all of them together.
const FEW: usize = 2;
const FEW_TOGETHER: usize = 4;
/// Digits of a side of a matrix, `1024x1024`.
const OF_MATRIX: usize = 4;

/// Where the pieces of a token begin, and where the last one ends.
struct Pieces<'t> {
    token: &'t str,
    bounds: [usize; MOST + 1],
    count: usize,
}

/// What was read up to a bound.
#[derive(Clone, Copy, Default)]
struct Read {
    sense: Sense,
    /// Whether a number may follow that has many digits.
    counts: bool,
    /// Whether a number is the last that was read.
    is_number: bool,
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

impl<'t> Pieces<'t> {
    fn of(token: &'t str) -> Option<Self> {
        let mut pieces = Self { token, bounds: [0; MOST + 1], count: 0 };
        let mut characters = token.char_indices().peekable();
        let mut before = None;
        while let Some((at, one)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            if before.is_some_and(|before| is_bound(before, one, next)) {
                pieces.end(at)?;
            }
            before = Some(one);
        }
        pieces.end(token.len())?;
        Some(pieces)
    }

    fn end(&mut self, at: usize) -> Option<()> {
        self.count += 1;
        *self.bounds.get_mut(self.count)? = at;
        Some(())
    }

    fn text(&self, from: usize, to: usize) -> &'t str {
        let bound = |piece: usize| self.bounds.get(piece).copied().unwrap_or_default();
        self.token.get(bound(from)..bound(to)).unwrap_or_default()
    }

    fn is_number(&self, piece: usize) -> bool {
        self.text(piece, piece + 1).starts_with(|c: char| c.is_ascii_digit())
    }
}

/// Whether a piece ends before `one`.
fn is_bound(before: char, one: char, next: Option<char>) -> bool {
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    match (of_number(before), of_number(one)) {
        (true, true) => false,
        (false, false) => {
            one.is_uppercase() && (before.is_lowercase() || next.is_some_and(char::is_lowercase))
        }
        _ => true,
    }
}

impl Read {
    /// Reads the pieces from one to another as one part.
    fn on(self, vocabulary: &Vocabulary, pieces: &Pieces<'_>, (from, to): (usize, usize)) -> Option<Self> {
        let text = pieces.text(from, to);
        match to - from {
            1 if pieces.is_number(from) => self.number(text),
            2 if pieces.is_number(from) && self.measured(vocabulary, pieces, from) => {
                Some(Self { sense: self.sense.and(Sense::SAYS), counts: false, is_number: false, ..self })
            }
            1 if text.len() == 1 => self.letter(vocabulary, pieces, from),
            _ => self.word(vocabulary, text),
        }
    }

    fn number(self, text: &str) -> Option<Self> {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let together = self.digits + digits;
        let stays = match self.counts {
            true => number::may_stay(text, Meant::Measured),
            false => {
                let few = digits <= FEW || text.contains(['.', ',']);
                few && together <= FEW_TOGETHER && number::may_stay(text, Meant::Alone)
            }
        };
        let digits = if self.counts { self.digits } else { together };
        stays.then_some(Self { counts: false, is_number: true, digits, ..self })
    }

    /// Whether the piece is a number, and the next its unit.
    fn measured(self, vocabulary: &Vocabulary, pieces: &Pieces<'_>, from: usize) -> bool {
        let unit = vocabulary.sense(pieces.text(from + 1, from + 2));
        unit.is_some_and(|unit| unit.is(Sense::UNIT))
            && number::may_stay(pieces.text(from, from + 1), Meant::Measured)
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
                Some(Self { sense: self.sense.and(Sense::SAYS), counts: true, is_number: false, ..self })
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
        if text.len() < 2 || is_short && !matches!(text, "Lt" | "Rt" | "lt" | "rt") {
            return None;
        }
        let sense = vocabulary.sense(text).filter(|sense| sense.stands_alone())?;
        Some(Self { sense: self.sense.and(sense), counts: sense.is(Sense::COUNTS), is_number: false, ..self })
    }
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
