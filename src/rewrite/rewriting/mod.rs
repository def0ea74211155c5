//! One data set on its way through the rules.

mod addition;
mod edit;
mod element;
mod patient;
mod sending;
mod sequence;

use std::sync::Arc;

use super::action::{Cannot, Plan};
use super::boundary::Subject;
use super::current::{Current, Doing};
use super::error::{RewriteError, RewriteProblem};
use super::facts::{Facts, Lookahead, Way};
use super::levels::{Levels, Part, Source};
use super::notes::Notes;
use super::output::Output;
use super::profile::{ContentItems, Pixels, ProfileOption};
use super::scope::Scopes;
use super::table::Ruleset;
use crate::dataset::{
    Event, Header, Kind, Raw, SOP_CLASS_UID, SOP_INSTANCE_UID, Scanner, Syntax, Vr, exact_vr_of,
};

/// A value longer than this at the top of the data set is no longer its header.
const BULK: u32 = 8 << 10;
/// Behind so many bytes, what would be refused for its header has been.
const HEADER: u64 = 64 << 10;
/// Behind so many bytes, nobody waits any longer for what the object says of its pixels.
const LATEST: u64 = 1 << 20;

pub(super) struct Rewriting {
    rules: Arc<Ruleset>,
    scanner: Scanner,
    levels: Levels,
    scopes: Scopes,
    current: Current,
    pub(super) notes: Notes,
    /// Open sequences and items of the input.
    open: usize,
    /// Everything is dropped until no more than so many are open.
    skipping: Option<usize>,
    next_addition: usize,
    bulk_seen: bool,
    /// Room for a new value.
    new: Vec<u8>,
    pub(super) facts: Facts,
    /// Until the Patient ID is known, where a rule needs it.
    lookahead: Option<Box<Lookahead>>,
    /// Why the object is refused before anything of it is read.
    refused: Option<RewriteProblem>,
    /// Where burned-in text is refused.
    pixels: Option<Pixels>,
    /// Where structured content is cleaned.
    content: Option<ContentItems>,
    /// A sequence at the top is open that gets items at its end: its rule, how many were open around it, its encoding.
    appending: Option<(usize, usize, Syntax)>,
    subject: Subject,
    /// Nothing can be looked for by its value until no more than so many are open.
    hidden: Option<usize>,
}

