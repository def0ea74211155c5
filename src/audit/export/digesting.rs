//! SHA-256 of what is read or written, on its way.

use aws_lc_rs::digest;
use std::io::{self, Read, Write};

use crate::notation::hex;

/// Hands on what is read or written, and keeps its digest.
pub(super) struct Digesting<T> {
    inner: T,
    context: digest::Context,
}

impl<T> Digesting<T> {
    pub(super) fn new(inner: T) -> Self {
        Self { inner, context: digest::Context::new(&digest::SHA256) }
    }

    /// What it was put around, and SHA-256 in hexadecimal.
    pub(super) fn finish(self) -> (T, String) {
        (self.inner, hex::encode(self.context.finish().as_ref()))
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.context.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl<W: Write> Write for Digesting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.context.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
