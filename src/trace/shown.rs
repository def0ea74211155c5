//! What of it may be shown, as a line of JSON.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use serde::Serialize;

use super::command::{Element, Tells};
use super::seen::{Micros, Seen, What};

/// Instances whose numbers are remembered. One that comes again after so many others has another number.
const MOST: usize = 4096;

/// UIDs of the standard itself name no object of a patient: storage commitment has such an instance (PS3.4 J.3.5).
const STANDARD: &str = "1.2.840.10008.";

/// How what is seen is shown to the reader of one trace.
pub(crate) struct Shown {
    began: Instant,
    instances: Instances,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line<'a> {
    at_us: Micros,
    association: &'a str,
    #[serde(flatten)]
    what: Cow<'a, What>,
}

impl Shown {
    /// Times are those since this moment.
    pub(crate) fn since(began: Instant) -> Self {
        Self { began, instances: Instances::default() }
    }

    /// A line of JSON. With `identifiers`, it says which instances there were, and what programs and people wrote.
    pub(crate) fn line(&mut self, seen: &Seen, identifiers: bool) -> Option<String> {
        let what = match &seen.what {
            What::Command { elements, .. } if !identifiers => {
                let mut what = seen.what.clone();
                if let What::Command { elements: shown, .. } = &mut what {
                    *shown = elements.iter().map(|element| self.hidden(element)).collect();
                }
                Cow::Owned(what)
            }
            what => Cow::Borrowed(what),
        };
        let at_us = Micros(seen.at.saturating_duration_since(self.began));
        serde_json::to_string(&Line { at_us, association: &seen.association, what }).ok()
    }

    fn hidden(&mut self, element: &Element) -> Element {
        let value = match element.tells {
            Tells::Instance if element.value.is_empty() => "".into(),
            Tells::Instance if !element.value.starts_with(STANDARD) => {
                format!("instance {}", self.instances.number(&element.value)).into()
            }
            Tells::Text(length) => format!("{length} bytes of text, not shown").into(),
            Tells::Instance | Tells::Nothing => element.value.clone(),
        };
        Element { value, ..element.clone() }
    }
}

/// Numbers that stand for instances.
#[derive(Default)]
struct Instances {
    numbers: HashMap<Box<str>, u64>,
    order: VecDeque<Box<str>>,
    last: u64,
}

impl Instances {
    fn number(&mut self, uid: &str) -> u64 {
        if let Some(number) = self.numbers.get(uid) {
            return *number;
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.numbers.remove(&oldest);
        }
        self.last += 1;
        self.order.push_back(uid.into());
        self.numbers.insert(uid.into(), self.last);
        self.last
    }
}
