//! Sequences and their items: gone into, replaced, longer by items of our own.

use std::sync::Arc;

use super::super::action::Action;
use super::super::applying::{self, Plan};
use super::super::change::Content;
use super::super::current::Doing;
use super::super::dummy;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::{Opening, Part, Source, TooLong, undefined};
use super::super::mode::Mode;
use super::super::output::Output;
use super::super::subject::Subject;
use super::{Rewriting, source};
use crate::dataset::{Header, Kind, Raw, Syntax, Tag, Vr};

/// (0012,0064) De-identification Method Code Sequence.
const METHOD_CODES: Tag = Tag(0x0012, 0x0064);

impl Rewriting {
    pub(super) fn sequence(
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
            self.put_issuer(header.tag, out)?;
            self.bulk_seen |= part == Part::Fragments;
        }
        self.current.begin(header, source(raw.clone(), &self.scanner));
        if self.leaves_out(header.tag) {
            self.skipping = Some(self.open);
            self.open += 1;
            return Ok(());
        }
        let rule = self.decide(&header, depth == 0);
        let rules = Arc::clone(&self.rules);
        if part == Part::Fragments && self.subject == Subject::Keys {
            return Err(self.error(RewriteProblem::NotAKey));
        }
        match (self.facts.mode, rule.map(|rule| (rule, rules.action(rule)))) {
            (Mode::Back, Some((rule, _))) if self.plan(rule, &header) == Plan::Remove => {
                self.notes.changed_sequence(&self.scanner, header, rule, part, true, Content::Sequence);
                self.skipping = Some(self.open);
                self.open += 1;
                Ok(())
            }
            (Mode::Keys, Some((_, action))) if applying::hides(action) && self.hidden.is_none() => {
                self.hidden = Some(self.open);
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            (_, None | Some((_, Action::Keep | Action::Default(_)))) | (Mode::Back | Mode::Keys, Some(_)) => {
                if part == Part::Fragments && depth == 0 && self.decodes() {
                    return self.begin_decoding(&header, out);
                }
                if part == Part::Fragments {
                    self.check_compressed(header.tag, depth)?;
                    self.begin_fragments(depth);
                }
                self.enter_reference(header.tag);
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            (Mode::Forward, Some((_, Action::Empty))) if header.length == Some(0) => {
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            (Mode::Forward, Some((rule, Action::Append(_)))) if depth == 0 && part == Part::Sequence => {
                self.appending = Some((rule, self.open, header.items()));
                self.open_part(part, header.length, (header.syntax, header.items()), raw, input, out)
            }
            (Mode::Forward, Some((_, Action::Refuse(problem)))) => {
                Err(RewriteError::new(header.tag, depth, *problem))
            }
            (Mode::Forward, Some((rule, action))) if self.replaces_sequence(rule, action) => {
                self.replace_sequence((rule, action), part, header, out)
            }
            (Mode::Forward, Some((rule, _))) => {
                Err(RewriteError::new(header.tag, depth, RewriteProblem::NotForSequences { rule }))
            }
        }
    }

    /// Sends what an action puts in a sequence's place, which may be nothing, and passes over what the sequence holds.
    fn replace_sequence(
        &mut self,
        (rule, action): (usize, &Action),
        part: Part,
        header: Header,
        out: &mut Output,
    ) -> Result<(), RewriteError> {
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
        self.note_misfit(rule, None);
        self.notes.changed_sequence(&self.scanner, header, rule, part, removes, after);
        self.skipping = Some(self.open);
        self.open += 1;
        Ok(())
    }

    pub(super) fn open_part(
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

    pub(super) fn close(
        &mut self,
        kind: Kind,
        raw: Raw,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        self.open = self.open.saturating_sub(1);
        if let Some(until) = self.skipping {
            if self.open == until {
                self.skipping = None;
            }
            return Ok(());
        }
        self.hidden = self.hidden.filter(|until| self.open > *until);
        self.reference = self.reference.filter(|until| self.open > *until);
        if kind == Kind::FragmentsEnd && self.current.doing == Doing::Decode {
            return self.end_decoding();
        }
        if kind == Kind::ItemEnd {
            self.scopes.close();
            if let Some(content) = &mut self.content {
                content.close();
            }
            if self.scanner.depth() == 1
                && let Some(declared) = &mut self.declared
            {
                declared.close(&self.rules.creators);
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
}
