//! What stands beside the pixels in the same bytes: it is overwritten there, in objects that are de-identified.

use super::super::current::Doing;
use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::Source;
use super::super::output::Output;
use super::super::pixels::{Asides, Extent};
use super::super::subject::Subject;
use super::Rewriting;
use crate::dataset::Header;

/// What follows the last pixel may be so long, where a frame is shorter.
const MOST_BEHIND: u64 = 64 << 10;

/// What has to be known to find it.
#[derive(Debug, Default)]
pub(in crate::rewrite) struct Beside {
    extent: Extent,
    pub(in crate::rewrite) asides: Asides,
}

impl Rewriting {
    /// A part of the value of an element of group 0028.
    pub(super) fn read_extent(&mut self, part: &Source<'_>, rest: u32, input: &[u8]) {
        let header = self.current.header;
        if let Some(beside) = &mut self.beside
            && Extent::wants(header.tag)
            && self.scanner.depth() == 0
        {
            beside.extent.part(&header, part.bytes(input), rest);
        }
    }

    /// Encapsulated pixel data begin that pass.
    pub(super) fn begin_fragments(&mut self, depth: usize) {
        if let Some(Beside { extent, asides }) = self.beside.as_deref_mut() {
            asides.begin(Some(&*extent).filter(|_| depth == 0));
        }
    }

    /// A table begins that says of frames where they are.
    pub(super) fn begin_extended_table(&mut self, header: &Header) {
        if let Some(Beside { extent, asides }) = self.beside.as_deref_mut() {
            asides.begin_extended(header.tag, header.length.unwrap_or(0), extent);
            self.current.doing = Doing::Aside;
        }
    }

    /// A fragment of them begins, or the offset table.
    pub(super) fn begin_fragment(&mut self, length: u32) {
        self.current.doing = match &mut self.beside {
            Some(beside) => {
                beside.asides.item(length);
                Doing::Aside
            }
            None => Doing::Pass,
        };
    }

    /// Sends a part of a fragment.
    pub(super) fn send_aside(
        &mut self,
        part: &Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let (bytes, mut at) = (part.bytes(input), 0);
        let mut entries = std::mem::take(&mut self.new);
        entries.clear();
        let is_table = self.beside.as_mut().is_some_and(|beside| beside.asides.table(bytes, &mut entries));
        let sent = if is_table { self.send(Source::Made(&entries), input, out) } else { Ok(()) };
        self.new = entries;
        if is_table {
            return sent;
        }
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let Some(beside) = &mut self.beside else { return self.send(part.clone(), input, out) };
            let stretch = beside.asides.stretch(rest).map_err(|problem| self.error(problem))?;
            let end = at.saturating_add(stretch.length.max(1));
            match stretch.fill {
                None => self.send(part.slice(at..end), input, out)?,
                Some(byte) => self.send_filled(end - at, byte, input, out)?,
            }
            at = end;
        }
        Ok(())
    }

    /// Native pixel data begin that are not masked: what follows the last pixel is not to go out.
    pub(super) fn begin_native(&mut self, header: &Header) -> Result<(), RewriteError> {
        let top = self.scanner.depth() == 0;
        let Some(beside) = self.beside.as_ref().filter(|_| top) else { return Ok(()) };
        let length = header.length.unwrap_or(0);
        let Some((frame, whole)) = beside.extent.native(length.into()) else {
            return self.check_undescribed(header, length);
        };
        if u64::from(length) <= whole.next_multiple_of(2) {
            return Ok(());
        }
        // In big endian, the last pixel of a byte is the second one of its word (PS3.5 §8.1.1).
        let kept = if header.syntax.big_endian { whole.next_multiple_of(2) } else { whole };
        let excess = u64::from(length).saturating_sub(kept);
        // Who counted frames wrongly would lose them.
        if excess >= frame.max(MOST_BEHIND) {
            return Err(RewriteError::new(header.tag, 0, RewriteProblem::MorePixels));
        }
        self.current.doing = Doing::Trim(u32::try_from(excess).unwrap_or(length));
        if let Some(profile) = &self.rules.profile {
            self.notes.masked(header, profile.behind);
        }
        Ok(())
    }

    /// Native pixel data that nobody knows the end of. Nothing is taken for an image where nothing says that it is one.
    fn check_undescribed(&self, header: &Header, length: u32) -> Result<(), RewriteError> {
        let says_so = self.beside.as_ref().is_some_and(|beside| beside.extent.is_image());
        if says_so && length > 0 && matches!(self.subject, Subject::Object(_)) {
            return Err(RewriteError::new(header.tag, 0, RewriteProblem::Undescribed));
        }
        Ok(())
    }

    /// Sends bytes of pixel data, the last `excess` of which become zeros.
    pub(super) fn send_trimmed(
        &mut self,
        part: &Source<'_>,
        rest: u32,
        excess: u32,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let length = part.bytes(input).len();
        let behind = usize::try_from(excess.saturating_sub(rest)).unwrap_or(usize::MAX).min(length);
        let of_image = length - behind;
        self.send(part.slice(0..of_image), input, out)?;
        self.send_filled(behind, 0, input, out)
    }

    fn send_filled(
        &mut self,
        length: usize,
        byte: u8,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        self.new.clear();
        self.new.resize(length, byte);
        let filled = std::mem::take(&mut self.new);
        let sent = self.send(Source::Made(&filled), input, out);
        self.new = filled;
        sent
    }
}
