//! Pixel data, where masks may fit them.

use super::super::current::Doing;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::{Source, TooLong};
use super::super::lookahead::Image;
use super::super::output::Output;
use super::super::pixels::{Masking, Means, Pixels, Wanted, is_overlay_layout, lies_in_pixels};
use super::super::profile::BurnedIn;
use super::super::step::Step;
use super::{LATEST, Rewriting};
use crate::buffer::Shelf;
use crate::dataset::{Header, PIXEL_DATA, Tag};

impl Rewriting {
    /// What becomes of the pixels of the object, now that its image is known.
    pub(super) fn masking_of(&self, image: &Image) -> Result<Masking, RewriteError> {
        let Some(BurnedIn::Mask { masks, by_regions, refuse_others, decode_up_to }) =
            self.rules.profile().map(|profile| &profile.burned_in)
        else {
            return Ok(Masking::Pass);
        };
        let risk = image.pixels.risk().filter(|_| *refuse_others);
        let means = self.codec.zip(*decode_up_to).map(|(codec, largest)| Means {
            codec,
            largest,
            corner: self.corner.clone().unwrap_or_else(Shelf::of_one),
        });
        let wanted = Wanted { masks, by_regions: *by_regions };
        let decided = Masking::decide(wanted, &image.description, risk, self.scanner.root_syntax(), means);
        decided.map_err(|(tag, problem)| RewriteError::new(tag, 0, problem))
    }

    pub(super) fn is_masked(&self) -> bool {
        matches!(self.masking, Masking::Blank(_))
    }

    /// The rule for an element at the top of an object whose pixels are masked, unless an administrator's decides.
    pub(super) fn of_masked(&self, tag: Tag, rule: Option<usize>) -> Option<usize> {
        let free = self.is_masked() && rule.is_none_or(|rule| rule >= self.rules.explicit);
        let masked = self.rules.profile.as_ref().and_then(|profile| profile.masked).filter(|_| free)?;
        match &self.masking {
            Masking::Blank(blanking) if blanking.decodes() => {
                masked.decide(tag).or_else(|| masked.decide_on_decoded(tag, blanking.makes_rgb()))
            }
            _ => masked.decide(tag),
        }
    }

    /// Whether pixel data are decoded.
    pub(in crate::rewrite) fn decodes(&self) -> bool {
        matches!(&self.masking, Masking::Blank(blanking) if blanking.decodes())
    }

