//! What a word does in a text.

/// What a word does in a text; one word may do several things.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sense(u8);

impl Sense {
    /// It is known, as a name, and goes.
    pub(super) const NOTHING: Self = Self(0);
    /// It says something alone: anatomy, a side, a technique, a finding.
    pub(super) const SAYS: Self = Self(1);
    /// It denies what another word says, and stays wherever it is.
    pub(super) const DENIES: Self = Self(1 << 1);
    /// An article, a preposition or a conjunction: it says nothing alone.
    pub(super) const JOINS: Self = Self(1 << 2);
    /// One that is part of names too, as "van der" is: it goes with the word behind it.
    pub(super) const PARTICLE: Self = Self(1 << 3);
    /// A unit, behind a number only.
    pub(super) const UNIT: Self = Self(1 << 4);
    /// What a number behind it says is a quantity: echo time, b-value, dose level.
    pub(super) const COUNTS: Self = Self(1 << 5);
    /// Compounds are made of it.
    pub(super) const COMPOUNDS: Self = Self(1 << 6);

    /// An age stands beside it.
    pub(super) const AGES: Self = Self(1 << 7);

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What it does, where it stands in another list too.
    pub(super) fn then(self, other: Self) -> Self {
        match other {
            Self::NOTHING => Self::NOTHING,
            other if other.is(Self::JOINS.and(Self::DENIES)) => {
                Self(self.0 & !Self::SAYS.0 & !Self::COMPOUNDS.0 | other.0)
            }
            other => self.and(other),
        }
    }

    /// Whether it does any of these.
    pub(super) fn is(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }

    /// Whether it may stay without a number before it.
    pub(super) fn stands_alone(self) -> bool {
        self.is(Self::SAYS.and(Self::DENIES).and(Self::JOINS))
    }
}
