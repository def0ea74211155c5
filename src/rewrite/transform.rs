//! The streaming transform of one data set.

use std::sync::Arc;

use time::Date;

use super::change::{Change, Recorder};
use super::correspondence::{Correspondence, Correspondences};
use super::deflated::Deflated;
use super::error::{RewriteError, RewriteProblem};
use super::facts::Facts;
use super::identifiers::Recalled;
use super::instance::Instance;
use super::notes::Summary;
use super::output::Output;
use super::patient_id::is_nobody;
use super::pixels::{Codec, Frame, Pixels};
use super::rewriting::Rewriting;
use super::step::Step;
use super::subject::{Expected, LeftOut, Subject};
use super::table::Ruleset;
use super::way::Way;
use crate::buffer::Corner;
use crate::dataset::Encoding;

/// Bytes of one data set in, in any chunking, bytes to send out. Its memory does not depend on the data set's size.
///
/// After an error, every further call gives the same error: what has been sent must not be called complete.
pub struct Transform {
    work: Work,
    failed: Option<RewriteError>,
    finished: bool,
}

enum Work {
    Identity,
    Plain(Box<Rewriting>),
    Deflated(Box<Deflated>),
}

impl Transform {
    /// What comes in goes out, whatever it is.
    pub fn identity() -> Self {
        Self::of(Work::Identity)
    }

    /// Whether what comes in goes out, whatever it is.
    pub fn is_identity(&self) -> bool {
        matches!(self.work, Work::Identity)
    }

    /// A transform of an object by rules, at the start of its data set.
    pub fn new(rules: Arc<Ruleset>, encoding: Encoding, expected: Expected) -> Self {
        Self::across(rules, Way::ToPseudonyms, Subject::Object(expected), encoding)
    }

    /// A transform of a data set that crosses the boundary between real values and pseudonyms. What is real is told by a
    /// [crosswalk](Self::with_crosswalk); without one, nothing can come back.
    pub fn across(rules: Arc<Ruleset>, way: Way, subject: Subject, encoding: Encoding) -> Self {
        let max_inflated = rules.max_inflated;
        let rewriting = Rewriting::new(rules, encoding.syntax, way, subject);
        Self::of(if encoding.deflated {
            Work::Deflated(Box::new(Deflated::new(rewriting, max_inflated)))
        } else {
            Work::Plain(Box::new(rewriting))
        })
    }

    /// Writes a canary into every text of a data set, each with its own number, to see which of them survive a rewrite.
    ///
    /// [`changes`](Self::changes) tell which number was planted where.
    pub fn planting_canaries(encoding: Encoding, expected: Expected) -> Self {
        Self::new(Arc::new(Ruleset::canaries()), encoding, expected).recording_changes()
    }

    fn of(work: Work) -> Self {
        Self { work, failed: None, finished: false }
    }

