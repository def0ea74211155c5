//! What part of `[limits]` somebody has.

/// The part of `[limits]` that a tenant has, above 0 and at most 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Share(f64);

impl Share {
    pub(super) fn new(part: f64) -> Self {
        Self(part)
    }

    pub(super) fn part(self) -> f64 {
        self.0
    }

    /// All of it.
    pub(super) const ALL: Self = Self(1.0);

    /// Of a number, rounded down; one at least.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    pub(super) fn of(self, all: u64) -> u64 {
        // All of it stays what it was, whatever a floating point number makes of it.
        if self == Self::ALL { all } else { ((all as f64 * self.0) as u64).max(1) }
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn a_share_is_rounded_down_and_never_nothing() {
        assert_eq!([Share(0.25).of(500), Share(0.25).of(7), Share(0.01).of(3)], [125, 1, 1]);
        assert_eq!(Share::ALL.of(u64::MAX), u64::MAX);
    }
}
