//! Which tokens of a value stay, and which go.

use std::ops::Range;

use super::number::{self, Meant};
use super::parts;
use super::sense::Sense;
use super::text::{Form, Token, Tokens};
use super::vocabulary::Vocabulary;

/// A token, and what becomes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) token: Token,
    /// What it says; `None`: it goes.
    pub(super) stays: Option<Sense>,
}

/// A number that stands for nothing but itself, and goes with the word beside it.
const BARE: Sense = Sense::PARTICLE;

/// Judges the tokens of a value, into `judged`, which is emptied before. What stands behind a circumflex in the name of a
/// structure is a comment (TG-263), and goes; so does what any of the `identifiers` touches, which are in order. Tells whether
/// any of that would have stayed.
pub(super) fn judge(
    vocabulary: &Vocabulary,
    (text, identifiers): (&str, &[Range<usize>]),
    is_name: bool,
    judged: &mut Vec<Judged>,
) -> bool {
    judged.clear();
    let mut value = Value { text, judged };
    value.read(vocabulary, is_name);
    // Before the numbers, so that none stays for a word that goes; and behind them, since they can be identifiers too.
    let has_words = value.identifiers(identifiers);
    value.numbers();
    let has_numbers = value.identifiers(identifiers);
    value.addresses();
    value.settle();
    value.names();
    has_words || has_numbers
}

/// Whether a phrase ends between two tokens. A point is left out: `2. Mai` is a day.
fn is_break(between: &str) -> bool {
    between.contains(['\n', ',', ';'])
}

struct Value<'v> {
    text: &'v str,
    judged: &'v mut Vec<Judged>,
}

