//! What became of each presentation context of an open association: what was proposed, what both sides answered, and who may
//! do what (PS3.8 §9.3.2.2 and §9.3.3.2, PS3.7 D.3.3.4).
//!
//! It is kept for as long as the association is open, and so it is small, whatever was proposed: transfer syntaxes are named by
//! their place in one list, and those beyond the list are counted.

use std::collections::HashMap;

use crate::wire::Uid;
use crate::wire::associate::{AssociateAc, AssociateRq, ContextResult, ProposedContext, RoleSelection};

/// Transfer syntaxes that are kept of an association, each once. PS3.6 has some 60, of which nobody proposes all.
const MOST_SYNTAXES: usize = 64;

/// The presentation contexts of an association, in the order of the request.
#[derive(Default)]
pub(crate) struct Contexts {
    syntaxes: Box<[Uid]>,
    all: Box<[Context]>,
}

/// A presentation context as it was proposed and as each side answered.
pub(crate) struct Context {
    /// Odd, 1 to 255.
    pub id: u8,
    pub abstract_syntax: Uid,
    /// Places in the list of transfer syntaxes.
    proposed: Box<[u8]>,
    /// Transfer syntaxes that were proposed, and found no room in the list.
    pub left_out: u32,
    pub upstream: OfUpstream,
    /// What the requestor was answered.
    pub requestor: ContextResult,
    /// Of a context that was accepted.
    pub transfer_syntax: Option<Uid>,
    /// Where any were proposed for the SOP class; otherwise the requestor is SCU.
    pub roles: Option<Roles>,
}

/// What the upstream said of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfUpstream {
    /// It was not asked: the role of the peer does not allow the context.
    NotOffered,
    /// It was asked, and its answer has nothing about the context.
    NotAnswered,
    Answered(ContextResult),
}

/// The SCP/SCU roles that the requestor proposed for a SOP class, and the answer (PS3.7 D.3.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roles {
    pub proposed: Role,
    /// As it was answered; `None` where nothing was, so that the requestor is SCU.
    pub answered: Option<Role>,
}

/// What somebody may be of a SOP class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    pub scu: bool,
    pub scp: bool,
}

impl From<&RoleSelection> for Role {
    fn from(role: &RoleSelection) -> Self {
        Self { scu: role.scu != 0, scp: role.scp != 0 }
    }
}

impl Contexts {
    /// What was asked for (`requested`) and went on (`offered`), and what came back (`answered`) and went on (`answer`).
    pub(crate) fn of<'r>(
        [requested, offered]: [&'r AssociateRq; 2],
        [answered, answer]: [&AssociateAc; 2],
    ) -> Self {
        let mut list = List::default();
        let context = |proposed: &'r ProposedContext| {
            let of_answer =
                |answer: &AssociateAc| answer.contexts.iter().find(|one| one.id == proposed.id).cloned();
            let got = of_answer(answer)?;
            let was_offered = offered.contexts.iter().any(|one| one.id == proposed.id);
            let (places, left_out) = list.places(&proposed.transfer_syntaxes);
            Some(Context {
                id: proposed.id,
                abstract_syntax: proposed.abstract_syntax.clone(),
                proposed: places,
                left_out,
                upstream: match of_answer(answered) {
                    _ if !was_offered => OfUpstream::NotOffered,
                    Some(said) => OfUpstream::Answered(said.result),
                    None => OfUpstream::NotAnswered,
                },
                requestor: got.result,
                transfer_syntax: got.transfer_syntax.filter(|_| got.result == ContextResult::Acceptance),
                roles: roles(&proposed.abstract_syntax, requested, answer),
            })
        };
        let all = requested.contexts.iter().filter_map(context).collect();
        Self { syntaxes: list.syntaxes.into(), all }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Context> {
        self.all.iter()
    }

    /// The transfer syntaxes that were proposed for one of them, in the order of the request.
    pub(crate) fn proposed(&self, context: &Context) -> impl Iterator<Item = &Uid> {
        context.proposed.iter().filter_map(|place| self.syntaxes.get(usize::from(*place)))
    }
}

fn roles(class: &Uid, requested: &AssociateRq, answer: &AssociateAc) -> Option<Roles> {
    let of = |roles: &[RoleSelection]| roles.iter().find(|role| role.sop_class == *class).map(Role::from);
    Some(Roles { proposed: of(&requested.user.roles)?, answered: of(&answer.user.roles) })
}

/// Transfer syntaxes, each once.
#[derive(Default)]
struct List<'r> {
    syntaxes: Vec<Uid>,
    known: HashMap<&'r Uid, u8>,
}

impl<'r> List<'r> {
    /// Where these are in the list, and how many found no room in it.
    fn places(&mut self, proposed: &'r [Uid]) -> (Box<[u8]>, u32) {
        let mut places = Vec::new();
        let mut left_out = 0_u32;
        for syntax in proposed {
            match self.place(syntax) {
                // Whoever proposes one again and again proposes it once.
                Some(place) if places.contains(&place) => {}
                Some(place) => places.push(place),
                None => left_out = left_out.saturating_add(1),
            }
        }
        (places.into(), left_out)
    }

    fn place(&mut self, syntax: &'r Uid) -> Option<u8> {
        if let Some(place) = self.known.get(syntax) {
            return Some(*place);
        }
        let place =
            u8::try_from(self.syntaxes.len()).ok().filter(|place| usize::from(*place) < MOST_SYNTAXES)?;
        self.known.insert(syntax, place);
        self.syntaxes.push(syntax.clone());
        Some(place)
    }
}

#[cfg(test)]
mod tests;
