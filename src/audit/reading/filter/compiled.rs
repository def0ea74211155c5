//! A filter over lines: most of them are dismissed by a search for bytes, before any JSON is parsed.

use std::collections::HashSet;

use memchr::memmem::Finder;

use super::super::{Pattern, Verdict, stamp};
use super::{Filter, OPERATION, Wanted};
use crate::audit::record::{Outcome, Record, association_of_operation};

/// `{"time":"2026-03-01T00:00:00.000000Z","event":"`
const TIME: &[u8] = br#"{"time":""#;
const TIME_LENGTH: usize = 27;
const CLOSED: &[u8] = b"association-closed";
const EVENT: &[u8] = br#"","event":""#;

/// A filter made ready for many lines.
pub(in super::super) struct Compiled<'f> {
    filter: &'f Filter,
    from: Option<String>,
    to: Option<String>,
    /// Bytes that every line holds that can match.
    needles: Vec<Finder<'static>>,
    /// The same for lines other than operations, which have not what only their association says.
    association_needles: Vec<Finder<'static>>,
    /// The associations whose operations are asked for.
    associations: Option<HashSet<String>>,
    success: Success,
}

/// What lines hold that tell of a success. A quotation mark inside a value has a backslash before it, so that none of
/// these can stand in one.
struct Success {
    status: Finder<'static>,
    reason: Finder<'static>,
    released: Finder<'static>,
}

