//! One data set on its way through the rules.

mod addition;
mod beside;
mod chosen;
mod cleaning;
mod edit;
mod element;
mod fit;
mod issuer;
mod masking;
mod patient;
mod reading;
mod sending;
mod sequence;
mod waiting;

use std::sync::Arc;

use super::applying::{self, Cannot, Plan};
use super::character_set::CharacterSet;
use super::current::{Current, Doing};
use super::decay::is_of_decaying;
use super::error::{RewriteError, RewriteProblem};
use super::facts::Facts;
use super::identifiers::Recalled;
use super::levels::{Levels, Part, Source};
use super::lookahead::{Image, Lookahead, Wanted};
use super::mode::Mode;
use super::notes::Notes;
use super::output::Output;
use super::pixels::{Codec, Masking, may_have_regions};
use super::profile::{BurnedIn, ContentItems, DeclaredSafe, Pixels, ProfileOption};
use super::scope::Scopes;
use super::step::Step;
use super::subject::{LeftOut, Subject};
use super::table::Ruleset;
use super::way::Way;
use crate::buffer::Corner;
use crate::dataset::{Event, Header, Kind, Mending, Raw, Scanner, Syntax, Tag, Vr, exact_vr_of};
use crate::wire::Uid;
use beside::Beside;
use waiting::Waited;

/// A value longer than this at the top of the data set is no longer its header.
const BULK: u32 = 8 << 10;
/// Behind so many bytes, what would be refused for its header has been.
const HEADER: u64 = 64 << 10;
/// Behind so many bytes, nobody waits any longer for what the object says of its pixels.
const LATEST: u64 = 1 << 20;

/// Bytes of a header that were held back, and how far they have been read.
type Ready = (Vec<u8>, usize);

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
    /// Until the header is known to be well-formed, where it may be put right.
    mending: Option<Box<Mending>>,
    /// A header that waited for that, and how far it has been read.
    ready: Option<Ready>,
    /// Until the Patient ID, identifiers that are looked for, and the image's description are known, where they are needed.
    lookahead: Option<Box<Lookahead>>,
    /// What waited for these.
    known: Option<Waited>,
    /// Where that lies; `None`: where it shares with nobody.
    pub(super) waits_in: Option<Corner>,
    /// What found identifiers in the texts of the data set before.
    pub(super) recalled: Recalled,
    /// What has to be done before the next event.
    pending: Option<Step>,
    /// The character set that the data set has to get, until it has it.
    chosen: Option<CharacterSet>,
    /// What is to stand behind the Patient ID, until it does.
    issuer: Option<Vec<u8>>,
    /// Why the object is refused before anything of it is read.
    refused: Option<RewriteProblem>,
    /// Where burned-in text is refused, and no mask can fit.
    pixels: Option<Pixels>,
    masking: Masking,
    /// What stands beside the pixels in the same bytes, where it is not to go out.
    pub(super) beside: Option<Box<Beside>>,
    /// What can decode the pixel data, where decoded ones may be sent.
    pub(super) codec: Option<Codec>,
    /// Where frames lie meanwhile; `None`: where they share with nobody.
    pub(super) corner: Option<Corner>,
    /// Whether overlays in the pixels' unused bits are refused, masked or not.
    guards_pixels: bool,
    /// Where structured content is cleaned.
    content: Option<ContentItems>,
    /// Where what the object calls safe is kept.
    declared: Option<DeclaredSafe>,
    /// A sequence at the top is open that gets items at its end: its rule, how many were open around it, its encoding.
    appending: Option<(usize, usize, Syntax)>,
    /// How many were open around the innermost sequence that stays for the UIDs in its items.
    reference: Option<usize>,
    subject: Subject,
    /// Nothing can be looked for by its value until no more than so many are open.
    hidden: Option<usize>,
    /// What is left out, whatever the rules make of it.
    pub(super) left_out: Option<LeftOut>,
}

/// What a data set is looked through for before anything of it goes on.
fn wanted(rules: &Ruleset, way: Way, mode: Mode, image: Option<Image>) -> Wanted {
    let restores = way == Way::ToReal;
    let sources = rules.identifiers.as_ref().filter(|_| mode == Mode::Forward);
    // Whose what is restored may be depends on whom the data set is on, whatever the rules make of that.
    let patient = rules.needs_patient || restores || rules.reads_issuer();
    let sources = sources.map(|(sources, _)| Arc::clone(sources));
    Wanted { patient, issuer: rules.with_issuer && patient, restores, image, sources }
}

/// What has to be known of an object's pixels before they go on: whether they are likely to carry text, or which of the
/// masks is theirs.
fn judged(burned_in: &BurnedIn, class: &Uid) -> (Option<Pixels>, Option<Image>) {
    match burned_in {
        BurnedIn::Mask { masks, by_regions, .. }
            if masks.iter().any(|mask| mask.fits_class(class)) || *by_regions && may_have_regions(class) =>
        {
            (None, Some(Image::new(class)))
        }
        BurnedIn::Pass | BurnedIn::Mask { refuse_others: false, .. } => (None, None),
        BurnedIn::Refuse | BurnedIn::Mask { .. } => (Some(Pixels::new(class)), None),
    }
}

/// At the start of a data set.
fn scanner_of(rules: &Ruleset, syntax: Syntax) -> Scanner {
    let scanner = Scanner::new(syntax, rules.max_depth);
    if rules.is_tolerant { scanner.tolerating() } else { scanner }
}