    /// Asks for [`changes`](Self::changes). They hold patients' data.
    pub fn recording_changes(mut self) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.notes.recorder = Some(Recorder::default());
        }
        self
    }

    /// Says whose association it is, for values with `{peer}` in them.
    pub fn for_peer(mut self, name: Arc<str>) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.peer = Some(name);
        }
        self
    }

    /// Says which day it is, for dates that the sender's own clock wrote.
    pub fn on(mut self, today: Date) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.today = Some(today);
        }
        self
    }

    /// Says by its AE title who asks, or asked, and whether that was for [its own schedule](Self::asks_own_schedule).
    pub fn asked_by(mut self, title: Arc<str>, own_schedule: bool) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            (rewriting.facts.schedule.title, rewriting.facts.schedule.is_own) = (Some(title), own_schedule);
        }
        self
    }

    /// Whether a worklist query asks for what is scheduled for its sender, or now.
    pub fn asks_own_schedule(&self) -> bool {
        self.rewriting().is_some_and(|rewriting| rewriting.facts.schedule.is_own)
    }

    /// Says by the [key](super::patient_key) of the patient on whom it is, where the data set itself does not.
    pub fn about(mut self, patient: Option<Vec<u8>>) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.about = patient.filter(|patient| !is_nobody(patient));
        }
        self
    }

    /// Says whether the keys are those of a retrieval, which takes no others than the unique ones (PS3.4 C.4.2.1.4).
    pub fn retrieving(mut self, retrieves: bool) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.retrieves = retrieves;
        }
        self
    }

    /// Says what remembers pseudonyms: those that are known are used, and those made are to be
    /// [taken](Self::take_correspondences) and remembered before what is made of them is sent on.
    pub fn with_crosswalk(mut self, known: Arc<dyn Correspondences>) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.pseudonyms.remembered_by(known);
            rewriting.remember_whose();
        }
        self
    }

    /// Says which instance the command names: what is to be remembered of it is, together with the data set's own.
    pub fn of_instance(mut self, instance: Instance) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.pseudonyms.add(instance);
        }
        self
    }

    /// Says what is left out besides, whatever the rules make of it. They look at it all the same: whom a data set is on still
    /// counts for its dates.
    pub fn leaving_out(mut self, left_out: LeftOut) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.left_out = Some(left_out);
        }
        self
    }

    /// Says whose the peer is, for values with `{tenant}` in them.
    pub fn of_tenant(mut self, tenant: Option<Arc<str>>) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.tenant = tenant;
        }
        self
    }

    /// The pseudonyms made since the last call, where there is a crosswalk; each once. Those of the data set's own SOP
    /// Instance UID, and with it of the command's (0000,1000), are among them; so are those that were known without a
    /// patient, where the data set says whose they are.
    pub fn take_correspondences(&mut self) -> Vec<Correspondence> {
        let Some(rewriting) = self.rewriting_mut() else { return Vec::new() };
        let Facts { way, patient, whose, about, pseudonyms, .. } = &mut rewriting.facts;
        let written = rewriting.notes.summary.patient_id.as_deref().filter(|written| !is_nobody(written));
        let says = written.is_some() && *way == Way::ToPseudonyms;
        let known = patient.as_deref().or(whose.as_deref());
        pseudonyms.take(known.or(written).or(about.as_deref()), says)
    }

    /// On whom the data set is, by the [key](super::patient_key) of the patient as a crosswalk knows it, where it said so or that was known.
    pub fn patient(&self) -> Option<&[u8]> {
        let facts = &self.rewriting()?.facts;
        facts.patient.as_deref().or(facts.whose.as_deref())
    }

    /// Whether a Patient ID of the data set, as it is written there, is looked for with wildcards, or several.
    pub fn is_pattern(&self, patient: &[u8]) -> bool {
        self.rewriting().is_some_and(|rewriting| rewriting.is_pattern(patient))
    }

    /// A text at the top of the data set, in UTF-8 where its character set tells it for certain; else the bytes.
    pub fn text_of(&self, value: &[u8]) -> Vec<u8> {
        self.rewriting().map_or_else(|| value.to_vec(), |rewriting| rewriting.text_of(value))
    }

    /// Says which of its association the data set is, counted from 1, for values with `{sequence}` in them.
    pub fn numbered(mut self, number: u64) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.facts.number = Some(number);
        }
        self
    }

    /// Says in which transfer syntax the data set is. Without this, nothing is known of how compressed frames are made, and they
    /// pass as they came.
    pub fn in_syntax(mut self, transfer_syntax_uid: &str) -> Self {
        if let Some(beside) = self.rewriting_mut().and_then(|rewriting| rewriting.beside.as_mut()) {
            beside.asides.of_syntax(transfer_syntax_uid);
        }
        self
    }

    /// Says that pixel data of this transfer syntax may come out decoded, in explicit VR little endian, where the rules decode to
    /// mask. Without this they are refused.
    pub fn may_decode(mut self, transfer_syntax_uid: &str) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.codec = Codec::of(transfer_syntax_uid);
        }
        self
    }

    /// Says where frames lie until all of one has come, and until its pixels are sent. Without this they share their memory
    /// with nobody.
    pub fn holding_in(mut self, corner: Corner) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.corner = Some(corner);
        }
        self
    }

    /// Says where the beginning of a data set lies until all is known that it depends on. Without this it shares its memory
    /// with nobody.
    pub fn waiting_in(mut self, corner: Corner) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.waits_in = Some(corner);
        }
        self
    }

    /// Says what was looked for in the data set before, which may be of the same patient.
    pub fn recalling(mut self, recalled: Recalled) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.recalled = recalled;
        }
        self
    }

    /// Says how many bytes of a data set may wait; without this 16 MiB may. One that needs more is refused.
    pub fn waiting_with(mut self, most: u64) -> Self {
        if let Some(rewriting) = self.rewriting_mut() {
            rewriting.wait_at_most(most);
        }
        self
    }

    /// Whether what comes out is in explicit VR little endian, decoded. Known before anything does.
    pub fn decodes(&self) -> bool {
        self.rewriting().is_some_and(Rewriting::decodes)
    }

    /// Reads the input on from `at`, moves that behind what was read, and appends to `output` what to send for it: with
    /// the same input until it is [`Step::Done`].
    ///
    /// # Errors
    /// The data set cannot be read or rewritten; what was appended before is a part of it, and must not be called whole.
    pub fn step(&mut self, input: &[u8], at: &mut usize, output: &mut Output) -> Result<Step, RewriteError> {
        self.guarded(|work| match work {
            Work::Identity => {
                output.pass(*at..input.len());
                *at = input.len();
                Ok(Step::Done)
            }
            Work::Plain(rewriting) => {
                output.make_room();
                rewriting.step(input, at, output)
            }
            Work::Deflated(deflated) => deflated.step(input, at, output),
        })
    }

    /// Says that the data set is complete, and appends to `output` what remains to be sent, until it is [`Step::Done`].
    ///
    /// # Errors
    /// It ended inside an element, or lacks (0008,0018).
    pub fn finish_step(&mut self, output: &mut Output) -> Result<Step, RewriteError> {
        let step = self.guarded(|work| match work {
            Work::Identity => Ok(Step::Done),
            Work::Plain(rewriting) => rewriting.finish_step(output),
            Work::Deflated(deflated) => deflated.finish_step(output),
        })?;
        self.finished = matches!(step, Step::Done);
        Ok(step)
    }

    /// Takes the pixels of the frame that was asked for.
    ///
    /// # Errors
    /// It could not be decoded, or is not what was described.
    pub fn decoded(&mut self, pixels: Pixels) -> Result<(), RewriteError> {
        self.guarded(|work| match work {
            Work::Identity | Work::Deflated(_) => Ok(()),
            Work::Plain(rewriting) => rewriting.decoded(pixels),
        })
    }

    /// [`step`](Self::step), with all steps at once, for who has nothing else to do.
    ///
    /// # Errors
    /// The data set cannot be read, or must not be sent as it is; nothing of it may be sent on, not even what this call
    /// put into `output`.
    pub fn push(&mut self, input: &[u8], output: &mut Output) -> Result<(), RewriteError> {
        let mut at = 0;
        while let Some(frame) = more(self.step(input, &mut at, output)?) {
            if let Some(frame) = frame {
                self.decoded(frame.decode(u64::MAX))?;
            }
        }
        Ok(())
    }

    /// [`finish_step`](Self::finish_step), with all steps at once.
    ///
    /// # Errors
    /// The data set cannot be read, or must not be sent as it is; nothing of it may be sent on, not even what this call
    /// put into `output`.
    pub fn finish(&mut self, output: &mut Output) -> Result<(), RewriteError> {
        while let Some(frame) = more(self.finish_step(output)?) {
            if let Some(frame) = frame {
                self.decoded(frame.decode(u64::MAX))?;
            }
        }
        Ok(())
    }

    /// What was found and done so far; empty for an identity.
    pub fn summary(&self) -> &Summary {
        match &self.work {
            Work::Identity => &Summary::NOTHING,
            Work::Plain(rewriting) => &rewriting.notes.summary,
            Work::Deflated(deflated) => &deflated.rewriting.notes.summary,
        }
    }

    /// The elements changed so far, where they were asked for, 10,000 at most.
    pub fn changes(&self) -> &[Change] {
        self.rewriting()
            .and_then(|rewriting| rewriting.notes.recorder.as_ref())
            .map_or(&[], |recorder| &recorder.changes)
    }

    /// Changes beyond those that [`changes`](Self::changes) has room for.
    pub fn changes_left_out(&self) -> u64 {
        self.rewriting()
            .and_then(|rewriting| rewriting.notes.recorder.as_ref())
            .map_or(0, |recorder| recorder.more)
    }

    /// Whether the header of the data set is past, and with it nearly all that is refused: the pixel data or another long
    /// value has begun, 64 KiB have been read, or the data set is complete; of pixel data that are decoded, that the first frame
    /// is. Always so for an identity.
    pub fn settled(&self) -> bool {
        self.rewriting().is_none_or(Rewriting::settled)
    }

    fn rewriting(&self) -> Option<&Rewriting> {
        match &self.work {
            Work::Identity => None,
            Work::Plain(rewriting) => Some(rewriting),
            Work::Deflated(deflated) => Some(&deflated.rewriting),
        }
    }

    fn rewriting_mut(&mut self) -> Option<&mut Rewriting> {
        match &mut self.work {
            Work::Identity => None,
            Work::Plain(rewriting) => Some(rewriting),
            Work::Deflated(deflated) => Some(&mut deflated.rewriting),
        }
    }

    fn guarded<T>(
        &mut self,
        step: impl FnOnce(&mut Work) -> Result<T, RewriteError>,
    ) -> Result<T, RewriteError> {
        let result = match &self.failed {
            Some(error) => Err(error.clone()),
            None if self.finished => Err(RewriteError::whole(RewriteProblem::Finished)),
            None => step(&mut self.work),
        };
        if let Err(error) = &result {
            self.failed = Some(error.clone());
        }
        result
    }
}

/// Whether more is to be done, and the frame to be decoded for it.
fn more(step: Step) -> Option<Option<Box<Frame>>> {
    match step {
        Step::Done => None,
        Step::More => Some(None),
        Step::Frame(frame) => Some(Some(frame)),
    }
}