impl Success {
    fn new() -> Self {
        let finder = |text: &str| Finder::new(text).into_owned();
        Self {
            status: finder(r#","status":"0x0000","#),
            reason: finder(r#","reason":"#),
            released: finder(r#","ended":"released","#),
        }
    }

    /// Whether no more than the bytes is needed to know.
    fn says(&self, event: &[u8], line: &[u8]) -> bool {
        match event {
            b"operation" => self.status.find(line).is_some() && self.reason.find(line).is_none(),
            b"association-opened" => true,
            CLOSED => self.released.find(line).is_some(),
            _ => false,
        }
    }
}

impl<'f> Compiled<'f> {
    pub(crate) fn new(filter: &'f Filter, associations: Option<HashSet<String>>) -> Self {
        let finder = |needle: String| Finder::new(&needle).into_owned();
        let of_operation = filter.of_operation.needed().filter_map(Pattern::needle);
        let reason = filter
            .reason
            .as_ref()
            .and_then(Pattern::needle)
            .map(|needle| needle.trim_matches('"').to_owned());
        let association =
            filter.association.as_ref().map(|id| format!("\"{id}\"")).filter(|id| !id.contains('\\'));
        // Plain TCP is the absence of a version, and nothing can be searched for.
        let plain: Option<Pattern> = "plain".parse().ok();
        let of_association = filter.of_association.patterns().into_iter().flatten();
        let of_association = of_association.filter(|pattern| Some(*pattern) != plain.as_ref());
        Self {
            filter,
            from: filter.from.map(stamp),
            to: filter.to.map(stamp),
            needles: of_operation.chain(reason).chain(association).map(finder).collect(),
            association_needles: of_association.filter_map(Pattern::needle).map(finder).collect(),
            associations,
            success: Success::new(),
        }
    }

    /// What becomes of a line; `keep` is asked only for one that matches.
    pub(crate) fn judge<T>(&self, line: &[u8], keep: impl FnOnce(&[u8], Record) -> T) -> Verdict<T> {
        if self.dismisses(line) {
            return Verdict::Pass;
        }
        match Record::read(line) {
            Err(error) => Verdict::Damaged(error.to_string()),
            Ok(record) if self.matches(&record) => Verdict::Keep(keep(line, record)),
            Ok(_) => Verdict::Pass,
        }
    }

    /// Without parsing: whether the line cannot match.
    fn dismisses(&self, line: &[u8]) -> bool {
        let head = head(line);
        if let Some((time, event)) = head {
            let early = self.from.as_ref().is_some_and(|from| time < from.as_bytes());
            let late = self.to.as_ref().is_some_and(|to| time >= to.as_bytes());
            let other = !self.filter.events.is_empty()
                && !self.filter.events.iter().any(|wanted| wanted.as_bytes() == event);
            let apart = self.filter.hours.zip(hour(time)).is_some_and(|(hours, hour)| !hours.holds(hour));
            if early || late || other || apart || self.turned_out_otherwise(event, line) {
                return true;
            }
        }
        if self.is_of_another_association(line) {
            return true;
        }
        let is_operation = head.is_none_or(|(_, event)| event == OPERATION.as_bytes());
        let lacks = |needles: &[Finder]| needles.iter().any(|needle| needle.find(line).is_none());
        lacks(&self.needles) || (!is_operation && lacks(&self.association_needles))
    }

    /// Whether it is an operation, and the bytes alone say that its association is none of those that are asked for.
    fn is_of_another_association(&self, line: &[u8]) -> bool {
        let (asked, one) = (&self.associations, self.filter.association.as_deref());
        let is_asked_for =
            |id: &str| asked.as_ref().is_none_or(|ids| ids.contains(id)) && one.is_none_or(|one| one == id);
        (asked.is_some() || one.is_some())
            && association_of_operation(line).is_some_and(|id| !is_asked_for(id))
    }

    /// Whether failures are asked for, or endings, and the bytes alone say that this is none.
    fn turned_out_otherwise(&self, event: &[u8], line: &[u8]) -> bool {
        match &self.filter.outcome {
            None | Some(Wanted::Outcome(Outcome::Success)) => false,
            Some(Wanted::Outcome(_)) => self.success.says(event, line),
            Some(Wanted::Ended(_)) => event != CLOSED,
        }
    }

    fn matches(&self, record: &Record) -> bool {
        let filter = self.filter;
        self.in_time(record)
            && (filter.events.is_empty() || filter.events.iter().any(|event| *event == record.event.name()))
            && filter.association.as_ref().is_none_or(|id| record.association() == Some(id))
            && self.turned_out(record)
            && filter.reason.as_ref().is_none_or(|wanted| {
                record.label().is_some_and(|label| wanted.matches(label))
                    || record.reason().is_some_and(|reason| wanted.matches(reason))
            })
            && self.of_association(record)
            && filter.of_operation.holds(record)
    }

    fn in_time(&self, record: &Record) -> bool {
        let at = record.at();
        self.filter.from.is_none_or(|from| at.is_some_and(|at| at >= from))
            && self.filter.to.is_none_or(|to| at.is_some_and(|at| at < to))
            && self.filter.hours.is_none_or(|hours| at.is_some_and(|at| hours.holds(at.hour())))
    }

    fn turned_out(&self, record: &Record) -> bool {
        match &self.filter.outcome {
            None => true,
            Some(Wanted::Outcome(outcome)) => record.outcome() == Some(*outcome),
            Some(Wanted::Ended(ended)) => record.ended().is_some_and(|found| ended.matches(found)),
        }
    }

    fn of_association(&self, record: &Record) -> bool {
        match (&self.associations, record.operation()) {
            (Some(wanted), Some(operation)) if !operation.association.is_empty() => {
                wanted.contains(&*operation.association)
            }
            _ => self.filter.of_association.holds(record),
        }
    }
}

/// Time and event, where the line begins as the proxy writes it.
fn head(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (time, rest) = line.strip_prefix(TIME)?.split_at_checked(TIME_LENGTH)?;
    let rest = rest.strip_prefix(EVENT)?;
    let event = rest.get(..memchr::memchr(b'"', rest)?)?;
    time.ends_with(b"Z").then_some((time, event))
}

/// The hour of the day, of a time that is written `2026-03-01T08:…Z`.
fn hour(time: &[u8]) -> Option<u8> {
    let digits = time.get(10..13)?.strip_prefix(b"T")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Compiled, Filter, Success, head};
    use crate::audit::reading::Hours;
    use crate::audit::record::{Outcome, Record};
    use crate::audit::tests::kinds;
    use std::collections::HashSet;

    #[test]
    fn what_the_bytes_dismiss_the_record_does_not_match() {
        let mut dismissed = [0; 2];
        for (_, line) in kinds::lines() {
            let record = Record::read(line.as_bytes()).unwrap();
            for hour in 0..24 {
                let filter = Filter { hours: Some(Hours { first: hour, last: hour }), ..Filter::default() };
                let compiled = Compiled::new(&filter, None);
                assert_eq!(compiled.dismisses(line.as_bytes()), !compiled.matches(&record), "{hour}: {line}");
                dismissed[0] += usize::from(compiled.dismisses(line.as_bytes()));
            }
            let filter = Filter::default();
            for asked in [HashSet::new(), record.association().map(str::to_owned).into_iter().collect()] {
                let compiled = Compiled::new(&filter, Some(asked));
                let is_dismissed = compiled.dismisses(line.as_bytes());
                assert!(!is_dismissed || !compiled.matches(&record), "{line}");
                dismissed[1] += usize::from(is_dismissed);
            }
        }
        assert_eq!(
            dismissed,
            [23 * kinds::lines().len(), 1],
            "all kinds by their hour, the operation by its association"
        );
    }

    #[test]
    fn what_the_bytes_say_of_a_success_is_what_the_record_says() {
        let operation = |fields: &str| {
            let place =
                format!(r#"{{"time":"{}","event":"operation","sequence":1"#, "2026-03-01T08:00:00.000000Z");
            format!(r#"{place},"operation":"C-STORE",{fields},"bytes":1}}"#)
        };
        let lines = [
            operation(r#""status":"0x0000""#),
            operation(r#""status":"0x0000","reason":"rewrite-failed""#),
            operation(r#""status":"0xB007""#),
            operation(r#""status":"0xA700","study":",\"status\":\"0x0000\",""#),
        ];
        let lines = lines.into_iter().chain(kinds::lines().into_iter().map(|(_, line)| line));
        let mut said = 0;
        for line in lines {
            let (_, event) = head(line.as_bytes()).unwrap();
            if Success::new().says(event, line.as_bytes()) {
                said += 1;
                assert_eq!(
                    Record::read(line.as_bytes()).unwrap().outcome(),
                    Some(Outcome::Success),
                    "{line}"
                );
            }
        }
        assert_eq!(said, 4, "two operations, one association opened and one closed");
    }
}
