//! A packer's plan on its way into a stream: spans over several buffers, gathered into few system calls.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use crate::wire::{Outgoing, Span};

/// Spans of a plan that one system call writes.
const SLICES: usize = 64;

/// A promise of our own is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is to be written lies outside of its buffer")]
pub(crate) struct Outside;

/// How far a plan is written: spans, and bytes of the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    spans: usize,
    bytes: usize,
}

/// What one system call writes.
pub(crate) struct Gathered<'m> {
    slices: [IoSlice<'m>; SLICES],
    count: usize,
}

impl<'m> Gathered<'m> {
    /// At least one, where something is left to be written.
    pub(crate) fn as_slices(&self) -> &[IoSlice<'m>] {
        self.slices.get(..self.count).unwrap_or_default()
    }
}

impl Written {
    /// Whether all of a plan is.
    pub(crate) fn is_all(&self, plan: &[Span]) -> bool {
        self.spans >= plan.len()
    }

    /// What is to be written next.
    ///
    /// # Errors
    /// A span lies outside of its buffer.
    #[inline]
    pub(crate) fn gather<'m>(&self, outgoing: Outgoing<'m>) -> Result<Gathered<'m>, Outside> {
        let mut gathered = Gathered { slices: [IoSlice::new(&[]); SLICES], count: 0 };
        let mut skip = self.bytes;
        for (slot, span) in gathered.slices.iter_mut().zip(outgoing.packer.plan().iter().skip(self.spans)) {
            let bytes = outgoing.bytes(span).and_then(|bytes| bytes.get(skip..));
            *slot = IoSlice::new(bytes.ok_or(Outside)?);
            (gathered.count, skip) = (gathered.count + 1, 0);
        }
        Ok(gathered)
    }

    /// So many bytes more are.
    pub(crate) fn advance(&mut self, plan: &[Span], count: usize) {
        self.bytes += count;
        while let Some(span) = plan.get(self.spans).filter(|span| self.bytes >= span.range.len()) {
            self.bytes -= span.range.len();
            self.spans += 1;
        }
    }
}

/// Writes some of these bytes, which is none only where there are none.
pub(crate) fn poll_write(
    stream: &mut (impl AsyncWrite + Unpin + ?Sized),
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let written = ready!(Pin::new(stream).poll_write_vectored(cx, slices))?;
    if written == 0 && slices.iter().any(|slice| !slice.is_empty()) {
        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
    }
    Poll::Ready(Ok(written))
}

#[cfg(test)]
mod tests {
    use super::{Outside, SLICES, Written};
    use crate::wire::{Outgoing, Packer, Source, Span};

    #[test]
    fn a_plan_is_written_whole_however_little_goes_at_once() {
        let mut packer = Packer::new(128);
        let input: Vec<u8> = (0..10_000_u16).map(|n| n as u8).collect();
        let span = Span { source: Source::Input, range: 0..input.len() };
        packer.data_set(1, &[span], &input, &[], true).unwrap();
        let outgoing = Outgoing { packer: &packer, input: &input, made: &[] };
        assert!(packer.plan().len() > 2 * SLICES);
        let whole: Vec<u8> =
            packer.plan().iter().flat_map(|span| outgoing.bytes(span).unwrap().to_vec()).collect();
        for most in [1, 12, 13, 1_000, 100_000] {
            let (mut at, mut out) = (Written::default(), Vec::new());
            while !at.is_all(packer.plan()) {
                let next = at.gather(outgoing).unwrap();
                let bytes: Vec<u8> =
                    next.as_slices().iter().flat_map(|slice| slice.to_vec()).take(most).collect();
                at.advance(packer.plan(), bytes.len());
                out.extend(bytes);
            }
            assert!(out == whole, "by {most}");
        }
    }

    #[test]
    fn what_lies_outside_of_its_buffer_is_not_gathered() {
        let (mut packer, input) = (Packer::new(0), [0; 10]);
        let span = Span { source: Source::Input, range: 0..input.len() };
        packer.data_set(1, &[span], &input, &[], true).unwrap();
        let outgoing = Outgoing { packer: &packer, input: &input[..9], made: &[] };
        assert_eq!(Written::default().gather(outgoing).map(|_| ()), Err(Outside));
    }
}
