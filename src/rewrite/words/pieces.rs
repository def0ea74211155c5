//! The pieces of a token: it is cut where letters and digits meet, and where a capital follows a small letter.

/// Pieces of a token at most; one that has more is no word.
pub(super) const MOST: usize = 10;
/// Digits of a side of a matrix, `1024x1024`.
pub(super) const OF_MATRIX: usize = 4;

/// Where the pieces of a token begin, and where the last one ends.
pub(super) struct Pieces<'t> {
    token: &'t str,
    bounds: [usize; MOST + 1],
    pub(super) count: usize,
}

impl<'t> Pieces<'t> {
    pub(super) fn of(token: &'t str) -> Option<Self> {
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

    pub(super) fn text(&self, from: usize, to: usize) -> &'t str {
        let bound = |piece: usize| self.bounds.get(piece).copied().unwrap_or_default();
        self.token.get(bound(from)..bound(to)).unwrap_or_default()
    }

    /// Whether an x and another number are behind a number.
    pub(super) fn is_side_of_matrix(&self, piece: usize) -> bool {
        let length = self.text(piece, piece + 1).len();
        let next =
            |after: usize| (piece + after < self.count).then(|| self.text(piece + after, piece + after + 1));
        length <= OF_MATRIX
            && matches!(next(1), Some("x" | "X"))
            && next(2).is_some()
            && self.is_number(piece + 2)
    }

    pub(super) fn is_number(&self, piece: usize) -> bool {
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
