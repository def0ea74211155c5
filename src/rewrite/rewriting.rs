//! One data set on its way through the rules.

use std::sync::Arc;

use super::action::{Action, Edit};
use super::change::{Change, Content, Recorder};
use super::character_set::CharacterSet;
use super::error::{RewriteError, RewriteProblem};
use super::levels::{Levels, Opening, Part, Source, TooLong, undefined};
use super::output::Output;
use super::scope::{Scopes, is_creator};
use super::table::Ruleset;
use super::transform::Expected;
use crate::dataset::{
    Event, Header, Kind, PATIENT_ID, Raw, SOP_CLASS_UID, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID, Scanner, Syntax, Tag, Vr, exact_vr_of, number, trim,
};

/// Longest value that is held to be edited.
const LONGEST_READ: u32 = 64 << 10;
/// A value longer than this at the top of the data set is no longer its header.
const BULK: u32 = 8 << 10;
/// Behind so many bytes, what would be refused for its header has been.
const HEADER: u64 = 64 << 10;
/// Kept of an identifier for the records.
const LONGEST_NOTED: usize = 256;

/// What a transform found and did. Identifiers are bytes as they were written, without padding, at most 256.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Elements removed, emptied, changed or added; a sequence counts once.
    pub elements: u64,
    /// (0020,000D) as it came.
    pub study_instance_uid: Option<Vec<u8>>,
    /// (0020,000D) as it went.
    pub new_study_instance_uid: Option<Vec<u8>>,
    /// (0010,0020) as it came.
    pub patient_id: Option<Vec<u8>>,
    /// (0008,0018) as it went.
    pub new_sop_instance_uid: Option<Vec<u8>>,
}

/// The element under way.
struct Current {
    header: Header,
    doing: Doing,
    /// Where its header is, while that is still in the input.
    head_at: Option<std::ops::Range<usize>>,
    head: [u8; 12],
    head_size: usize,
    /// What came of its value in earlier pushes.
    value: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Pass,
    Skip,
    /// The value is needed before anything is sent.
    Read,
}

pub(super) struct Rewriting {
    rules: Arc<Ruleset>,
    expected: Expected,
    scanner: Scanner,
    levels: Levels,
    scopes: Scopes,
    current: Current,
    /// Open sequences and items of the input.
    open: usize,
    /// Everything is dropped until no more than so many are open.
    skipping: Option<usize>,
    next_addition: usize,
    instance_seen: bool,
    bulk_seen: bool,
    /// Room for a new value.
    new: Vec<u8>,
    pub(super) summary: Summary,
    pub(super) recorder: Option<Recorder>,
}

impl Rewriting {
    pub(super) fn new(rules: Arc<Ruleset>, syntax: Syntax, expected: Expected) -> Self {
        let header = Header { tag: Tag(0, 0), vr: Vr::UN, length: None, syntax };
        let doing = Doing::Skip;
        Self {
            scanner: Scanner::new(syntax, rules.max_depth),
            rules,
            expected,
            levels: Levels::new(),
            scopes: Scopes::new(),
            current: Current { header, doing, head_at: None, head: [0; 12], head_size: 0, value: Vec::new() },
            open: 0,
            skipping: None,
            next_addition: 0,
            instance_seen: false,
            bulk_seen: false,
            new: Vec::new(),
            summary: Summary::default(),
            recorder: None,
        }
    }

