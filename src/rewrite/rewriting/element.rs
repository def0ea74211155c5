//! Elements: what is to be done with one, and its value on the way.

use super::super::applying::{self, Plan};
use super::super::character_set::CharacterSet;
use super::super::creator::{CreatorId, is_creator};
use super::super::current::Doing;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::Source;
use super::super::mode::Mode;
use super::super::notes::Notes;
use super::super::output::Output;
use super::super::pixels::{is_extended_table, is_pixel_data};
use super::super::profile::{DeclaredSafe, Pixels};
use super::{BULK, Rewriting, source};
use crate::dataset::{Header, Raw, SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Tag, Vr, exact_vr_of, trim};

/// Longest value that is held to be edited.
pub(super) const LONGEST_READ: u32 = 64 << 10;
/// (0008,0058) Failed SOP Instance UID List.
const FAILED_INSTANCES: Tag = Tag(0x0008, 0x0058);

impl Rewriting {
    pub(super) fn element(
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
        self.current.begin(header, source(raw, &self.scanner));
        if top && self.issuer.is_some() && self.put_issuer(header.tag, out)? {
            self.current.doing = Doing::Skip;
            return Ok(());
        }
        if header.tag.1 == 0 {
            self.current.doing = Doing::Skip;
            return Ok(());
        }
        let watched = self.watches(header.tag, top) || self.hidden.is_some() && length > 0;
        if !watched && self.leaves_out(header.tag) {
            self.current.doing = Doing::Skip;
            return Ok(());
        }
        let rule = if watched { None } else { self.decide(&header, top) };
        let planned = rule.map(|rule| (rule, self.plan(rule, &header)));
        self.current.planned = planned.filter(|_| !is_creator(header.tag) && !self.shows_schedule());
        self.current.doing = match planned.map(|(_, plan)| plan) {
            _ if watched => Doing::Read,
            None | Some(Plan::Keep) => self.doing_with_kept(&header, rule),
            Some(Plan::Edit { reads: true }) => self.fit_or_read(&header, rule),
            Some(_) if self.notes.recorder.is_some() && length <= LONGEST_READ => Doing::Read,
            Some(_) => Doing::Skip,
        };
        if self.current.doing == Doing::Pass && is_pixel_data(header.tag) {
            self.begin_pixels(&header)?;
        }
        if self.current.doing == Doing::Pass && is_extended_table(header.tag) {
            self.begin_extended_table(&header);
        }
        match (self.current.doing, planned) {
            (Doing::Read | Doing::Fit | Doing::Clean(_), _) if length > LONGEST_READ => {
                Err(self.error(RewriteProblem::TooLong))
            }
            (Doing::Read | Doing::Fit, _) if length == 0 => self.complete(Source::Made(&[]), input, out),
            (Doing::Pass | Doing::Blank | Doing::Watch | Doing::Trim(_) | Doing::Aside, _) => {
                self.send_head(input, out)
            }
            (Doing::Skip, Some(planned)) => self.apply(planned, None, input, out),
            (Doing::Read | Doing::Fit | Doing::Clean(_) | Doing::Skip | Doing::Decode, _) => Ok(()),
        }
    }

    pub(super) fn value(
        &mut self,
        part: Source<'_>,
        rest: u32,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        if self.current.header.tag.0 == 0x0028 {
            self.read_extent(&part, rest, input);
        }
        match self.current.doing {
            Doing::Pass => self.send(part, input, out),
            Doing::Aside => self.send_aside(&part, input, out),
            Doing::Trim(excess) => self.send_trimmed(&part, rest, excess, input, out),
            Doing::Blank => self.blank(part, rest, input, out),
            Doing::Decode => self.compressed(part.bytes(input)),
            Doing::Skip => Ok(()),
            Doing::Watch => self.watch(part, input, out),
            Doing::Fit if rest == 0 && self.fits(&part, input) => {
                self.send_head(input, out)?;
                self.send(part, input, out)
            }
            Doing::Read | Doing::Fit | Doing::Clean(_) if rest == 0 && self.current.value.is_empty() => {
                self.read(part, input, out)
            }
            Doing::Read | Doing::Fit | Doing::Clean(_) => {
                self.current.value.extend_from_slice(part.bytes(input));
                if rest > 0 {
                    return Ok(());
                }
                let value = std::mem::take(&mut self.current.value);
                let result = self.read(Source::Made(&value), input, out);
                self.current.value = value;
                result
            }
        }
    }

