//! One association, and who sees it. Whose it is becomes known on the way: until then, what is seen is kept.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::filter::Whose;
use super::queue::Trace;
use super::seen::{Node, Seen, Waited, What};

/// What is kept until it is known whose it is: a connection, a handshake, a request, and the PDU that ends it.
const MOST_KEPT: usize = 8;

/// Bytes of memory that something takes at least.
const LEAST_WEIGHT: usize = 512;

/// One association, for whoever traces it.
pub(crate) struct Witness {
    id: Arc<str>,
    /// Nobody wants it, or not any more.
    is_over: AtomicBool,
    state: Mutex<State>,
}

struct State {
    /// Those who see it, or until that is known, who may.
    traces: Vec<Arc<Trace>>,
    /// `None` once it is known.
    kept: Option<Vec<Arc<Seen>>>,
    /// When the last byte came, on either leg.
    heard: Option<Instant>,
    waited: Waited,
}

impl Witness {
    pub(super) fn new(id: Arc<str>, candidates: Vec<Arc<Trace>>) -> Self {
        let state =
            State { traces: candidates, kept: Some(Vec::new()), heard: None, waited: Waited::default() };
        Self { id, is_over: AtomicBool::new(false), state: Mutex::new(state) }
    }

    /// Whether nobody wants it, or not any more.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Relaxed)
    }

    /// It is known whose it is, or that nobody will know more than now. Only the first call counts.
    pub(crate) fn is_of(&self, whose: &Whose<'_>, calling: Option<&str>) {
        let mut state = self.state();
        let Some(kept) = state.kept.take() else { return };
        state.traces.retain(|trace| trace.filter.holds(whose, calling));
        kept.iter().for_each(|seen| state.tell(seen));
        self.look_for_readers(&mut state);
    }

    /// Tells everybody who sees it.
    pub(crate) fn tell(&self, what: What) {
        self.tell_of(what, 0);
    }

    /// The same of something that was read from so many bytes.
    pub(super) fn tell_of(&self, what: What, length: usize) {
        let weight = LEAST_WEIGHT.saturating_add(length.saturating_mul(4));
        let seen = Arc::new(Seen { at: Instant::now(), association: self.id.clone(), what, weight });
        let mut state = self.state();
        match &mut state.kept {
            Some(kept) if kept.len() < MOST_KEPT => kept.push(seen),
            Some(_) => {}
            None => state.tell(&seen),
        }
        self.look_for_readers(&mut state);
    }

    /// How it ended, with whom was waited for.
    pub(crate) fn ended(&self, ended: &'static str, explanation: String) {
        let waited_for = self.state().waited;
        self.tell(What::Ended { ended: ended.into(), explanation, waited_for });
    }

    fn look_for_readers(&self, state: &mut State) {
        state.traces.retain(|trace| !trace.is_over());
        if state.traces.is_empty() {
            state.kept = None;
            self.is_over.store(true, Relaxed);
        }
    }

    /// The upstream was connected to, which took so long.
    pub(crate) fn reached(&self, took: Duration) {
        self.waited(Node::Upstream, took);
        self.heard(Instant::now());
    }

    /// Bytes came on one of the legs.
    pub(super) fn heard(&self, now: Instant) {
        self.state().heard = Some(now);
    }

    /// How long it is since bytes came on either leg: it is dimsegate that something waits for.
    pub(super) fn since_heard(&self, now: Instant) -> Duration {
        self.state().heard.map_or(Duration::ZERO, |heard| now.saturating_duration_since(heard))
    }

    pub(super) fn waited(&self, node: Node, more: Duration) {
        self.state().waited.add(node, more);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn tell(&self, seen: &Arc<Seen>) {
        self.traces.iter().for_each(|trace| trace.tell(seen.clone()));
    }
}
