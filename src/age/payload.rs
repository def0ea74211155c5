//! The payload: chunks of 64 KiB, each sealed with its number and whether it is the last (STREAM), so that none can be
//! changed, moved, left out or added.

use std::io::{self, BufRead, Read, Write};

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, MAX_TAG_LEN, Nonce, UnboundKey};
use aws_lc_rs::error::Unspecified;

use super::{FileKey, derive, refused};

const CHUNK: usize = 1 << 16;

/// The key of one file's chunks, and how many there were.
struct Chunks {
    key: LessSafeKey,
    count: u64,
}

impl Chunks {
    fn new(file_key: &FileKey, nonce: &[u8; 16]) -> Result<Self, Unspecified> {
        let key = derive(file_key.as_ref(), nonce, b"payload")?;
        Ok(Self { key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key.as_ref())?), count: 0 })
    }

    /// Of the next chunk: eleven bytes of its number, then 1 for the last.
    fn nonce(&mut self, last: bool) -> Nonce {
        let mut bytes = [0; 12];
        bytes[3..11].copy_from_slice(&self.count.to_be_bytes());
        bytes[11] = last.into();
        self.count += 1;
        Nonce::assume_unique_for_key(bytes)
    }
}

/// Encrypts what is written into it; nobody can read it before [`finish`](Self::finish) has marked its end.
pub struct Encryptor<W> {
    to: W,
    chunks: Chunks,
    /// At most one chunk, which is the last unless more comes.
    chunk: Vec<u8>,
    /// A chunk was not written whole. It has had its number, and may be sealed already: nothing can follow it.
    failed: bool,
}

impl<W: Write> Encryptor<W> {
    pub(super) fn new(to: W, file_key: &FileKey, nonce: &[u8; 16]) -> Result<Self, Unspecified> {
        let chunk = Vec::with_capacity(CHUNK + MAX_TAG_LEN);
        Ok(Self { to, chunks: Chunks::new(file_key, nonce)?, chunk, failed: false })
    }

    /// Writes the last chunk, and gives back what was written to, which is not flushed.
    ///
    /// # Errors
    /// It cannot be written, or something before it could not.
    pub fn finish(mut self) -> io::Result<W> {
        self.seal(true)?;
        Ok(self.to)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        self.is_whole()?;
        self.failed = true;
        let nonce = self.chunks.nonce(last);
        self.chunks.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.chunk).map_err(refused)?;
        self.to.write_all(&self.chunk)?;
        self.chunk.clear();
        self.failed = false;
        Ok(())
    }

    fn is_whole(&self) -> io::Result<()> {
        match self.failed {
            true => Err(io::Error::other("what was encrypted before could not be written")),
            false => Ok(()),
        }
    }
}

impl<W: Write> Write for Encryptor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.is_whole()?;
        let Some(first) = bytes.chunks(CHUNK).next() else { return Ok(0) };
        if self.chunk.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = first.get(..CHUNK - self.chunk.len()).unwrap_or(first);
        self.chunk.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// What does not fill a chunk stays here until the end.
    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The plaintext of a file. It ends without an error only behind the chunk that was written as the last.
pub struct Decrypted<R> {
    from: R,
    chunks: Chunks,
    /// Plaintext that was found genuine, of which `at` bytes were read.
    chunk: Vec<u8>,
    at: usize,
    behind: Behind,
}

/// What is behind the chunk that is being read.
#[derive(Clone, Copy)]
enum Behind {
    More,
    Nothing,
    /// Something that is not what was written; nothing behind it is read either.
    Changed,
}

impl<R: BufRead> Decrypted<R> {
    pub(super) fn new(from: R, file_key: &FileKey, nonce: &[u8; 16]) -> Result<Self, Unspecified> {
        let chunks = Chunks::new(file_key, nonce)?;
        let chunk = Vec::with_capacity(CHUNK + MAX_TAG_LEN);
        Ok(Self { from, chunks, chunk, at: 0, behind: Behind::More })
    }

    fn open(&mut self) -> io::Result<()> {
        (self.at, self.behind) = (0, Behind::Changed);
        self.chunk.clear();
        let whole = (CHUNK + MAX_TAG_LEN) as u64;
        self.from.by_ref().take(whole).read_to_end(&mut self.chunk)?;
        let last = self.from.fill_buf()?.is_empty();
        let nonce = self.chunks.nonce(last);
        let opened = self.chunks.key.open_in_place(nonce, Aad::empty(), &mut self.chunk);
        // A payload without bytes is one empty chunk; any other ends with a chunk that holds some.
        let plain = opened.map(|plain| plain.len()).ok().filter(|plain| *plain > 0 || self.chunks.count == 1);
        self.chunk.truncate(plain.unwrap_or(0));
        plain.ok_or_else(changed)?;
        self.behind = if last { Behind::Nothing } else { Behind::More };
        Ok(())
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what is encrypted was changed or cut off")
}

impl<R: BufRead> Read for Decrypted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.chunk.len() {
            match self.behind {
                Behind::More => self.open()?,
                Behind::Nothing => return Ok(0),
                Behind::Changed => return Err(changed()),
            }
        }
        let read = self.chunk.get(self.at..).unwrap_or_default().read(to)?;
        self.at += read;
        Ok(read)
    }
}