impl Rewriting {
    pub(super) fn new(rules: Arc<Ruleset>, syntax: Syntax, way: Way, subject: Subject) -> Self {
        let profile = rules.profile().filter(|_| way == Way::ToPseudonyms && subject != Subject::Keys);
        let class = match &subject {
            Subject::Object(expected) => Some(&expected.sop_class_uid),
            Subject::Keys | Subject::Attributes => None,
        };
        let object = profile.zip(class);
        // What is likely to carry text, only the class and the description of an object tell.
        let shows_pixels = class.is_some() || profile.is_none_or(|spec| spec.burned_in == BurnedIn::Pass);
        let burned_in = object.map_or(&BurnedIn::Pass, |(profile, _)| &profile.burned_in);
        let (pixels, image) = class.map_or((None, None), |class| judged(burned_in, class));
        let guards_pixels = match burned_in {
            BurnedIn::Pass => false,
            BurnedIn::Refuse => true,
            BurnedIn::Mask { refuse_others, .. } => *refuse_others,
        };
        let mode = Mode::of(way, &subject);
        // Only objects that are de-identified get what they lack.
        let next_addition = if mode == Mode::Forward { 0 } else { rules.additions.len() };
        Self {
            facts: Facts { way, mode, decays: class.is_some_and(is_of_decaying), ..Facts::default() },
            guards_pixels,
            masking: if shows_pixels { Masking::Pass } else { Masking::Refuse },
            beside: profile.map(|_| Box::default()),
            codec: None,
            corner: None,
            waits_in: None,
            mending: rules.is_tolerant.then(|| Box::new(Mending::new(syntax, rules.max_depth))),
            ready: None,
            known: None,
            pending: None,
            lookahead: Lookahead::new(scanner_of(&rules, syntax), wanted(&rules, way, mode, image)),
            recalled: Recalled::default(),
            chosen: None,
            issuer: None,
            refused: object.and_then(|(profile, class)| profile.refuses_class(class)),
            pixels,
            content: profile
                .filter(|profile| profile.has(ProfileOption::CleanStructuredContent))
                .map(|_| ContentItems::default()),
            declared: profile
                .filter(|profile| profile.has(ProfileOption::RetainSafePrivate))
                .map(|_| DeclaredSafe::default()),
            appending: None,
            scanner: scanner_of(&rules, syntax),
            rules,
            levels: Levels::new(),
            scopes: Scopes::new(),
            current: Current::new(syntax),
            notes: Notes::new(&subject, way),
            subject,
            reference: None,
            hidden: None,
            left_out: None,
            open: 0,
            skipping: None,
            next_addition,
            bulk_seen: false,
            new: Vec::new(),
        }
    }

    pub(super) fn wait_at_most(&mut self, most: u64) {
        if let Some(lookahead) = &mut self.lookahead {
            lookahead.within = most;
        }
    }

    pub(super) fn settled(&self) -> bool {
        let undecided = self.pixels.as_ref().is_some_and(|pixels| !pixels.is_decided());
        let position = self.scanner.position();
        (self.bulk_seen || position > HEADER) && !(undecided && position <= LATEST) && !self.awaits_frame()
    }

    #[inline(never)]
    fn event(&mut self, event: Event, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let Event { kind, raw } = event;
        match (kind, raw) {
            (Kind::Value { rest }, Raw::Input(range)) if self.skipping.is_none() => {
                self.value(Source::Input(range), rest, input, out)
            }
            (Kind::Value { rest }, Raw::Carried) if self.skipping.is_none() => {
                let carried = self.scanner.carried().to_vec();
                self.value(Source::Made(&carried), rest, input, out)
            }
            (Kind::SequenceStart(header), _) if header.is_guessed() && self.skipping.is_some() => {
                self.scanner.pass_over();
                Ok(())
            }
            (Kind::SequenceStart(header), raw) if header.is_guessed() && self.is_edited(&header) => {
                self.scanner.pass_over();
                self.element(header, raw, input, out)
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
                self.facts.schedule.leave_item();
                if let Some(content) = &mut self.content {
                    content.open(self.scanner.path().last().map(|step| step.sequence));
                }
                self.open_part(Part::Item, length, (syntax, syntax), raw, input, out)
            }
            (Kind::Fragment { length }, _) if self.current.doing == Doing::Decode => self.fragment(length),
            (Kind::Fragment { length }, raw) => {
                self.begin_fragment(length);
                self.send_raw(raw, input, out)
            }
        }
    }

    /// Whether a rule says something of the whole value, be it that of a sequence or not. Otherwise what may be a sequence is
    /// one: passed as a value, it would hide from every rule what is in it.
    fn is_edited(&self, header: &Header) -> bool {
        let rule = self.decide(header, self.scanner.depth() == 1);
        self.leaves_out(header.tag)
            || self.hidden.is_some()
            || rule.is_some_and(|rule| self.plan(rule, header) != Plan::Keep)
    }

    fn leaves_out(&self, tag: Tag) -> bool {
        self.left_out.as_ref().is_some_and(|left_out| left_out(tag))
    }

    /// What is to be done with an element on which a rule decides.
    fn plan(&self, rule: usize, header: &Header) -> Plan {
        let Header { tag, vr, length, .. } = *header;
        let vr = if vr == Vr::UN { exact_vr_of(tag).unwrap_or(vr) } else { vr };
        applying::plan(self.facts.mode, self.rules.action(rule), tag, vr, length.unwrap_or(u32::MAX))
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
