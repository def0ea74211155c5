//! Headers that the input ends inside, kept until the rest of them comes.

use super::{Event, Frame, Holds, Kind, Raw, Scanner};
use crate::dataset::header::{Head, LONG_HEAD, SHORT_HEAD, begins_with_item};

impl Scanner {
    /// What the last event had of the carry is no longer needed.
    #[inline]
    pub(super) fn forget_spent(&mut self) {
        if self.spent > 0 {
            self.carry.copy_within(self.spent..self.carried, 0);
            self.carried -= self.spent;
            self.spent = 0;
        }
    }

    /// The bytes of a value that had to be seen before it could be called one.
    pub(super) fn carried_value(&mut self) -> Option<Event> {
        if self.carried == 0 {
            return None;
        }
        // Lengths of which these bytes are a part are longer.
        self.spent = self.carried;
        self.rest = self.rest.saturating_sub(self.spent as u32);
        self.position = self.position.saturating_add(self.spent as u64);
        Some(Event { kind: Kind::Value { rest: self.rest }, raw: Raw::Carried })
    }

    /// A whole header, whether items follow where that has to be seen, and where it is; `None` when the input ends first.
    pub(super) fn head(&mut self, frame: &Frame, input: &[u8], at: &mut usize) -> Option<(Head, bool, Raw)> {
        let (syntax, is_element) = (frame.syntax, frame.holds == Holds::Elements);
        let rest = input.get(*at..).unwrap_or_default();
        if self.carried == 0
            && let Some(head) = Head::read(syntax, is_element, rest)
            && let head = self.spelled(syntax, is_element, head, rest)
            && let Some(value) = rest.get(head.size..)
            && let deciding = head.deciding()
            && value.len() >= deciding
        {
            let items = deciding > 0 && begins_with_item(syntax, value);
            let start = *at;
            *at = start + head.size;
            return Some((head, items, Raw::Input(start..*at)));
        }
        loop {
            let (want, head) = match Head::read(syntax, is_element, self.held()) {
                None if self.carried < SHORT_HEAD => (SHORT_HEAD, None),
                None => (LONG_HEAD, None),
                Some(head) => {
                    let (held, carried) = (self.carry, self.carried);
                    let held = held.get(..carried).unwrap_or_default();
                    let head = self.spelled(syntax, is_element, head, held);
                    (head.size + head.deciding(), Some(head))
                }
            };
            match head {
                Some(head) if self.carried >= want => {
                    let value = self.held().get(head.size..).unwrap_or_default();
                    let items = !value.is_empty() && begins_with_item(syntax, value);
                    return Some((head, items, Raw::Carried));
                }
                _ => self.carry_more(input, at, want),
            }
            if self.carried < want {
                return None;
            }
        }
    }

    fn carry_more(&mut self, input: &[u8], at: &mut usize, want: usize) {
        let rest = input.get(*at..).unwrap_or_default();
        let taken = want.saturating_sub(self.carried).min(rest.len());
        let end = self.carried + taken;
        if let (Some(to), Some(from)) = (self.carry.get_mut(self.carried..end), rest.get(..taken)) {
            to.copy_from_slice(from);
            self.carried = end;
            *at += taken;
        }
    }
}
