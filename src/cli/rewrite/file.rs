//! One file: from its first byte to the new file in its place.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::NamedTempFile;

use super::How;
use super::failure::FileError;
use super::part10::{self, Start};
use crate::dataset::Encoding;
use crate::rewrite::{Correspondence, Expected, Output, RewriteError, Step, Transform, Unavailable};

const CHUNK: usize = 256 << 10;
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// A file that was written, and what was done to it.
pub(super) struct Done {
    pub(super) name: String,
    pub(super) transform: Transform,
}

/// Rewrites a file into the folder `out`, under its new SOP Instance UID. Nothing is there until all of it is, and its
/// pseudonyms are remembered.
pub(super) fn rewrite_file(how: &How<'_>, path: &Path, number: u64, out: &Path) -> Result<Done, FileError> {
    let mut input = Input::open(path)?;
    let Start { sop_class_uid, sop_instance_uid, transfer_syntax_uid, data_set } =
        part10::read(input.chunk())?;
    input.skip(data_set);
    let syntax = transfer_syntax_uid.as_str();
    let encoding = Encoding::of(syntax).ok_or_else(|| FileError::TransferSyntax(syntax.to_owned()))?;
    let known = how.memory.known();
    let new_uid = how.rules.map_known_sop_instance_uid(sop_instance_uid.as_str(), known.as_deref());
    let new_uid = new_uid.map_err(|Unavailable| FileError::Rewrite(RewriteError::not_remembered()))?;
    let sop_class = sop_class_uid.as_str().to_owned();

    let expected = Expected { sop_class_uid, sop_instance_uid };
    let transform = how.sender.of(Transform::new(Arc::clone(how.rules), encoding, expected), number);
    let transform = known.into_iter().fold(transform, Transform::with_crosswalk);
    let transform = transform.in_syntax(syntax).may_decode(syntax);
    let mut transform = if how.diff { transform.recording_changes() } else { transform };

    let name = format!("{new_uid}.dcm");
    let mut target = Target::new(out, &name)?;
    let start =
        |decodes| part10::write(&sop_class, &new_uid, if decodes { EXPLICIT_LITTLE_ENDIAN } else { syntax });
    let made = translate(&mut transform, &mut input, &mut target, start)?;
    how.memory.store(made)?;
    target.finish()?;
    Ok(Done { name, transform })
}

/// The whole data set through the transform, behind the start that the new file gets. What has to be remembered of it.
fn translate(
    transform: &mut Transform,
    input: &mut Input,
    target: &mut Target,
    start: impl Fn(bool) -> Vec<u8>,
) -> Result<Vec<Correspondence>, FileError> {
    let (mut output, mut made, mut begun) = (Output::new(), Vec::new(), false);
    loop {
        let (chunk, mut at) = (input.chunk(), 0);
        loop {
            output.clear();
            let is_done = step(transform, chunk, &mut at, &mut output)?;
            if !begun && !output.is_empty() {
                begun = true;
                target.write(&start(transform.decodes()))?;
            }
            made.extend(transform.take_correspondences());
            output.slices(chunk).try_for_each(|slice| target.write(slice))?;
            if is_done {
                break;
            }
        }
        if chunk.is_empty() {
            return Ok(made);
        }
        input.read_on()?;
    }
}

/// One step for a part of the file, or for its end where there is none. Whether nothing remains to be done for it.
fn step(
    transform: &mut Transform,
    chunk: &[u8],
    at: &mut usize,
    output: &mut Output,
) -> Result<bool, RewriteError> {
    let step =
        if chunk.is_empty() { transform.finish_step(output)? } else { transform.step(chunk, at, output)? };
    let is_done = matches!(step, Step::Done);
    if let Step::Frame(frame) = step {
        transform.decoded(frame.decode(u64::MAX))?;
    }
    Ok(is_done)
}

/// A file that is read a part at a time.
struct Input {
    file: File,
    buffer: Vec<u8>,
    filled: Range<usize>,
}

impl Input {
    fn open(path: &Path) -> Result<Self, FileError> {
        let file = File::open(path).map_err(|error| FileError::open(path, error))?;
        let mut input = Self { file, buffer: vec![0; CHUNK], filled: 0..0 };
        input.read_on()?;
        Ok(input)
    }

    /// The part at hand; empty at the end of the file.
    fn chunk(&self) -> &[u8] {
        self.buffer.get(self.filled.clone()).unwrap_or_default()
    }

    /// Leaves out the first bytes of the part at hand.
    fn skip(&mut self, bytes: usize) {
        self.filled.start += bytes;
    }

    fn read_on(&mut self) -> Result<(), FileError> {
        self.filled = 0..read_some(&mut self.file, &mut self.buffer).map_err(FileError::Read)?;
        Ok(())
    }
}

/// Fills the buffer as far as the file goes.
pub(super) fn read_some(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A file that is not there until it is whole.
struct Target {
    to: PathBuf,
    file: BufWriter<NamedTempFile>,
}

impl Target {
    fn new(out: &Path, name: &str) -> Result<Self, FileError> {
        let to = out.join(name);
        match NamedTempFile::new_in(out) {
            Ok(file) => Ok(Self { to, file: BufWriter::new(file) }),
            Err(error) => Err(FileError::Write { to, error }),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file.write_all(bytes).map_err(|error| FileError::Write { to: self.to.clone(), error })
    }

    /// Gives it its name, unless something has that already.
    fn finish(self) -> Result<(), FileError> {
        let to = self.to;
        let written = self.file.into_inner().map_err(io::IntoInnerError::into_error);
        let file = written.map_err(|error| FileError::Write { to: to.clone(), error })?;
        file.persist_noclobber(&to).map(|_| ()).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => FileError::Exists(to),
            _ => FileError::Write { to, error: error.error },
        })
    }
}
