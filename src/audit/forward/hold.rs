//! Which files of the trail still have to be there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use time::Date;

/// Tells whoever closes and deletes files which is the earliest day that a destination may still read.
#[derive(Clone)]
pub(super) struct Hold {
    days: Arc<Mutex<BTreeMap<Arc<str>, Date>>>,
    told: Arc<dyn Fn(Option<Date>) + Send + Sync>,
}

impl Hold {
    pub(super) fn new(told: impl Fn(Option<Date>) + Send + Sync + 'static) -> Self {
        Self { days: Arc::default(), told: Arc::new(told) }
    }

    pub(super) fn needs(&self, name: &Arc<str>, day: Date) {
        self.change(|days| days.insert(name.clone(), day));
    }

    pub(super) fn needs_nothing(&self, name: &Arc<str>) {
        self.change(|days| days.remove(name));
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<Arc<str>, Date>) -> Option<Date>) {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let before = days.values().min().copied();
        change(&mut days);
        let after = days.values().min().copied();
        if before != after || days.is_empty() {
            (self.told)(after);
        }
    }
}