impl Rewriting {
    pub(super) fn new(rules: Arc<Ruleset>, syntax: Syntax, way: Way, subject: Subject) -> Self {
        let profile = rules.profile().filter(|_| way == Way::ToPseudonyms);
        let class = match &subject {
            Subject::Object(expected) => Some(&expected.sop_class_uid),
            Subject::Keys | Subject::Attributes => None,
        };
        let object = profile.zip(class);
        let content = profile.filter(|_| subject != Subject::Keys);
        Self {
            facts: Facts { way, ..Facts::default() },
            lookahead: rules.needs_patient.then(|| Box::new(Lookahead::new(syntax, rules.max_depth))),
            refused: object.and_then(|(profile, class)| profile.refuses_class(class)),
            pixels: object
                .filter(|(profile, _)| profile.refuse_burned_in)
                .map(|(_, class)| Pixels::new(class)),
            content: content
                .filter(|profile| profile.has(ProfileOption::CleanStructuredContent))
                .map(|_| ContentItems::default()),
            appending: None,
            scanner: Scanner::new(syntax, rules.max_depth),
            rules,
            levels: Levels::new(),
            scopes: Scopes::new(),
            current: Current::new(syntax),
            notes: Notes::new(&subject, way),
            subject,
            hidden: None,
            open: 0,
            skipping: None,
            next_addition: 0,
            bulk_seen: false,
            new: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.check_refused()?;
        let Some(mut lookahead) = self.lookahead.take() else { return self.rewrite(input, out) };
        if !lookahead.look(input)? {
            lookahead.held.extend_from_slice(input);
            self.lookahead = Some(lookahead);
            return Ok(());
        }
        self.look_back(lookahead.patient(), &lookahead.held, out)?;
        self.rewrite(input, out)
    }

    fn check_refused(&self) -> Result<(), RewriteError> {
        self.refused.map_or(Ok(()), |problem| Err(RewriteError::new(SOP_CLASS_UID, 0, problem)))
    }

    fn rewrite(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.current.leave_input();
        let mut at = 0;
        while let Some(event) = self.scanner.next(input, &mut at)? {
            self.event(event, input, out)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        self.check_refused()?;
        if let Some(lookahead) = self.lookahead.take() {
            self.look_back(Err(lookahead.ended()), &lookahead.held, out)?;
        }
        self.scanner.finish()?;
        self.check_pixels(None)?;
        if !self.notes.instance_seen {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
        self.check_named()?;
        if self.subject == Subject::Keys {
            self.notes.about(self.facts.about.take());
        }
        self.bulk_seen = true;
        self.add_before(u32::MAX, out)
    }

    pub(super) fn settled(&self) -> bool {
        let undecided = self.pixels.as_ref().is_some_and(|pixels| !pixels.is_decided());
        let position = self.scanner.position();
        (self.bulk_seen || position > HEADER) && !(undecided && position <= LATEST)
    }

    fn event(&mut self, event: Event, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let Event { kind, raw } = event;
        match (kind, raw) {
            (Kind::Value { rest }, Raw::Input(range)) if self.skipping.is_none() => {
                self.value(Source::Input(range), rest, input, out)
            }
            (Kind::Value { .. }, _) => Ok(()),
            (Kind::SequenceEnd | Kind::ItemEnd | Kind::FragmentsEnd, raw) => {
                self.close(kind, raw, input, out)
            }
            (Kind::SequenceStart(_) | Kind::ItemStart { .. } | Kind::FragmentsStart(_), _)
                if self.skipping.is_some() =>
            {
                self.open += 1;
                Ok(())
            }
            _ if self.skipping.is_some() => Ok(()),
            (Kind::Element(header), raw) => self.element(header, raw, input, out),
            (Kind::SequenceStart(header) | Kind::FragmentsStart(header), raw) => {
                let part =
                    if matches!(kind, Kind::SequenceStart(_)) { Part::Sequence } else { Part::Fragments };
                self.sequence(part, header, raw, input, out)
            }
            (Kind::ItemStart { length, syntax }, raw) => {
                self.scopes.open();
                if let Some(content) = &mut self.content {
                    content.open(self.scanner.path().last().map(|step| step.sequence));
                }
                self.open_part(Part::Item, length, (syntax, syntax), raw, input, out)
            }
            (Kind::Fragment { .. }, raw) => {
                self.current.doing = Doing::Pass;
                self.send_raw(raw, input, out)
            }
        }
    }

    /// What is to be done with an element on which a rule decides.
    fn plan(&self, rule: usize, header: &Header) -> Plan {
        let Header { tag, vr, length, .. } = *header;
        let vr = if vr == Vr::UN { exact_vr_of(tag).unwrap_or(vr) } else { vr };
        self.rules.action(rule).plan(tag, vr, length.unwrap_or(u32::MAX))
    }

    fn error(&self, problem: RewriteProblem) -> RewriteError {
        RewriteError::new(self.current.header.tag, self.scanner.depth(), problem)
    }
}

fn problem_of(cannot: Cannot, rule: usize) -> RewriteProblem {
    match cannot {
        Cannot::Unsuited => RewriteProblem::NotForVr { rule },
        Cannot::Lacks(problem) => problem,
    }
}

/// The bytes of the scanner's last event.
fn source(raw: Raw, scanner: &Scanner) -> Source<'_> {
    match raw {
        Raw::Input(range) => Source::Input(range),
        Raw::Carried => Source::Made(scanner.carried()),
    }
}