    /// Encapsulated pixel data at the top that are decoded.
    pub(super) fn begin_decoding(&mut self, header: &Header, out: &mut Output) -> Result<(), RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(()) };
        let native = blanking.begin_decoding(self.scanner.position());
        let (vr, length) = native.map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))?;
        self.open += 1;
        self.current.doing = Doing::Decode;
        if let Some(masked) = self.rules.profile.as_ref().and_then(|profile| profile.masked) {
            self.notes.masked(header, masked.pixels);
        }
        self.put_head(header.tag, vr, header.syntax, length, out)
    }

    pub(super) fn fragment(&mut self, length: u32) -> Result<(), RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(()) };
        let frame = blanking.fragment(length).map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))?;
        self.pending = frame.map(|frame| Step::Frame(Box::new(frame)));
        Ok(())
    }

    pub(super) fn compressed(&mut self, bytes: &[u8]) -> Result<(), RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(()) };
        blanking.compressed(bytes).map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))
    }

    pub(super) fn end_decoding(&mut self) -> Result<(), RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(()) };
        let frame = blanking.last_frame().map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))?;
        self.current.doing = Doing::Skip;
        self.pending = Some(Step::Frame(Box::new(frame)));
        Ok(())
    }

    /// The pixels of the frame that was handed out.
    pub(in crate::rewrite) fn decoded(&mut self, pixels: Pixels) -> Result<(), RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(()) };
        blanking.take(pixels).map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))
    }

    /// Sends a piece of a frame that was decoded; whether there was one.
    pub(super) fn send_decoded(&mut self, out: &mut Output) -> Result<bool, RewriteError> {
        let Masking::Blank(blanking) = &mut self.masking else { return Ok(false) };
        let piece = blanking.next_piece().map_err(|problem| RewriteError::new(PIXEL_DATA, 0, problem))?;
        let Some(piece) = piece else { return Ok(false) };
        self.send(Source::Made(&piece), &[], out)?;
        Ok(true)
    }

    /// Whether nothing goes out yet because a frame has to be decoded first.
    pub(super) fn awaits_frame(&self) -> bool {
        matches!(&self.masking, Masking::Blank(blanking) if blanking.awaits_frame(self.scanner.position(), LATEST))
    }

    /// Native pixel data, of any kind and at any depth, that no rule takes away.
    pub(super) fn begin_pixels(&mut self, header: &Header) -> Result<(), RewriteError> {
        let depth = self.scanner.depth();
        let refused = |problem| Err(RewriteError::new(header.tag, depth, problem));
        match &mut self.masking {
            Masking::Pass => return self.begin_native(header),
            Masking::NoPixels => return refused(RewriteProblem::Unmaskable),
            Masking::Refuse if header.length == Some(0) => return Ok(()),
            Masking::Refuse => return refused(RewriteProblem::PixelsOfNoObject),
            Masking::Blank(_) if depth > 0 => return refused(RewriteProblem::NestedPixels),
            Masking::Blank(_) if header.tag != PIXEL_DATA => return refused(RewriteProblem::Unmaskable),
            Masking::Blank(blanking) => {
                blanking.begin(header).map_err(|(tag, problem)| RewriteError::new(tag, 0, problem))?;
            }
        }
        self.current.doing = Doing::Blank;
        if let Some(masked) = self.rules.profile.as_ref().and_then(|profile| profile.masked) {
            self.notes.masked(header, masked.pixels);
        }
        Ok(())
    }

    /// Encapsulated pixel data, that no rule takes away.
    pub(super) fn check_compressed(&self, tag: Tag, depth: usize) -> Result<(), RewriteError> {
        match self.masking {
            Masking::Pass => Ok(()),
            Masking::Refuse => Err(RewriteError::new(tag, depth, RewriteProblem::PixelsOfNoObject)),
            _ => Err(RewriteError::new(tag, depth, RewriteProblem::CompressedPixels)),
        }
    }

    /// Sends bytes of pixel data, with new ones for those that are masked.
    pub(super) fn blank(
        &mut self,
        part: Source<'_>,
        rest: u32,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let (Masking::Blank(blanking), Source::Input(range)) = (&self.masking, part) else {
            return Err(self.error(RewriteProblem::Unmaskable));
        };
        let length = u64::from(self.current.header.length.unwrap_or(0));
        let mut offset = length.saturating_sub(u64::from(rest)).saturating_sub(range.len() as u64);
        let mut at = range.start;
        while at < range.end {
            let run = blanking.run(offset);
            let taken = usize::try_from(run.length).unwrap_or(usize::MAX).clamp(1, range.end - at);
            let sent = if run.blank {
                self.new.clear();
                blanking.fill(offset, taken, &mut self.new);
                self.levels.send(Source::Made(&self.new), input, out)
            } else {
                self.levels.send(Source::Input(at..at + taken), input, out)
            };
            sent.map_err(|TooLong| self.error(RewriteProblem::Grown))?;
            at += taken;
            offset += taken as u64;
        }
        Ok(())
    }

    pub(super) fn guards_overlay(&self, tag: Tag) -> bool {
        is_overlay_layout(tag) && (self.guards_pixels || self.is_masked())
    }

    /// An overlay's elements go, but not what lies in the pixels.
    pub(super) fn check_overlay(&self, tag: Tag, value: &[u8]) -> Result<(), RewriteError> {
        if self.guards_overlay(tag) && lies_in_pixels(tag, value, self.current.header.syntax) {
            return Err(self.error(RewriteProblem::OverlayInPixels));
        }
        Ok(())
    }

    /// The object is complete: what was said of its pixels is true.
    pub(super) fn check_masked(&self) -> Result<(), RewriteError> {
        match &self.masking {
            Masking::Blank(blanking) if !blanking.has_begun() => {
                Err(RewriteError::new(PIXEL_DATA, 0, RewriteProblem::NoPixels))
            }
            _ => Ok(()),
        }
    }
}
