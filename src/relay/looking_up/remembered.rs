//! Studies that were within a scope a while ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use time::Date;

use crate::config::UpstreamSettings;
use crate::patients::Patient;
use crate::policy::scope::Conditions;
use crate::tls::ClientSettings;
use crate::wire::AeTitle;

/// Studies of one upstream. With one more, that is forgotten which would be the first to be.
const MOST: usize = 4096;

/// A study as somebody asked about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub conditions: Conditions,
    pub archive: Arc<Archive>,
    /// Else nobody asked whose it is.
    pub counts_patients: bool,
    /// Calling and called: an archive may tell some what it does not tell others.
    pub titles: [AeTitle; 2],
    /// Whom the archive was told of.
    pub user: Option<Arc<str>>,
    /// What was new enough yesterday may be too old today.
    pub today: Date,
    pub study: Box<str>,
}

/// Which archive it was: after a reload another one may have the upstream's name, and what asks the old one still asks that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::relay) struct Archive {
    pub addresses: Vec<String>,
    pub tls: Option<ClientSettings>,
}

impl Archive {
    pub(in crate::relay) fn of(upstream: &UpstreamSettings) -> Self {
        let tls = upstream.tls.as_ref().map(|tls| tls.settings.clone());
        Self { addresses: upstream.addresses.clone(), tls }
    }
}

/// By the name of their upstream.
#[derive(Default)]
pub(super) struct Remembered(Mutex<HashMap<Arc<str>, Studies>>);

/// Until when each is remembered, and whose it is.
type Studies = HashMap<Key, (Instant, Patient)>;

impl Remembered {
    /// Whose a study is that was inside.
    pub(super) fn whose(&self, upstream: &Arc<str>, key: &Key, now: Instant) -> Option<Patient> {
        let known = self.known();
        let (until, patient) = known.get(upstream)?.get(key)?;
        (now < *until).then_some(*patient)
    }