    pub(super) fn push(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.current.head_at = None;
        let mut at = 0;
        while let Some(event) = self.scanner.next(input, &mut at)? {
            self.event(event, input, out)?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, out: &mut Output) -> Result<(), RewriteError> {
        self.scanner.finish()?;
        if !self.instance_seen {
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
        self.remember(header, raw, input);
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
            Some(_) if self.recorder.is_some() && length <= LONGEST_READ => Doing::Read,
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
        let top = self.scanner.depth() == 0;
        if top {
            self.note(tag, old)?;
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
            self.changed(rule, before, None);
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
            if new.len() % 2 == 1 {
                new.push(padding_for(action, vr));
            }
            self.put(tag, vr, syntax, &new, out)?;
            self.changed(rule, before, Some(&new));
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
        self.remember(header, raw.clone(), input);
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
                self.changed_sequence(rule, part, removes);
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
                let header = match &raw {
                    Raw::Input(range) => undefined(input.get(range.clone()).unwrap_or_default()),
                    Raw::Carried => undefined(self.scanner.carried()),
                };
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
        let delimiter = match raw {
            Raw::Input(range) => Source::Input(range),
            Raw::Carried => Source::Made(self.scanner.carried()),
        };
        self.levels.close(delimiter, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    /// An element at the top is about to come.
    fn before_top(&mut self, tag: Tag, out: &mut Output) -> Result<(), RewriteError> {
        if !self.instance_seen && number(tag) > number(SOP_INSTANCE_UID) {
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
            let syntax = self.scanner.root_syntax();
            let length = None;
            self.current.header = Header { tag: addition.tag, vr: addition.vr, length, syntax };
            let mut new = Vec::new();
            let edit =
                rules.action(addition.rule).edit(addition.vr, syntax, &CharacterSet::Default, &[], &mut new);
            edit.map_err(|_| self.error(RewriteProblem::NotForVr { rule: addition.rule }))?;
            if new.len() % 2 == 1 {
                new.push(addition.vr.padding());
            }
            self.put(addition.tag, addition.vr, syntax, &new, out)?;
            self.added(addition.rule, addition.tag, addition.vr, &new);
        }
        Ok(())
    }

    /// Whether the value is to be looked at, whatever becomes of it.
    fn watches(&self, tag: Tag, top: bool) -> bool {
        match tag {
            SOP_CLASS_UID | SOP_INSTANCE_UID | PATIENT_ID | STUDY_INSTANCE_UID => top,
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

    /// Compares with the command, and keeps what the records want.
    fn note(&mut self, tag: Tag, value: &[u8]) -> Result<(), RewriteError> {
        let value = trim(value);
        let noted = || Some(value.get(..LONGEST_NOTED).unwrap_or(value).to_vec());
        let expected = match tag {
            SOP_CLASS_UID => &self.expected.sop_class_uid,
            SOP_INSTANCE_UID => {
                self.instance_seen = true;
                self.summary.new_sop_instance_uid = noted();
                &self.expected.sop_instance_uid
            }
            PATIENT_ID => {
                self.summary.patient_id = noted();
                return Ok(());
            }
            STUDY_INSTANCE_UID => {
                self.summary.study_instance_uid = noted();
                self.summary.new_study_instance_uid = noted();
                return Ok(());
            }
            _ => return Ok(()),
        };
        if value == expected.as_str().as_bytes() {
            Ok(())
        } else {
            Err(self.error(RewriteProblem::CommandMismatch))
        }
    }

    fn remember(&mut self, header: Header, raw: Raw, input: &[u8]) {
        let head = match &raw {
            Raw::Input(range) => input.get(range.clone()).unwrap_or_default(),
            Raw::Carried => self.scanner.carried(),
        };
        self.current.head_size = head.len().min(12);
        if let (Some(to), Some(from)) =
            (self.current.head.get_mut(..self.current.head_size), head.get(..self.current.head_size))
        {
            to.copy_from_slice(from);
        }
        self.current.head_at = if let Raw::Input(range) = raw { Some(range) } else { None };
        self.current.header = header;
        self.current.value.clear();
    }

    fn send_head(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let head = self.current.head;
        match self.current.head_at.clone() {
            Some(range) => self.send(Source::Input(range), input, out),
            None => {
                self.send(Source::Made(head.get(..self.current.head_size).unwrap_or_default()), input, out)
            }
        }
    }

    fn send_raw(&mut self, raw: Raw, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let source = match raw {
            Raw::Input(range) => Source::Input(range),
            Raw::Carried => Source::Made(self.scanner.carried()),
        };
        self.levels.send(source, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
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

    /// The element under way was changed, or removed where `after` is absent.
    fn changed(&mut self, rule: usize, before: Option<&[u8]>, after: Option<&[u8]>) {
        self.summary.elements = self.summary.elements.saturating_add(1);
        let Header { tag, vr, length, .. } = self.current.header;
        if self.scanner.depth() == 0 {
            let noted = || after.map(trim).map(|value| value.get(..LONGEST_NOTED).unwrap_or(value).to_vec());
            match tag {
                SOP_INSTANCE_UID => self.summary.new_sop_instance_uid = noted(),
                STUDY_INSTANCE_UID => self.summary.new_study_instance_uid = noted(),
                _ => {}
            }
        }
        let Self { scanner, recorder: Some(recorder), .. } = self else { return };
        recorder.record(|| Change {
            path: scanner.path().collect(),
            tag,
            vr,
            rule,
            before: before.map_or(Content::Bulk { length }, Content::value),
            after: after.map_or(Content::Absent, Content::value),
        });
    }

    fn changed_sequence(&mut self, rule: usize, part: Part, removes: bool) {
        self.summary.elements = self.summary.elements.saturating_add(1);
        let Self { scanner, recorder: Some(recorder), current, .. } = self else { return };
        let mut path: Vec<_> = scanner.path().collect();
        let before = match part {
            Part::Fragments => Content::Bulk { length: None },
            Part::Sequence | Part::Item => {
                path.pop();
                Content::Sequence
            }
        };
        let after = if removes { Content::Absent } else { Content::value(&[]) };
        recorder.record(|| Change {
            path,
            tag: current.header.tag,
            vr: current.header.vr,
            rule,
            before,
            after,
        });
    }

    fn added(&mut self, rule: usize, tag: Tag, vr: Vr, value: &[u8]) {
        self.summary.elements = self.summary.elements.saturating_add(1);
        let Some(recorder) = &mut self.recorder else { return };
        let (path, before, after) = (Vec::new(), Content::Absent, Content::value(value));
        recorder.record(|| Change { path, tag, vr, rule, before, after });
    }
}

/// What makes the length of a new value even.
fn padding_for(action: &Action, vr: Vr) -> u8 {
    match (action, vr) {
        (Action::Uid { .. }, _) => 0,
        (_, Vr::UN) => b' ',
        (_, vr) => vr.padding(),
    }
}

/// The header and its size; `None` where the length does not fit it (PS3.5 §7.1.2).
fn element_header(tag: Tag, vr: Vr, syntax: Syntax, length: u32) -> Option<([u8; 12], usize)> {
    let ([g0, g1], [e0, e1], [v0, v1]) = (syntax.put_u16(tag.0), syntax.put_u16(tag.1), vr.code());
    let [l0, l1, l2, l3] = syntax.put_u32(length);
    if !syntax.explicit {
        return Some(([g0, g1, e0, e1, l0, l1, l2, l3, 0, 0, 0, 0], 8));
    }
    if vr.has_long_header() {
        return Some(([g0, g1, e0, e1, v0, v1, 0, 0, l0, l1, l2, l3], 12));
    }
    let [s0, s1] = syntax.put_u16(u16::try_from(length).ok()?);
    Some(([g0, g1, e0, e1, v0, v1, s0, s1, 0, 0, 0, 0], 8))
}
