//! One data set on its way through the rules.

use std::sync::Arc;

use super::action::{Action, Edit};
use super::character_set::CharacterSet;
use super::current::{Current, Doing, element_header, pad};
use super::error::{RewriteError, RewriteProblem};
use super::levels::{Levels, Opening, Part, Source, TooLong, undefined};
use super::notes::Notes;
use super::output::Output;
use super::scope::{Scopes, is_creator};
use super::table::{Addition, Ruleset};
use super::transform::Expected;
use crate::dataset::{
    Event, Header, Kind, Raw, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Scanner, Syntax, Tag, Vr,
    exact_vr_of, number, trim,
};

/// Longest value that is held to be edited.
const LONGEST_READ: u32 = 64 << 10;
/// A value longer than this at the top of the data set is no longer its header.
const BULK: u32 = 8 << 10;
/// Behind so many bytes, what would be refused for its header has been.
const HEADER: u64 = 64 << 10;

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
}

impl Rewriting {
    pub(super) fn new(rules: Arc<Ruleset>, syntax: Syntax, expected: Expected) -> Self {
        Self {
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
        self.current.leave_input();
        let mut at = 0;
        while let Some(event) = self.scanner.next(input, &mut at)? {
            self.event(event, input, out)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        self.scanner.finish()?;
        if !self.notes.instance_seen {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
        self.bulk_seen = true;
        self.add_before(u32::MAX, out)
    }

    pub(super) fn settled(&self) -> bool {
        self.bulk_seen || self.scanner.position() > HEADER
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
        let rule = if self.watches(header.tag, top) { None } else { self.decide(header.tag) };
        let action = rule.map(|rule| self.rules.action(rule));
        self.current.doing = match action {
            _ if self.watches(header.tag, top) => Doing::Read,
            None | Some(Action::Keep) => Doing::Pass,
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
        }
        if tag == SPECIFIC_CHARACTER_SET && self.rules.reads_text {
            self.scopes.set_character_set(CharacterSet::of(old));
        }
        let rule = if is_creator(tag) {
            let creator = self.rules.creator_id(trim(old));
            self.scopes.reserve(tag, creator);
            self.rules.decide_on_creator(tag, creator)
        } else {
            self.decide(tag)
        };
        match rule {
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
        let edit = action.edit(vr, syntax, self.scopes.character_set(), before.unwrap_or_default(), &mut new);
        let edit = edit.map_err(|_| self.error(RewriteProblem::NotForVr { rule }))?;
        if let (Edit::Same, Some(old)) = (edit, old) {
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
        let rule = self.decide(header.tag);
        match rule.map(|rule| (rule, self.rules.action(rule))) {
            None | Some((_, Action::Keep)) => {
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            Some((_, Action::Empty)) if header.length == Some(0) => {
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            Some((rule, action @ (Action::Remove | Action::Empty))) => {
                let removes = matches!(action, Action::Remove);
                if !removes {
                    self.put(header.tag, header.vr, header.syntax, &[], out)?;
                }
                self.notes.changed_sequence(&self.scanner, header, rule, part, removes);
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
        }
        let delimiter = source(raw, &self.scanner);
        self.levels.close(delimiter, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    /// An element at the top is about to come.
    fn before_top(&mut self, tag: Tag, out: &mut Output) -> Result<(), RewriteError> {
        if !self.notes.instance_seen && number(tag) > number(SOP_INSTANCE_UID) {
            return Err(RewriteError::new(SOP_INSTANCE_UID, 0, RewriteProblem::Missing));
        }
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
            let edit = action.edit(vr, syntax, &CharacterSet::Default, &[], &mut new);
            edit.map_err(|_| self.error(RewriteProblem::NotForVr { rule }))?;
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
            SPECIFIC_CHARACTER_SET => self.rules.reads_text,
            _ => is_creator(tag) && !self.rules.creators.is_empty(),
        }
    }

    fn decide(&self, tag: Tag) -> Option<usize> {
        if is_creator(tag) {
            self.rules.decide_on_creator(tag, None)
        } else {
            self.rules.decide(tag, self.scopes.creator_of(tag))
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

/// The bytes of the scanner's last event.
fn source(raw: Raw, scanner: &Scanner) -> Source<'_> {
    match raw {
        Raw::Input(range) => Source::Input(range),
        Raw::Carried => Source::Made(scanner.carried()),
    }
}
