//! What an association may do: what its peer and its user both may, and the agreement by which it is open.

use std::sync::Arc;

use super::query::looks;
use super::{Agreement, Allowed, Denial, Direction, Operation, Request, Role, Sought};
use crate::wire::Uid;

/// The role of a peer and, where a user is proven, those of the user. Something is permitted where the peer's role permits it
/// and one of the user's does.
#[derive(Clone, Debug)]
pub struct Rights {
    peer: Arc<Role>,
    /// `None`: no user is proven, the peer alone decides.
    user: Option<Arc<[Arc<Role>]>>,
    /// By which data may travel; `None`: its route needs none.
    agreement: Option<Arc<Agreement>>,
}

/// The roles that have one abstract syntax. It is looked up once for each presentation context, and not for each of its
/// transfer syntaxes.
pub(super) struct OfClass<'r> {
    peer: &'r Role,
    user: Option<Vec<&'r Arc<Role>>>,
    agreement: Option<&'r Role>,
}

impl OfClass<'_> {
    /// Whether a presentation context may be offered with this transfer syntax.
    pub(super) fn permits(&self, transfer_syntax: &Uid) -> bool {
        let has = |role: &Role| role.transfer_syntaxes.contains(transfer_syntax);
        has(self.peer)
            && self.user.as_ref().is_none_or(|roles| roles.iter().any(|role| has(role)))
            && self.agreement.is_none_or(has)
    }
}

impl Rights {
    /// Of a peer without a user.
    pub fn of_peer(role: Arc<Role>) -> Self {
        Self { peer: role, user: None, agreement: None }
    }

    /// Of a user that comes through a peer.
    pub fn of_both(peer: Arc<Role>, user: Vec<Arc<Role>>) -> Self {
        Self { peer, user: Some(user.into()), agreement: None }
    }

    /// No more than an agreement is about.
    #[must_use]
    pub(super) fn under(self, agreement: Option<Arc<Agreement>>) -> Self {
        Self { agreement, ..self }
    }

    /// The agreement by which data may travel, where the route needs one.
    pub fn agreement(&self) -> Option<&Arc<Agreement>> {
        self.agreement.as_ref()
    }

    /// The names of the roles, that of the peer first, such as `"modality"` or `"modality" and "reader" of the user`.
    pub fn named(&self) -> String {
        let of_user = self.user.iter().flat_map(|roles| roles.iter());
        let of_user: Vec<String> = of_user.map(|role| format!("\"{}\"", role.name)).collect();
        match of_user.as_slice() {
            [] => format!("\"{}\"", self.peer.name),
            names => format!("\"{}\" and {} of the user", self.peer.name, names.join(", ")),
        }
    }

    /// Every role that it was made of, that of the peer first.
    pub fn roles(&self) -> impl Iterator<Item = &Arc<Role>> {
        std::iter::once(&self.peer).chain(self.user.iter().flat_map(|roles| roles.iter()))
    }

    /// Whether all that the other rights permit on an open association, these do too. Never true by mistake.
    pub fn covers(&self, other: &Self) -> bool {
        let covered = |narrow: &Arc<Role>| match &self.user {
            Some(roles) => roles.iter().any(|wide| wide.covers(narrow)),
            None => true,
        };
        let wide = self.agreement.as_ref().is_none_or(|wide| {
            let narrow = other.agreement.as_ref().map_or(&other.peer, |narrow| &narrow.allows);
            wide.allows.covers(narrow)
        });
        wide && self.peer.covers(&other.peer)
            && match &other.user {
                Some(roles) => roles.iter().all(covered),
                None => covered(&other.peer),
            }
    }

    /// The roles of the user, where one is proven.
    pub fn of_user(&self) -> Option<&[Arc<Role>]> {
        self.user.as_deref()
    }

    /// As [`Role::permits_request`].
    ///
    /// # Errors
    /// The peer's [`Denial`], else that of the user's last role.
    pub fn permits_request(&self, request: &Request<'_>) -> Result<(), Denial> {
        self.peer.permits_request(request)?;
        self.agreement.as_ref().map_or(Ok(()), |agreement| agreement.allows.permits_request(request))?;
        let Some(roles) = &self.user else { return Ok(()) };
        let mut denied = Denial::Operation;
        for role in roles.iter() {
            match role.permits_request(request) {
                Ok(()) => return Ok(()),
                Err(denial) => denied = denial,
            }
        }
        Err(denied)
    }

