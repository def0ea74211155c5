//! Streams of events, which keep their connection for as long as somebody looks on: few, so that there are places for others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At once: of all, and of one user.
const MOST: usize = 8;
const MOST_OF_USER: usize = 2;

/// How many there are of whom.
#[derive(Clone, Default)]
pub(super) struct Streams {
    open: Arc<Mutex<BTreeMap<String, usize>>>,
}

/// One of them, which is free again once this is dropped.
pub(super) struct Stream {
    streams: Streams,
    user: String,
}

impl Streams {
    /// One more of a user.
    ///
    /// # Errors
    /// There are as many as may be; of whom, in words.
    pub(super) fn begin(&self, user: &str) -> Result<Stream, String> {
        let mut open = self.open();
        if open.get(user).is_some_and(|count| *count >= MOST_OF_USER) {
            return Err(format!("{user} looks on {MOST_OF_USER} times already; end one of them first"));
        }
        if open.values().sum::<usize>() >= MOST {
            return Err(format!("records are looked at {MOST} times already; wait until one of them ends"));
        }
        *open.entry(user.to_owned()).or_default() += 1;
        Ok(Stream { streams: self.clone(), user: user.to_owned() })
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        match open.get_mut(&self.user) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(open.remove(&self.user)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Streams;

    #[test]
    fn a_user_looks_on_twice_and_all_eight_times_until_one_ends() {
        let streams = Streams::default();
        let begin = |user: &str| streams.begin(user);
        let mut open: Vec<_> = ["a", "a", "b", "b", "c", "c", "d"].map(|user| begin(user).unwrap()).into();
        assert!(begin("a").is_err_and(|why| why.starts_with("a looks on 2 times")));
        open.push(begin("e").unwrap());
        assert!(begin("f").is_err_and(|why| why.contains("8 times")));
        open.remove(0);
        open.push(begin("a").unwrap());
        assert!(begin("a").is_err());
        drop(open);
        assert!(streams.open().is_empty());
    }
}
