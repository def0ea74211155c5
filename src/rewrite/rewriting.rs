//! One data set on its way through the rules.

use std::sync::Arc;

use super::action::{Action, Cannot, Edit};
use super::change::Content;
use super::character_set::CharacterSet;
use super::current::{Current, Doing, element_header, pad};
use super::error::{RewriteError, RewriteProblem};
use super::facts::{Facts, Lookahead};
use super::levels::{Levels, Opening, Part, Source, TooLong, undefined};
use super::notes::Notes;
use super::output::Output;
use super::profile::{self, ContentItems, Pixels, ProfileOption, dates, dummy};
use super::scope::{Scopes, is_creator};
use super::table::{Addition, Ruleset};
use super::transform::Expected;
use crate::dataset::{
    Event, Header, Kind, PATIENT_ID, Raw, SOP_CLASS_UID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Scanner,
    Syntax, Tag, Vr, exact_vr_of, number, trim,
};

/// Longest value that is held to be edited.
const LONGEST_READ: u32 = 64 << 10;
/// A value longer than this at the top of the data set is no longer its header.
const BULK: u32 = 8 << 10;
/// Behind so many bytes, what would be refused for its header has been.
const HEADER: u64 = 64 << 10;
/// Behind so many bytes, nobody waits any longer for what the object says of its pixels.
const LATEST: u64 = 1 << 20;
/// (0012,0064) De-identification Method Code Sequence.
const METHOD_CODES: Tag = Tag(0x0012, 0x0064);

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
}