    /// Whether the identifiers of an operation have to be read, for it to be judged.
    pub fn reads_identifiers(&self, operation: Operation) -> bool {
        looks(operation) && self.roles().any(|role| role.queries.reads_identifiers())
    }

    /// Whether something is said of queries and retrievals, be it of how many there may be.
    pub fn says_of_queries(&self) -> bool {
        self.roles().any(|role| role.queries != Default::default())
    }

    /// Whether it is counted of some operation how many patients it shows; [`counts_patients_of`](Self::counts_patients_of) says of
    /// which.
    pub fn counts_patients(&self) -> bool {
        self.roles().any(|role| role.counts_patients())
    }

    /// Whether a request may only pass where it can be counted whom it shows: the peer's role counts, or one of the user's by
    /// which it may pass, and none of those lets it pass uncounted, whatever its identifier says.
    pub fn counts_patients_of(&self, request: &Request<'_>) -> bool {
        let reads = |role: &Role| looks(request.operation) && role.queries.reads_identifiers();
        let roles = self.user.iter().flat_map(|roles| roles.iter());
        let (counting, free): (Vec<_>, Vec<_>) = roles
            .filter(|role| role.permits_request(request).is_ok())
            .partition(|role| role.counts_patients());
        self.peer.counts_patients() || !counting.is_empty() && free.into_iter().all(|role| reads(role))
    }

    /// Of a query or retrieval that has been read, what is allowed of it. What a role of the user hides or limits counts as long
    /// as no other role by which the query may pass allows more.
    ///
    /// # Errors
    /// The peer's [`Denial`], else that of the user's last role.
    pub fn permits_query(&self, request: &Request<'_>, sought: &Sought) -> Result<Allowed, Denial> {
        self.peer.permits_query(request, sought)?;
        self.agreement.as_ref().map_or(Ok(()), |agreement| agreement.allows.permits_request(request))?;
        let Some(roles) = &self.user else { return Ok(Allowed::of(&self.peer, None)) };
        let (mut permitting, mut denied) = (Vec::new(), Denial::Operation);
        for role in roles.iter() {
            match role.permits_query(request, sought) {
                Ok(()) => permitting.push(Arc::clone(role)),
                Err(denial) => denied = denial,
            }
        }
        if permitting.is_empty() { Err(denied) } else { Ok(Allowed::of(&self.peer, Some(permitting))) }
    }

    /// As [`Role::permits_operation`].
    pub fn permits_operation(&self, operation: Operation, direction: Direction) -> bool {
        self.allow(|role| role.permits_operation(operation, direction))
    }

    /// Those that are listed for the peer and for the user.
    pub fn operations(&self) -> Vec<Operation> {
        let listed = self.peer.operations.iter().copied();
        listed.filter(|operation| self.allow(|role| role.operations.contains(operation))).collect()
    }

    /// What may be offered of presentation contexts with this abstract syntax; `None` is nothing.
    pub(super) fn of_class(&self, class: &Uid) -> Option<OfClass<'_>> {
        let agreement = self.agreement.as_ref().map(|agreement| &*agreement.allows);
        if !self.peer.sop_classes.contains(class)
            || agreement.is_some_and(|role| !role.sop_classes.contains(class))
        {
            return None;
        }
        let has = |role: &&Arc<Role>| role.sop_classes.contains(class);
        let user: Option<Vec<&Arc<Role>>> =
            self.user.as_ref().map(|roles| roles.iter().filter(has).collect());
        user.as_ref().is_none_or(|roles| !roles.is_empty()).then_some(OfClass {
            peer: &self.peer,
            user,
            agreement,
        })
    }

    fn allow(&self, permits: impl Fn(&Role) -> bool) -> bool {
        let of_user = |roles: &Arc<[Arc<Role>]>| roles.iter().any(|role| permits(role));
        permits(&self.peer)
            && self.user.as_ref().is_none_or(of_user)
            && self.agreement.as_ref().is_none_or(|agreement| permits(&agreement.allows))
    }
}