    pub(super) fn note(
        &self,
        upstream: &Arc<str>,
        (key, patient): (Key, Patient),
        lasts: Duration,
        now: Instant,
    ) {
        let Some(until) = now.checked_add(lasts).filter(|until| *until > now) else { return };
        let mut known = self.known();
        if !known.contains_key(upstream) {
            // A reload may bring new names, and leave old ones behind.
            known.retain(|_, studies| studies.values().any(|(until, _)| now < *until));
        }
        let studies = known.entry(upstream.clone()).or_default();
        if studies.len() >= MOST && !studies.contains_key(&key) {
            make_room(studies, now);
        }
        studies.insert(key, (until, patient));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, Studies>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forgets those whose time is over, or the one whose time is the first to be.
fn make_room(studies: &mut Studies, now: Instant) {
    studies.retain(|_, (until, _)| now < *until);
    if studies.len() < MOST {
        return;
    }
    let first = studies.iter().min_by_key(|(_, (until, _))| *until).map(|(key, _)| key.clone());
    if let Some(first) = first {
        studies.remove(&first);
    }
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;
    use crate::policy::scope::{Attribute, Condition};

    impl Remembered {
        fn has(&self, upstream: &Arc<str>, key: &Key, now: Instant) -> bool {
            self.whose(upstream, key, now) == Some(whose(&key.study))
        }

        fn noted(&self, upstream: &Arc<str>, key: Key, lasts: Duration, now: Instant) {
            let patient = whose(&key.study);
            self.note(upstream, (key, patient), lasts, now);
        }
    }

    fn whose(study: &str) -> Patient {
        Patient::of("pacs", None, None, Some(study.as_bytes())).unwrap()
    }

    const LASTS: Duration = Duration::from_secs(300);

    fn archive(addresses: &[&str]) -> Arc<Archive> {
        let addresses = addresses.iter().map(|&address| address.to_owned()).collect();
        Arc::new(Archive { addresses, tls: None })
    }

    fn key(study: &str) -> Key {
        let lyon = Condition::one_of(Attribute::IssuerOfPatientId, vec!["LYON".into()]);
        Key {
            conditions: vec![lyon].into(),
            archive: archive(&["10.0.0.5:104"]),
            counts_patients: false,
            titles: ["READER", "PACS"].map(|title| title.parse().unwrap()),
            user: Some("anna".into()),
            today: date!(2026 - 01 - 01),
            study: study.into(),
        }
    }

    fn pacs() -> Arc<str> {
        "pacs".into()
    }

    #[test]
    fn a_study_is_known_to_be_inside_until_its_time_is_over() {
        let (remembered, now) = (Remembered::default(), Instant::now());
        assert!(!remembered.has(&pacs(), &key("1.2"), now));
        remembered.noted(&pacs(), key("1.2"), LASTS, now);
        let has = |after: Duration| remembered.has(&pacs(), &key("1.2"), now + after);
        assert!(has(Duration::ZERO) && has(LASTS - Duration::from_nanos(1)));
        assert!(!has(LASTS) && !has(LASTS * 2));
        remembered.noted(&pacs(), key("1.3"), Duration::ZERO, now);
        assert!(!remembered.has(&pacs(), &key("1.3"), now), "it is not to be remembered");
        remembered.noted(&pacs(), key("1.2"), LASTS, now + LASTS);
        assert!(has(LASTS), "it was looked up again");
    }

    #[test]
    fn what_was_asked_otherwise_says_nothing_of_a_study() {
        let (remembered, now) = (Remembered::default(), Instant::now());
        remembered.noted(&pacs(), key("1.2"), LASTS, now);
        let titles = |titles: [&str; 2]| titles.map(|title| title.parse().unwrap());
        let paris = Condition::one_of(Attribute::IssuerOfPatientId, vec!["PARIS".into()]);
        for other in [
            Key { today: date!(2026 - 01 - 02), ..key("1.2") },
            Key { titles: titles(["OTHER", "PACS"]), ..key("1.2") },
            Key { titles: titles(["READER", "OTHER"]), ..key("1.2") },
            Key { user: Some("bert".into()), ..key("1.2") },
            Key { user: None, ..key("1.2") },
            Key { counts_patients: true, ..key("1.2") },
            Key { conditions: vec![paris].into(), ..key("1.2") },
            Key { archive: archive(&["10.0.0.6:104"]), ..key("1.2") },
            key("1.2.1"),
        ] {
            assert!(!remembered.has(&pacs(), &other, now), "{other:?}");
        }
        assert!(!remembered.has(&"other".into(), &key("1.2"), now));
    }

    #[test]
    fn after_a_reload_both_know_what_they_asked_and_not_what_another_archive_said() {
        let (remembered, now) = (Remembered::default(), Instant::now());
        let moved = |study| Key { archive: archive(&["10.0.0.6:104", "10.0.0.5:104"]), ..key(study) };
        // The settings are others after each reload, whatever they say.
        for key in [key("1.2"), moved("1.3"), key("1.4"), moved("1.5")] {
            remembered.noted(&pacs(), key, LASTS, now);
        }
        for (key, is_known) in [
            (key("1.2"), true),
            (key("1.4"), true),
            (moved("1.3"), true),
            (moved("1.5"), true),
            (moved("1.2"), false),
            (key("1.3"), false),
        ] {
            assert_eq!(remembered.has(&pacs(), &key, now), is_known, "{key:?}");
        }
    }

    #[test]
    fn beyond_the_most_those_are_forgotten_that_would_be_next() {
        let (remembered, began) = (Remembered::default(), Instant::now());
        let at = |number: usize| began + Duration::from_millis(number as u64);
        let study = |number: usize| key(&format!("1.2.{number}"));
        for number in 0..MOST + 3 {
            remembered.noted(&pacs(), study(number), LASTS, at(number));
        }
        // One that is noted again takes no room of another.
        remembered.noted(&pacs(), study(MOST), LASTS, at(MOST + 3));
        let now = at(MOST + 3);
        let forgotten: Vec<usize> =
            (0..MOST + 3).filter(|number| !remembered.has(&pacs(), &study(*number), now)).collect();
        assert_eq!(forgotten, [0, 1, 2]);
        let held = |remembered: &Remembered| remembered.known().values().map(HashMap::len).sum::<usize>();
        assert_eq!(held(&remembered), MOST);
        remembered.noted(&pacs(), key("1.3"), LASTS, now + LASTS);
        assert_eq!(held(&remembered), 1, "what is over is in nobody's way");
        remembered.noted(&"other".into(), key("1.3"), LASTS, now + LASTS * 3);
        assert_eq!(held(&remembered), 1, "and a name that nobody asks about any more is not kept");
    }
}