impl Rewriting {
    pub(super) fn new(rules: Arc<Ruleset>, syntax: Syntax, expected: Expected) -> Self {
        let profile = rules.profile();
        let class = &expected.sop_class_uid;
        Self {
            facts: Facts::default(),
            lookahead: rules.needs_patient.then(|| Box::new(Lookahead::new(syntax, rules.max_depth))),
            refused: profile.and_then(|profile| profile.refuses_class(class)),
            pixels: profile.filter(|profile| profile.refuse_burned_in).map(|_| Pixels::new(class)),
            content: profile
                .filter(|profile| profile.has(ProfileOption::CleanStructuredContent))
                .map(|_| ContentItems::default()),
            appending: None,
            scanner: Scanner::new(syntax, rules.max_depth),
            rules,
            levels: Levels::new(),
            scopes: Scopes::new(),
            current: Current::new(syntax),
            notes: Notes::new(expected),
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
        let patient = lookahead.patient()?;
        self.know(patient).map_err(|problem| RewriteError::new(PATIENT_ID, 0, problem))?;
        let mut early = Output::new();
        self.rewrite(&lookahead.held, &mut early)?;
        early.slices(&lookahead.held).for_each(|slice| out.make(slice));
        self.rewrite(input, out)
    }

    fn know(&mut self, patient: Vec<u8>) -> Result<(), RewriteProblem> {
        let bounds = self.rules.profile().map(|profile| profile.date_shift_days);
        if let Some((key, bounds)) = self.rules.date_key.as_ref().zip(bounds) {
            let days = self.facts.pseudonyms.days(&patient, || dates::days(key, &patient, bounds))?;
            self.facts.days = Some(days);
        }
        self.facts.patient = Some(patient);
        Ok(())
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
        if let Some(lookahead) = &self.lookahead {
            return Err(lookahead.ended());
        }
        self.scanner.finish()?;
        self.check_pixels(None)?;
        if !self.notes.instance_seen {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
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

    fn element(
        &mut self,
        header: Header,
        raw: Raw,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let top = self.scanner.depth() == 0;
        let length = header.length.unwrap_or(0);
        if top {
            self.before_top(header.tag, out)?;
            self.bulk_seen |= length > BULK;
        }
        self.current.begin(header, source(raw, &self.scanner), input);
        if header.tag.1 == 0 {
            self.current.doing = Doing::Skip;
            return Ok(());
        }
        let watched = self.watches(header.tag, top);
        let rule = if watched { None } else { self.decide(&header) };
        let action = rule.map(|rule| self.rules.action(rule));
        self.current.doing = match action {
            _ if watched => Doing::Read,
            None => Doing::Pass,
            Some(action) if action.keeps() => Doing::Pass,
            Some(action) if action.reads() => Doing::Read,
            Some(_) if self.notes.recorder.is_some() && length <= LONGEST_READ => Doing::Read,
            Some(_) => Doing::Skip,
        };
        match (self.current.doing, rule) {
            (Doing::Read, _) if length > LONGEST_READ => Err(self.error(RewriteProblem::TooLong)),
            (Doing::Read, _) if length == 0 => self.complete(Source::Made(&[]), input, out),
            (Doing::Pass, _) => self.send_head(input, out),
            (Doing::Skip, Some(rule)) => self.apply(rule, None, input, out),
            (Doing::Read | Doing::Skip, _) => Ok(()),
        }
    }

    fn value(
        &mut self,
        part: Source<'_>,
        rest: u32,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        match self.current.doing {
            Doing::Pass => self.send(part, input, out),
            Doing::Skip => Ok(()),
            Doing::Read if rest == 0 && self.current.value.is_empty() => self.complete(part, input, out),
            Doing::Read => {
                self.current.value.extend_from_slice(part.bytes(input));
                if rest > 0 {
                    return Ok(());
                }
                let value = std::mem::take(&mut self.current.value);
                let result = self.complete(Source::Made(&value), input, out);
                self.current.value = value;
                result
            }
        }
    }

    /// The element's value has been read whole.
    fn complete(&mut self, value: Source<'_>, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let tag = self.current.header.tag;
        let old = value.bytes(input);
        if self.scanner.depth() == 0 {
            self.notes.read(tag, old).map_err(|problem| self.error(problem))?;
            if let Some(pixels) = &mut self.pixels {
                pixels.read(tag, old);
            }
        }
        if let Some(content) = self.content.as_mut().filter(|content| content.wants(tag)) {
            content.read(tag, old);
        }
        if tag == SPECIFIC_CHARACTER_SET && self.rules.reads_text {
            self.scopes.set_character_set(CharacterSet::of(old));
        }
        let rule = if is_creator(tag) {
            let creator = self.rules.creator_id(trim(old));
            self.scopes.reserve(tag, creator);
            self.rules.decide_on_creator(tag, creator)
        } else {
            self.decide(&self.current.header)
        };
        match rule.filter(|&rule| !self.rules.action(rule).keeps()) {
            Some(rule) => self.apply(rule, Some(value), input, out),
            None => {
                self.send_head(input, out)?;
                self.send(value, input, out)
            }
        }
    }

    /// Does what the rule says with the element under way, its old value where that was read.
    fn apply(
        &mut self,
        rule: usize,
        old: Option<Source<'_>>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let rules = Arc::clone(&self.rules);
        let action = rules.action(rule);
        let Header { tag, vr: written, syntax, .. } = self.current.header;
        let before = old.as_ref().map(|old| old.bytes(input));
        if matches!(action, Action::Remove) {
            self.notes.changed(&self.scanner, self.current.header, rule, before, None);
            return Ok(());
        }
        let vr = if matches!(action, Action::Empty) { written } else { exact_vr_of(tag).unwrap_or(written) };
        let mut new = std::mem::take(&mut self.new);
        new.clear();
        let (set, old_value) = (self.scopes.character_set(), before.unwrap_or_default());
        let edit = action.edit((tag, vr), syntax, set, old_value, &mut self.facts, &mut new);
        let edit = edit.map_err(|cannot| self.error(problem_of(cannot, rule)))?;
        if matches!(action, Action::Canary) {
            self.facts.canaries = self.facts.canaries.saturating_add(1);
        }
        if edit == Edit::Gone {
            self.notes.changed(&self.scanner, self.current.header, rule, before, None);
        } else if let (Edit::Same, Some(old)) = (edit, old) {
            self.send_head(input, out)?;
            self.send(old, input, out)?;
        } else if self.current.header.length == Some(0) && new.is_empty() {
            self.send_head(input, out)?;
        } else {
            pad(&mut new, action, vr);
            self.put(tag, vr, syntax, &new, out)?;
            self.notes.changed(&self.scanner, self.current.header, rule, before, Some(&new));
        }
        self.new = new;
        Ok(())
    }

    fn sequence(
        &mut self,
        part: Part,
        header: Header,
        raw: Raw,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let depth = self.scanner.depth().saturating_sub(usize::from(part == Part::Sequence));
        if depth == 0 {
            self.before_top(header.tag, out)?;
            self.bulk_seen |= part == Part::Fragments;
        }
        self.current.begin(header, source(raw.clone(), &self.scanner), input);
        let rule = self.decide(&header);
        let rules = Arc::clone(&self.rules);
        match rule.map(|rule| (rule, rules.action(rule))) {
            None | Some((_, Action::Keep | Action::Default(_))) => {
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            Some((_, Action::Empty)) if header.length == Some(0) => {
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            Some((rule, Action::Append(_))) if depth == 0 && part == Part::Sequence => {
                self.appending = Some((rule, self.open, header.items()));
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            Some((_, Action::Refuse(problem))) => Err(RewriteError::new(header.tag, depth, *problem)),
            Some((rule, action)) if self.replaces_sequence(rule, action) => {
                let items = match action {
                    Action::Empty => Some(Vec::new()),
                    Action::Items(items) | Action::Append(items) if part == Part::Sequence => {
                        let mut encoded = Vec::new();
                        dummy::put_items(items, header.syntax, &mut encoded).map(|()| encoded)
                    }
                    _ => None,
                };
                let removes = items.is_none();
                let mut after = Content::Sequence;
                if let Some(items) = items {
                    if items.is_empty() {
                        after = Content::value(&[]);
                    }
                    let vr = if items.is_empty() { header.vr } else { Vr::SQ };
                    self.put(header.tag, vr, header.syntax, &items, out)?;
                }
                self.notes.changed_sequence(&self.scanner, header, rule, part, removes, after);
                self.skipping = Some(self.open);
                self.open += 1;
                Ok(())
            }
            Some((rule, _)) => {
                Err(RewriteError::new(header.tag, depth, RewriteProblem::NotForSequences { rule }))
            }
        }
    }

    fn open_part(
        &mut self,
        part: Part,
        length: Option<u32>,
        (outer, inner): (Syntax, Syntax),
        raw: Raw,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        self.open += 1;
        match self.levels.open(part, length, outer, inner) {
            Opening::AsItWas => self.send_raw(raw, input, out)?,
            Opening::Undefined => {
                let header = undefined(source(raw, &self.scanner).bytes(input));
                self.send(Source::Made(&header), input, out)?;
            }
        }
        self.levels.opened();
        Ok(())
    }

    fn close(&mut self, kind: Kind, raw: Raw, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.open = self.open.saturating_sub(1);
        if let Some(until) = self.skipping {
            if self.open == until {
                self.skipping = None;
            }
            return Ok(());
        }
        if kind == Kind::ItemEnd {
            self.scopes.close();
            if let Some(content) = &mut self.content {
                content.close();
            }
        }
        self.append(out)?;
        let delimiter = source(raw, &self.scanner);
        self.levels.close(delimiter, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    /// Where the sequence that gets more items ends, sends them.
    fn append(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        let Some((rule, open, syntax)) = self.appending.filter(|&(_, open, _)| open == self.open) else {
            return Ok(());
        };
        debug_assert_eq!(open, self.open);
        self.appending = None;
        let rules = Arc::clone(&self.rules);
        if let Action::Append(items) = rules.action(rule) {
            let mut encoded = Vec::new();
            dummy::put_items(items, syntax, &mut encoded)
                .ok_or_else(|| RewriteError::new(METHOD_CODES, 0, RewriteProblem::Grown))?;
            self.send(Source::Made(&encoded), &[], out)?;
            self.notes.appended(METHOD_CODES, rule);
        }
        Ok(())
    }

    /// Whether a sequence is not gone into. An action of the profile for something else than a sequence removes it: what
    /// is in it, no rule foresaw.
    fn replaces_sequence(&self, rule: usize, action: &Action) -> bool {
        rule >= self.rules.explicit || matches!(action, Action::Remove | Action::Empty)
    }

    fn check_pixels(&mut self, tag: Option<Tag>) -> Result<(), RewriteError> {
        let Some(pixels) = &mut self.pixels else { return Ok(()) };
        pixels.before(tag).map_err(|problem| RewriteError::new(profile::FLAG, 0, problem))
    }

    /// An element at the top is about to come.
    fn before_top(&mut self, tag: Tag, out: &mut Output) -> Result<(), RewriteError> {
        if !self.notes.instance_seen && number(tag) > number(SOP_INSTANCE_UID) {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
        self.check_pixels(Some(tag))?;
        self.add_before(number(tag), out)?;
        if self.rules.additions.get(self.next_addition).is_some_and(|addition| addition.tag == tag) {
            self.next_addition += 1;
        }
        Ok(())
    }

    /// What `set` adds between the last element and this one.
    fn add_before(&mut self, tag: u32, out: &mut Output) -> Result<(), RewriteError> {
        if self.rules.additions.get(self.next_addition).is_none_or(|next| number(next.tag) >= tag) {
            return Ok(());
        }
        let rules = Arc::clone(&self.rules);
        while let Some(addition) =
            rules.additions.get(self.next_addition).filter(|next| number(next.tag) < tag)
        {
            self.next_addition += 1;
            let &Addition { tag, vr, rule } = addition;
            let syntax = self.scanner.root_syntax();
            self.current.header = Header { tag, vr, length: None, syntax };
            let (action, mut new) = (rules.action(rule), Vec::new());
            let edit = action.edit((tag, vr), syntax, &CharacterSet::Default, &[], &mut self.facts, &mut new);
            edit.map_err(|cannot| self.error(problem_of(cannot, rule)))?;
            pad(&mut new, action, vr);
            self.put(tag, vr, syntax, &new, out)?;
            self.notes.added(addition, &new);
        }
        Ok(())
    }

    /// Whether the value is to be looked at, whatever becomes of it.
    fn watches(&self, tag: Tag, top: bool) -> bool {
        match tag {
            _ if top && Notes::wants(tag) => true,
            _ if top && self.pixels.is_some() && Pixels::wants(tag) => true,
            _ if !top && self.content.as_ref().is_some_and(|content| content.wants(tag)) => true,
            SPECIFIC_CHARACTER_SET => self.rules.reads_text,
            _ => is_creator(tag) && !self.rules.creators.is_empty(),
        }
    }

    fn decide(&self, header: &Header) -> Option<usize> {
        let tag = header.tag;
        if is_creator(tag) {
            return self.rules.decide_on_creator(tag, None);
        }
        let vr = if header.vr == Vr::UN { exact_vr_of(tag).unwrap_or(Vr::UN) } else { header.vr };
        let rule = self.rules.decide(tag, vr, self.scopes.creator_of(tag));
        match (&self.content, &self.rules.profile) {
            (Some(content), Some(profile)) if rule.is_none_or(|rule| rule >= self.rules.explicit) => {
                content.decide(tag, &profile.spec, &profile.content).or(rule)
            }
            _ => rule,
        }
    }

    fn send_head(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.levels.send(self.current.head(), input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    fn send_raw(&mut self, raw: Raw, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let raw = source(raw, &self.scanner);
        self.levels.send(raw, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    fn send(&mut self, source: Source<'_>, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.levels.send(source, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    /// Writes an element of our own.
    fn put(
        &mut self,
        tag: Tag,
        vr: Vr,
        syntax: Syntax,
        value: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let header =
            u32::try_from(value.len()).ok().and_then(|length| element_header(tag, vr, syntax, length));
        let (head, size) = header.ok_or_else(|| self.error(RewriteProblem::TooLong))?;
        self.send(Source::Made(head.get(..size).unwrap_or_default()), &[], out)?;
        self.send(Source::Made(value), &[], out)
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