impl Value<'_> {
    /// Words by the vocabulary.
    fn read(&mut self, vocabulary: &Vocabulary, is_name: bool) {
        let mut is_comment = false;
        for token in Tokens::of(self.text) {
            let from = self.judged.last().map_or(0, |last| last.token.end);
            is_comment |= is_name && self.slice(from, token.start).contains('^');
            if !is_comment && self.joins_the_last(vocabulary, token) {
                continue;
            }
            let word = self.slice(token.start, token.end);
            let stays = match token.form {
                Form::Word if !is_comment && self.is_contrast(token) => Some(Sense::SAYS),
                Form::Word if !is_comment => parts::sense(vocabulary, word),
                _ => None,
            };
            self.judged.push(Judged { token, stays });
        }
    }

    /// As in `T1 +C` and `C-/C+`. Alone, it could be an initial.
    fn is_contrast(&self, token: Token) -> bool {
        let (before, behind) = (self.slice(0, token.start), self.slice(token.end, self.text.len()));
        let is_without = || {
            let next = behind.strip_prefix('-').map(|behind| behind.chars().next());
            next.is_some_and(|next| next.is_none_or(|next| !next.is_alphanumeric()))
        };
        matches!(self.slice(token.start, token.end), "C" | "c")
            && (before.ends_with('+') || behind.starts_with('+') || is_without())
    }

    /// What identifiers touch goes. Whether any of it would have stayed.
    fn identifiers(&mut self, identifiers: &[Range<usize>]) -> bool {
        let (mut rest, mut stayed) = (identifiers.iter().peekable(), false);
        for Judged { token, stays } in self.judged.iter_mut() {
            while rest.next_if(|range| range.end <= token.start).is_some() {}
            if rest.peek().is_some_and(|range| range.start < token.end) {
                stayed |= stays.take().is_some();
            }
        }
        stayed
    }

    /// Whether the vocabulary knows the last token and this one together, as in `w/o`; then they are one.
    fn joins_the_last(&mut self, vocabulary: &Vocabulary, token: Token) -> bool {
        let Some(last) = self.judged.last().map(|last| last.token) else { return false };
        let between = match self.slice(last.end, token.start) {
            "/" => b'/',
            "-" => b'-',
            "'" | "’" => b'\'',
            "_" | " " if last.end - last.start == 1 => b'-',
            "." if last.end - last.start == 1 => b'.',
            _ => return false,
        };
        let (first, second) = (self.slice(last.start, last.end), self.slice(token.start, token.end));
        let Some(sense) = vocabulary.pair(first, between, second) else { return false };
        if let Some(last) = self.judged.last_mut() {
            last.token.end = token.end;
            last.token.form = Form::Word;
            last.stays = Some(sense);
        }
        true
    }

    /// Numbers, by what stands around them.
    fn numbers(&mut self) {
        let mut at = 0;
        while at < self.judged.len() {
            let mut end = at;
            while self.is_number(end) && (end == at || !self.gap(end).contains('\n')) {
                end += 1;
            }
            if end > at {
                self.group(at, end);
            }
            at = end.max(at + 1);
        }
    }

    /// Numbers with nothing but punctuation between them.
    fn group(&mut self, at: usize, end: usize) {
        let has_unit = self.is_unit(end) && matches!(self.gap(end), " " | "-");
        let is_measured = has_unit || self.is_counted(at);
        let stay = match end - at {
            1 if number::is_old(self.word(at))
                && (self.is_of_age(end) || at > 0 && self.is_of_age(at - 1)) =>
            {
                false
            }
            1 if is_measured => number::may_stay(self.word(at), Meant::Measured),
            // A point behind day and month is how they are written where the year is left out.
            1 if self.word(at).contains('.') && self.behind(at).starts_with('.') => false,
            1 => number::may_stay(self.word(at), Meant::Alone),
            2 if has_unit => {
                // The unit is that of the first too, but where they are two things.
                let is_list = self.gap(at + 1).contains([',', ';']);
                let meant = if is_list { Meant::Measured } else { Meant::Alone };
                number::may_stay(self.word(at), Meant::Alone) && number::may_stay(self.word(at + 1), meant)
            }
            2 => number::may_stay_together(self.word(at), self.gap(at + 1), self.word(at + 1)),
            _ => false,
        };
        if !stay {
            return;
        }
        let sense = if is_measured { Sense::SAYS } else { BARE };
        self.judged.iter_mut().take(end).skip(at).for_each(|judged| judged.stays = Some(sense));
        if has_unit {
            self.units(end);
        }
    }

    /// A unit behind a number, and those that it is divided by: `mg/kg`.
    fn units(&mut self, mut at: usize) {
        while self.is_unit(at) {
            if let Some(unit) = self.judged.get_mut(at) {
                unit.stays = Some(Sense::SAYS);
            }
            at += 1;
            if self.gap(at) != "/" {
                return;
            }
        }
    }

    /// What is written like a mail address or an address of the web goes, whatever words are in it.
    fn addresses(&mut self) {
        let mut start = 0;
        while start < self.judged.len() {
            let (mut end, mut is_address) = (start + 1, false);
            while end < self.judged.len() && !self.gap(end).contains(char::is_whitespace) {
                is_address |= self.gap(end).contains('@') || self.gap(end).contains("://");
                end += 1;
            }
            if is_address {
                self.judged.iter_mut().take(end).skip(start).for_each(|judged| judged.stays = None);
            }
            start = end;
        }
    }

    /// Units without a number, and what should have one behind it, go where they say nothing else.
    fn settle(&mut self) {
        for at in 0..self.judged.len() {
            let Some(sense) = self.judged.get(at).and_then(|judged| judged.stays) else { continue };
            let counts =
                sense.is(Sense::COUNTS) && self.judged.get(at + 1).is_some_and(|next| next.stays.is_some());
            let counts = counts && self.is_number(at + 1);
            if !sense.stands_alone() && sense != BARE && !counts {
                self.drop(at);
            }
        }
    }

    /// What stands beside a word that goes and is part of names and addresses as well goes with it: `van der`, `J.`, `12`.
    fn names(&mut self) {
        for at in (0..self.judged.len()).rev() {
            let before = at.checked_sub(1).filter(|_| !is_break(self.gap(at)));
            if self.goes(at + 1)
                && !self.is_apart(at, self.gap(at + 1), before)
                && (self.is_weak(at) || self.is_initial(at))
            {
                self.drop(at);
            }
        }
        for at in 1..self.judged.len() {
            let is_weak =
                self.is_bare(at) || self.is_initial(at) || self.is_weak(at) && self.word(at).len() == 1;
            let behind = Some(at + 1).filter(|_| !is_break(self.gap(at + 1)));
            if self.goes(at - 1) && !self.is_apart(at, self.gap(at), behind) && is_weak {
                self.drop(at);
            }
        }
    }

    /// Whether what stands between a token and one that goes keeps them apart: the end of a line. A number behind a comma, or
    /// before one, may belong to the word on its `other` side: `segment 3, Doe`, but `Via Doe, 12`.
    fn is_apart(&self, at: usize, between: &str, other: Option<usize>) -> bool {
        let other = other.and_then(|other| self.judged.get(other)?.stays);
        let is_of_other = other.is_some_and(|sense| sense.is(Sense::SAYS));
        between.contains('\n') || is_break(between) && self.is_bare(at) && is_of_other
    }

    fn drop(&mut self, at: usize) {
        if let Some(judged) = self.judged.get_mut(at) {
            judged.stays = None;
        }
    }

    fn goes(&self, at: usize) -> bool {
        self.judged.get(at).is_some_and(|judged| judged.stays.is_none())
    }

    fn is_weak(&self, at: usize) -> bool {
        let sense = self.judged.get(at).and_then(|judged| judged.stays);
        sense.is_some_and(|sense| sense.is(Sense::PARTICLE) && !sense.is(Sense::SAYS.and(Sense::DENIES)))
    }

    fn is_bare(&self, at: usize) -> bool {
        self.judged
            .get(at)
            .is_some_and(|judged| judged.token.form == Form::Number && judged.stays == Some(BARE))
    }

    /// One letter or two with a point behind them: an initial, or a title. Some write titles without.
    fn is_initial(&self, at: usize) -> bool {
        let word = self.word(at);
        let is_short = word.chars().all(char::is_alphabetic) && word.chars().count() <= 2;
        let is_side = ["li", "re", "lt", "rt"].iter().any(|side| word.eq_ignore_ascii_case(side));
        is_short && !is_side && self.behind(at).starts_with('.') || matches!(word, "Dr" | "Mr" | "Ms")
    }

    fn is_number(&self, at: usize) -> bool {
        self.judged.get(at).is_some_and(|judged| judged.token.form == Form::Number)
    }

    fn is_unit(&self, at: usize) -> bool {
        let sense = self.judged.get(at).and_then(|judged| judged.stays);
        sense.is_some_and(|sense| sense.is(Sense::UNIT))
    }

    fn is_of_age(&self, at: usize) -> bool {
        let sense = self.judged.get(at).and_then(|judged| judged.stays);
        sense.is_some_and(|sense| sense.is(Sense::AGES))
    }

    /// Whether what stands before a number says what it is the quantity of: `TE 90`, `PTV_6000`, `b=1000`.
    fn is_counted(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.judged.get(before)?.stays);
        before.is_some_and(|sense| sense.is(Sense::COUNTS))
            && self.gap(at).len() <= 3
            && self.gap(at).bytes().all(|byte| b" _=:-".contains(&byte))
    }

    fn word(&self, at: usize) -> &str {
        self.judged.get(at).map_or("", |judged| self.slice(judged.token.start, judged.token.end))
    }

    /// What stands between a token and the one before it; nothing where one of them is not there.
    fn gap(&self, at: usize) -> &str {
        let before = at.checked_sub(1).and_then(|before| self.judged.get(before));
        before
            .zip(self.judged.get(at))
            .map_or("", |(before, one)| self.slice(before.token.end, one.token.start))
    }

    /// The text behind a token.
    fn behind(&self, at: usize) -> &str {
        self.judged.get(at).map_or("", |judged| self.slice(judged.token.end, self.text.len()))
    }

    fn slice(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }
}
