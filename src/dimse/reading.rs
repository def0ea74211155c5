//! Command sets as peers write them: read by their elements, and put right where there is one reading.

use std::fmt;
use std::ops::Range;

use super::table::{ELEMENTS, MESSAGES};
use super::value::{Vr, trim, trim_end};
use crate::vocabulary::{Tolerance, left_out};
use crate::wire::Malformed;

/// What a command set had that PS3.7 does not allow, and that left one reading all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerated {
    /// (0000,0000) was absent, or another length than that of the elements.
    GroupLength,
    /// Elements were not in the order of their tags.
    Order,
    /// A value was padded as its value representation does not allow, or not to an even length.
    Padding,
    /// An element was left out: the standard's list for this message does not have it, or its value is none of its
    /// value representation.
    LeftOut(u16, u16),
    /// More was left out than is told.
    MoreLeftOut,
}

/// Elements left out that are told one by one.
const MOST_TOLD: usize = 8;

/// The elements of group 0000 in their order, each once, and where their values are; [`Tolerated`] is what had to be
/// put right for it.
#[derive(Clone, Debug)]
pub(super) struct Elements {
    pub found: Vec<(u16, Range<usize>)>,
    pub tolerated: Vec<Tolerated>,
}

impl Elements {
    /// Reads a command set to its end.
    ///
    /// # Errors
    /// [`Malformed`] for an element that is cut off, and for one of group 0000 that comes twice.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        // Those of a C-STORE-RQ have nine.
        let mut elements = Self { found: Vec::with_capacity(12), tolerated: Vec::new() };
        let (mut at, mut length) = (0_usize, 0_usize);
        while at < bytes.len() {
            let (group, element, value) = element(bytes, at)?;
            if group == 0 {
                length += value.end - at;
                elements.found.push((element, value.clone()));
            } else {
                elements.leave_out(group, element);
            }
            at = value.end;
        }
        elements.put_in_order()?;
        elements.check_group_length(bytes, length);
        Ok(elements)
    }

    fn put_in_order(&mut self) -> Result<(), Malformed> {
        if !self.found.is_sorted_by_key(|(element, _)| *element) {
            self.found.sort_by_key(|(element, _)| *element);
            self.tolerated.push(Tolerated::Order);
        }
        let twice = self.found.iter().zip(self.found.iter().skip(1)).find(|(one, next)| one.0 == next.0);
        twice.map_or(Ok(()), |((element, _), _)| {
            Err(Malformed::invalid(format!("command set: (0000,{element:04X}) comes twice")))
        })
    }

    /// `length` is that of all elements of group 0000.
    fn check_group_length(&mut self, bytes: &[u8], length: usize) {
        let first = self.found.first().filter(|(element, _)| *element == 0);
        let declared = first.and_then(|(_, value)| bytes.get(value.clone())?.try_into().ok());
        let declared = declared.and_then(|value| usize::try_from(u32::from_le_bytes(value)).ok());
        if declared.is_none() || declared != length.checked_sub(12) {
            self.tolerated.push(Tolerated::GroupLength);
        }
    }

    /// Those that the list of the message with this command field has. Of a command field that PS3.7 does not know, all.
    pub(crate) fn listed_for(mut self, field: u16, bytes: &[u8]) -> Self {
        let Some((_, listed)) = MESSAGES.iter().find(|(message, _)| *message == field) else { return self };
        let Self { found, tolerated } = &mut self;
        found.retain(|(element, range)| {
            let value = bytes.get(range.clone()).unwrap_or_default();
            let vr = vr_of(*element).filter(|vr| listed.contains(element) && vr.holds(value, field));
            match vr {
                Some(vr) if !vr.is_well_padded(value) && !tolerated.contains(&Tolerated::Padding) => {
                    tolerated.push(Tolerated::Padding);
                }
                None if *element != 0 => tell(tolerated, 0, *element),
                _ => {}
            }
            vr.is_some()
        });
        self
    }

    fn leave_out(&mut self, group: u16, element: u16) {
        tell(&mut self.tolerated, group, element);
    }
}

fn tell(tolerated: &mut Vec<Tolerated>, group: u16, element: u16) {
    let told = tolerated.iter().filter(|told| matches!(told, Tolerated::LeftOut(..))).count();
    if told < MOST_TOLD {
        tolerated.push(Tolerated::LeftOut(group, element));
    } else if !tolerated.contains(&Tolerated::MoreLeftOut) {
        tolerated.push(Tolerated::MoreLeftOut);
    }
}

/// Group, element and value of the element at `at`.
fn element(bytes: &[u8], at: usize) -> Result<(u16, u16, Range<usize>), Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    let Some(&[g0, g1, e0, e1, l0, l1, l2, l3]) = rest.first_chunk::<8>() else {
        return Err(Malformed::invalid(format!("command set: {} stray bytes at its end", rest.len())));
    };
    let (group, element) = (u16::from_le_bytes([g0, g1]), u16::from_le_bytes([e0, e1]));
    let length = usize::try_from(u32::from_le_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
    let left = rest.len() - 8;
    if length > left {
        return Err(Malformed::invalid(format!(
            "command set: ({group:04X},{element:04X}) has {length} bytes, {left} are there"
        )));
    }
    Ok((group, element, at + 8..at + 8 + length))
}

/// How the value of an element is represented; `None` for one that PS3.7 does not know, or has retired.
pub(super) fn vr_of(element: u16) -> Option<Vr> {
    let place = ELEMENTS.binary_search_by_key(&element, |(known, _)| *known).ok()?;
    ELEMENTS.get(place).map(|(_, vr)| *vr)
}

/// The value as it is understood: without padding where that means nothing.
pub(super) fn understood(element: u16, value: &[u8]) -> &[u8] {
    match vr_of(element) {
        Some(Vr::UI | Vr::AE) => trim(value),
        Some(Vr::LO) => trim_end(value),
        Some(Vr::US | Vr::AT) | None => value,
    }
}

impl fmt::Display for Tolerated {
    /// Kebab-case, stable: what records carry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupLength => f.write_str(Tolerance::CommandGroupLength.label()),
            Self::Order => f.write_str(Tolerance::CommandOrder.label()),
            Self::Padding => f.write_str(Tolerance::CommandPadding.label()),
            Self::LeftOut(group, element) => f.write_str(&left_out(*group, *element)),
            Self::MoreLeftOut => f.write_str(Tolerance::CommandElementsMore.label()),
        }
    }
}