    /// The element's value is there whole.
    fn read(&mut self, value: Source<'_>, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        match self.current.doing {
            Doing::Clean(reach) => self.clean(reach, value, input, out),
            _ => self.complete(value, input, out),
        }
    }

    /// The element's value has been read whole, to be looked at.
    fn complete(&mut self, value: Source<'_>, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let Header { tag, vr, .. } = self.current.header;
        let old = value.bytes(input);
        if self.hidden.is_some() && tag != SPECIFIC_CHARACTER_SET && !applying::is_universal(vr, trim(old)) {
            return Err(self.error(RewriteProblem::NotAKey));
        }
        let top = self.scanner.depth() == 0;
        if top {
            self.check_overlay(tag, old)?;
            self.notes.read(tag, old).map_err(|problem| self.error(problem))?;
            self.note_whose(tag, old).map_err(|problem| self.error(problem))?;
            self.ask_for_issuer(tag);
            if let Some(pixels) = &mut self.pixels {
                pixels.read(tag, old);
            }
        }
        if let Some(content) = self.content.as_mut().filter(|content| content.wants(tag)) {
            content.read(tag, old);
        }
        if self.declares(tag)
            && let Some(declared) = &mut self.declared
        {
            declared.read(tag, old, self.current.header.syntax);
        }
        if top && tag == SPECIFIC_CHARACTER_SET && self.chosen.is_some() {
            return self.put_chosen_set(out);
        }
        if tag == SPECIFIC_CHARACTER_SET {
            self.scopes.set_character_set(CharacterSet::of(old));
        }
        if let Some(planned) = self.current.planned {
            return self.finished(Some(planned), value, input, out);
        }
        let rule = if is_creator(tag) {
            let creator = match &self.declared {
                Some(declared) => declared.creator_id(trim(old), &self.rules.creators),
                None => self.rules.creator_id(trim(old)),
            };
            self.scopes.reserve(tag, creator);
            let rule = self.rules.decide_on_creator(tag, creator, self.facts.mode);
            rule.filter(|&rule| !self.is_called_safe(tag, creator, rule))
        } else {
            self.decide(&self.current.header, top)
        };
        let is_shown =
            self.shows_schedule() && self.facts.schedule.shows(self.sequence_of(), tag, Some(trim(old)));
        let rule = rule.filter(|_| !is_shown);
        let planned = rule.map(|rule| (rule, self.plan(rule, &self.current.header)));
        self.finished(planned, value, input, out)
    }

    /// What becomes of the element is known, and so is its value.
    fn finished(
        &mut self,
        planned: Option<(usize, Plan)>,
        value: Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        if self.leaves_out(self.current.header.tag) {
            return Ok(());
        }
        match planned.filter(|(_, plan)| *plan != Plan::Keep) {
            Some(planned) => self.apply(planned, Some(value), input, out),
            None => {
                let kept_by = planned.map(|(rule, _)| rule);
                if let Some(reach) = self.reach(&self.current.header, kept_by) {
                    return self.clean(reach, value, input, out);
                }
                self.send_head(input, out)?;
                self.send(value, input, out)
            }
        }
    }

    /// Whether the value is to be looked at, whatever becomes of it.
    fn watches(&self, tag: Tag, top: bool) -> bool {
        match tag {
            _ if top && Notes::wants(tag) => true,
            _ if top && self.pixels.is_some() && Pixels::wants(tag) => true,
            _ if top && self.guards_overlay(tag) => true,
            _ if !top && self.content.as_ref().is_some_and(|content| content.wants(tag)) => true,
            _ if self.declares(tag) => true,
            _ if !top && self.shows_schedule() && self.facts.schedule.reads(self.sequence_of(), tag) => true,
            // At the top, the Patient ID is read in it.
            SPECIFIC_CHARACTER_SET => top || self.rules.reads_text,
            _ => is_creator(tag) && !self.rules.creators.is_empty(),
        }
    }

    /// Whether the element says which private blocks are safe.
    fn declares(&self, tag: Tag) -> bool {
        self.declared.is_some()
            && self.scanner.depth() == 1
            && DeclaredSafe::wants(tag, self.scanner.path().last())
    }

    /// Whether the object calls a private element safe, or something in the block of a creator, on which the profile's
    /// rule for what is private has decided.
    fn is_called_safe(&self, tag: Tag, creator: Option<CreatorId>, rule: usize) -> bool {
        let private = self.rules.profile.as_ref().is_some_and(|profile| profile.private_rule() == rule);
        let Some(declared) = self.declared.as_ref().filter(|_| private) else { return false };
        if is_creator(tag) { declared.keeps_creator(tag.0, creator) } else { declared.holds(tag, creator) }
    }

    /// The innermost sequence.
    fn sequence_of(&self) -> Option<Tag> {
        self.scanner.path().last().map(|step| step.sequence)
    }

    /// The profile's rule in the place of one that replaces a pattern, where what that leaves does not matter.
    fn or_behind(&self, rule: usize) -> usize {
        let then = if self.rules.behind.is_empty() { None } else { self.rules.behind(rule) };
        let matters = |then: &usize| self.facts.mode == Mode::Forward && self.rules.action(*then).reads();
        then.filter(|then| !matters(then)).unwrap_or(rule)
    }

    pub(super) fn decide(&self, header: &Header, top: bool) -> Option<usize> {
        let tag = header.tag;
        if self.shows_schedule() && self.facts.schedule.shows(self.sequence_of(), tag, None) {
            return None;
        }
        if is_creator(tag) {
            return self.rules.decide_on_creator(tag, None, self.facts.mode);
        }
        // Under a profile, what an attribute is decides, and not what its sender wrote.
        let own = self.rules.profile.is_some() || header.vr == Vr::UN;
        let vr = if own { exact_vr_of(tag).unwrap_or(header.vr) } else { header.vr };
        let creator = self.scopes.creator_of(tag);
        let rule = self.rules.decide(tag, vr, creator).map(|rule| self.or_behind(rule));
        // It names what SOP Instance UID names, in whatever rules an administrator wrote.
        let rule = match tag {
            FAILED_INSTANCES if rule.is_none() => self.rules.decide(SOP_INSTANCE_UID, Vr::UI, None),
            _ => rule,
        };
        let rule = match (rule, &self.rules.profile) {
            (Some(rule), Some(profile)) if self.is_called_safe(tag, creator, rule) => {
                Some(profile.of_declared(vr, header.vr))
            }
            _ => rule,
        };
        let rule = if top { self.of_masked(tag, rule).or(rule) } else { rule };
        let rule = match (&self.content, &self.rules.profile) {
            (Some(content), Some(profile)) if rule.is_none_or(|rule| rule >= self.rules.explicit) => {
                content.decide(tag, &profile.spec, &profile.content).or(rule)
            }
            _ => rule,
        };
        self.fitting(header, top, rule).or(rule)
    }
}
