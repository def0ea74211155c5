//! Names that no record ever had: a condition that nothing met may have been meant otherwise.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::super::values;
use super::arguments::{Args, pattern};
use crate::audit::reading::{Filter, Pattern, RecordFile, records};
use crate::audit::record::{Fault, Record};

impl Args {
    /// What is wrong with a name that no record ever had, where nothing was found.
    pub(super) fn misspelt(&self, files: &[RecordFile], found: usize) -> Option<String> {
        type Named = fn(&Record) -> Option<String>;
        let events: Vec<Option<Pattern>> = self.event.iter().map(|event| Some(pattern(event))).collect();
        let mut asked: Vec<(&str, &Option<Pattern>, Named)> = vec![
            ("peer", &self.peer, |record| own(record.peer())),
            ("calling AE title", &self.calling, |record| own(record.calling_ae_title())),
            ("called AE title", &self.called, |record| own(record.called_ae_title())),
            ("listener", &self.listener, |record| own(record.listener())),
            ("upstream", &self.upstream, |record| own(record.upstream().map(|one| one.name.as_str()))),
            ("cipher suite", &self.cipher, |record| own(record.tls().map(|tls| tls.cipher.as_ref()))),
            ("fault", &self.fault, |record| {
                own(record.operation().and_then(|one| one.fault.as_deref()).map(fault))
            }),
            ("reason", &self.reason, |record| record.label().map(str::to_owned)),
        ];
        asked.extend(
            events.iter().map(|event| ("event", event, (|record| own(Some(record.event.name()))) as Named)),
        );
        asked.retain(|(_, wanted, _)| wanted.is_some());
        if found > 0 || asked.is_empty() {
            return None;
        }
        let mut known: Vec<HashSet<String>> =
            asked.iter().map(|(what, ..)| values::always(what).map(str::to_owned).collect()).collect();
        records(files, &Filter::default(), |record| {
            for (seen, (_, _, named)) in known.iter_mut().zip(&asked) {
                seen.extend(named(&record));
            }
            ControlFlow::Continue(())
        });
        asked.iter().zip(&known).find_map(|((what, wanted, _), seen)| {
            // Where nobody has come yet, any name may be right.
            let unheard =
                |wanted: &&Pattern| !seen.is_empty() && !seen.iter().any(|name| wanted.matches(name));
            let wanted = wanted.as_ref().filter(unheard)?;
            let mut seen: Vec<&str> = seen.iter().map(String::as_str).collect();
            seen.sort_unstable();
            Some(values::unknown(what, &wanted.to_string(), &seen))
        })
    }
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// The element, or what is wrong where no element is named.
fn fault(fault: &Fault) -> &str {
    fault.element.as_deref().unwrap_or(&fault.problem)
}
