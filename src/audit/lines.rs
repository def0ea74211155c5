//! The lines of a file of the trail, from its end or from its beginning.

use super::files::TrailFile;
use super::regular;
use std::io::{self, BufRead, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::Path;

/// Bytes that are read at once.
const BLOCK: u64 = 256 * 1024;
/// Longer than any line that is ours: the rest counts as a line of its own.
const LONGEST: usize = 4 * 1024 * 1024;

/// At most the last `longest` bytes of a file.
pub(super) fn tail_of(path: &Path, longest: u64) -> io::Result<Vec<u8>> {
    let mut file = regular::follow(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(longest)))?;
    let mut tail = Vec::new();
    file.take(longest).read_to_end(&mut tail)?;
    Ok(tail)
}

/// Shows every line of a plain file without its line feed, the last first, until `look` breaks off.
pub(super) fn backwards(
    path: &Path,
    mut look: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<ControlFlow<()>> {
    let mut file = regular::follow(path)?;
    let mut start = file.metadata()?.len();
    // What is not yet shown, without the line feed at its end.
    let mut rest: Vec<u8> = Vec::new();
    let mut first = true;
    while start > 0 {
        let length = start.min(BLOCK);
        start -= length;
        let mut block = vec![0; usize::try_from(length).unwrap_or_default()];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut block)?;
        if std::mem::take(&mut first) && block.last() == Some(&b'\n') {
            block.pop();
        }
        block.append(&mut rest);
        rest = block;
        while let Some(at) = memchr::memrchr(b'\n', &rest) {
            if look(rest.get(at + 1..).unwrap_or_default()).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rest.truncate(at);
        }
        if rest.len() > LONGEST {
            if look(&rest).is_break() {
                return Ok(ControlFlow::Break(()));
            }
            rest.clear();
        }
    }
    Ok(if first { ControlFlow::Continue(()) } else { look(&rest) })
}

/// Shows the lines of a file, the first first, until `look` breaks off.
pub(super) fn forwards(file: &TrailFile, mut look: impl FnMut(&[u8]) -> ControlFlow<()>) -> io::Result<()> {
    let mut lines = file.open(&[]).map_err(io::Error::other)?;
    let mut line = Vec::new();
    while lines.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)? > 0 {
        if look(line.strip_suffix(b"\n").unwrap_or(&line)).is_break() {
            break;
        }
        line.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::backwards;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    fn read(bytes: &[u8]) -> Vec<Vec<u8>> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let mut lines = Vec::new();
        let done = backwards(file.path(), |line| {
            lines.push(line.to_vec());
            ControlFlow::Continue(())
        });
        assert!(done.unwrap().is_continue());
        lines
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_lines_of_a_file_backwards_are_its_lines(
            lengths in prop::collection::vec(prop_oneof![0..20_usize, 100_000..300_000_usize], 0..8), whole in any::<bool>(),
        ) {
            let lines: Vec<Vec<u8>> =
                lengths.iter().enumerate().map(|(at, length)| vec![b'a' + at as u8; *length]).collect();
            let mut bytes = lines.join(&b'\n');
            if whole && !bytes.is_empty() {
                bytes.push(b'\n');
            }
            let mut expected: Vec<Vec<u8>> = if bytes.is_empty() { Vec::new() } else { lines };
            // An empty last line without a line feed behind it is none.
            if !whole && expected.last().is_some_and(Vec::is_empty) {
                expected.pop();
            }
            expected.reverse();
            prop_assert_eq!(read(&bytes), expected);
        }
    }
}
