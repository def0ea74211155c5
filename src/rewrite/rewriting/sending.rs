//! What goes out: bytes as they came, and elements of our own.

use super::super::error::{RewriteError, RewriteProblem};
use super::super::levels::{Source, TooLong};
use super::super::output::Output;
use super::{Rewriting, source};
use crate::dataset::{Raw, Syntax, Tag, Vr, encoded_header};

impl Rewriting {
    pub(super) fn send_head(&mut self, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        self.levels.send(self.current.head(), input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    pub(super) fn send_raw(&mut self, raw: Raw, input: &[u8], out: &mut Output) -> Result<(), RewriteError> {
        let raw = source(raw, &self.scanner);
        self.levels.send(raw, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    pub(super) fn send(
        &mut self,
        source: Source<'_>,
        input: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        self.levels.send(source, input, out).map_err(|TooLong| self.error(RewriteProblem::Grown))
    }

    /// Writes an element of our own.
    pub(super) fn put(
        &mut self,
        tag: Tag,
        vr: Vr,
        syntax: Syntax,
        value: &[u8],
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let length = u32::try_from(value.len()).map_err(|_| self.error(RewriteProblem::TooLong))?;
        self.put_head(tag, vr, syntax, length, out)?;
        self.send(Source::Made(value), &[], out)
    }

    /// Writes a header of our own.
    pub(super) fn put_head(
        &mut self,
        tag: Tag,
        vr: Vr,
        syntax: Syntax,
        length: u32,
        out: &mut Output,
    ) -> Result<(), RewriteError> {
        let header = encoded_header(tag, vr, syntax, length);
        let (head, size) = header.ok_or_else(|| self.error(RewriteProblem::TooLong))?;
        self.send(Source::Made(head.get(..size).unwrap_or_default()), &[], out)
    }
}
