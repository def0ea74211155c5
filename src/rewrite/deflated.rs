//! Deflated data sets (PS3.5 A.5): inflated, rewritten, deflated again, a piece at a time.

use flate2::{Compress, Compression, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::error::{RewriteError, RewriteProblem};
use super::output::Output;
use super::rewriting::Rewriting;
use super::step::Step;

const CHUNK: usize = 32 << 10;
/// Inflated bytes that one step reads, about: deflated again, they take a millisecond or two.
const TURN: usize = 128 << 10;
/// Behind the first MiB, no more than this many bytes may come out of one.
const MAX_RATIO: u64 = 1000;
const FREE: u64 = 1 << 20;
/// The trailer of a gzip member (RFC 1952 §2.3.1), which some writers leave behind the stream, and a byte of padding.
const LONGEST_TRAILER: usize = 8 + 1;

pub(super) struct Deflated {
    pub(super) rewriting: Rewriting,
    inflate: Decompress,
    deflate: Compress,
    max_inflated: u64,
    ended: bool,
    inflated: Crc,
    /// What came behind the stream.
    trailer: Vec<u8>,
    plain: Vec<u8>,
    rewritten: Output,
    written: u64,
}

impl Deflated {
    pub(super) fn new(rewriting: Rewriting, max_inflated: u64) -> Self {
        Self {
            rewriting,
            inflate: Decompress::new(false),
            deflate: Compress::new(Compression::default(), false),
            max_inflated,
            ended: false,
            inflated: Crc::new(),
            trailer: Vec::new(),
            plain: vec![0; CHUNK],
            rewritten: Output::new(),
            written: 0,
        }
    }

    /// A few bytes can become very many: no more than some come out at a time.
    pub(super) fn step(
        &mut self,
        input: &[u8],
        at: &mut usize,
        out: &mut Output,
    ) -> Result<Step, RewriteError> {
        let mut left = TURN;
        while !self.ended {
            let (taken, made) = self.inflate_some(input.get(*at..).unwrap_or_default())?;
            *at = at.saturating_add(taken);
            if made > 0 {
                self.rewrite(made, out)?;
            }
            if taken == 0 && made == 0 {
                return Ok(Step::Done);
            }
            left = left.saturating_sub(made);
            if left == 0 {
                return Ok(Step::More);
            }
        }
        self.behind(input.get(*at..).unwrap_or_default())?;
        *at = input.len();
        Ok(Step::Done)
    }

    fn rewrite(&mut self, made: usize, out: &mut Output) -> Result<(), RewriteError> {
        self.rewritten.clear();
        let plain = self.plain.get(..made).unwrap_or_default();
        self.inflated.update(plain);
        let mut at = 0;
        loop {
            let step = self.rewriting.step(plain, &mut at, &mut self.rewritten)?;
            for slice in self.rewritten.slices(plain) {
                self.written += deflate(&mut self.deflate, slice, FlushCompress::None, out)?;
            }
            self.rewritten.clear();
            if is_done(&step)? {
                return Ok(());
            }
        }
    }

    pub(super) fn finish_step(&mut self, out: &mut Output) -> Result<Step, RewriteError> {
        if !self.ended {
            return Err(RewriteError::whole(RewriteProblem::InflateTruncated));
        }
        if !self.trailer_is_known() {
            return Err(RewriteError::whole(RewriteProblem::Inflate));
        }
        loop {
            self.rewritten.clear();
            let step = self.rewriting.finish_step(&mut self.rewritten)?;
            for slice in self.rewritten.slices(&[]) {
                self.written += deflate(&mut self.deflate, slice, FlushCompress::None, out)?;
            }
            if is_done(&step)? {
                break;
            }
        }
        self.written += deflate(&mut self.deflate, &[], FlushCompress::Finish, out)?;
        if self.written % 2 == 1 {
            out.make(&[0]);
        }
        Ok(Step::Done)
    }

    fn inflate_some(&mut self, input: &[u8]) -> Result<(usize, usize), RewriteError> {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, &mut self.plain, FlushDecompress::None);
        let status = status.map_err(|_| RewriteError::whole(RewriteProblem::Inflate))?;
        let (taken, made) = (self.inflate.total_in(), self.inflate.total_out());
        self.ended = status == Status::StreamEnd;
        if made > self.max_inflated || made > FREE.max(taken.saturating_mul(MAX_RATIO)) {
            return Err(RewriteError::whole(RewriteProblem::InflatedSize));
        }
        let size = |after: u64, before: u64| usize::try_from(after.saturating_sub(before)).unwrap_or(0);
        Ok((size(taken, before.0), size(made, before.1)))
    }

    fn behind(&mut self, rest: &[u8]) -> Result<(), RewriteError> {
        if self.trailer.len() + rest.len() > LONGEST_TRAILER {
            return Err(RewriteError::whole(RewriteProblem::Inflate));
        }
        self.trailer.extend_from_slice(rest);
        Ok(())
    }

    /// Behind the stream, one zero byte may make its length even, and a gzip trailer may say what was in it. Neither goes
    /// on.
    fn trailer_is_known(&self) -> bool {
        let (sum, size) = (self.inflated.sum().to_le_bytes(), self.inflated.amount().to_le_bytes());
        let gzip = [sum, size].concat();
        let rest = self.trailer.strip_prefix(gzip.as_slice()).unwrap_or(&self.trailer);
        matches!(rest, [] | [0])
    }
}

/// Whether all that came has been read. Pixel data in the deflated syntax are native: there is nothing to decode.
fn is_done(step: &Step) -> Result<bool, RewriteError> {
    match step {
        Step::Done => Ok(true),
        Step::More => Ok(false),
        Step::Frame(_) => Err(RewriteError::whole(RewriteProblem::CompressedPixels)),
    }
}

/// Appends the deflated bytes to `out`, and says how many.
fn deflate(
    to: &mut Compress,
    input: &[u8],
    flush: FlushCompress,
    out: &mut Output,
) -> Result<u64, RewriteError> {
    let (start_in, start_out, start) = (to.total_in(), to.total_out(), out.made.len());
    loop {
        out.made.reserve(CHUNK);
        let taken = usize::try_from(to.total_in() - start_in).unwrap_or(0);
        let rest = input.get(taken..).unwrap_or_default();
        let status = to.compress_vec(rest, &mut out.made, flush);
        let status = status.map_err(|_| RewriteError::whole(RewriteProblem::Inflate))?;
        let all_taken = to.total_in() - start_in == input.len() as u64;
        let done = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            _ => all_taken,
        };
        if done {
            break;
        }
    }
    out.made_from(start);
    Ok(to.total_out() - start_out)
}
