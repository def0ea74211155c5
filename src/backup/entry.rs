//! The header of a member (POSIX.1-1988, ustar). It follows from the manifest, so that nobody has to parse one.

/// Everything begins at a multiple of it.
pub(super) const BLOCK: usize = 512;
/// What ends all members.
pub(super) const END: usize = 2 * BLOCK;
/// The first member.
pub(super) const MANIFEST: &str = "manifest.json";
/// Bytes of a manifest, at most: some 20,000 members.
pub(super) const LONGEST_MANIFEST: u64 = 8 << 20;

const NAME: usize = 100;
const PREFIX: usize = 155;
/// The largest size in eleven octal digits.
const LARGEST_OCTAL: u64 = (1 << 33) - 1;

/// The header of a file. A name that does not fit is the number of the member: the manifest has its place.
pub(super) fn header(name: &str, number: usize, length: u64) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let (prefix, name) = match split(name) {
        Some((prefix, name)) => (prefix.to_owned(), name.to_owned()),
        None => ("members".to_owned(), number.to_string()),
    };
    put(&mut block, 0, name.as_bytes());
    put(&mut block, 100, b"0000600\0");
    put(&mut block, 108, b"0000000\0");
    put(&mut block, 116, b"0000000\0");
    put(&mut block, 124, &size(length));
    put(&mut block, 136, b"00000000000\0");
    put(&mut block, 148, b"        ");
    put(&mut block, 156, b"0");
    put(&mut block, 257, b"ustar\x0000");
    put(&mut block, 345, prefix.as_bytes());
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    put(&mut block, 148, format!("{sum:06o}\0 ").as_bytes());
    block
}

/// The size that the header of a manifest says; `None` where it is no header of one.
pub(super) fn length_of_manifest(block: &[u8; BLOCK]) -> Option<u64> {
    let digits = std::str::from_utf8(block.get(124..135)?).ok()?;
    let length = u64::from_str_radix(digits, 8).ok()?;
    (length <= LONGEST_MANIFEST && header(MANIFEST, 0, length) == *block).then_some(length)
}

/// Zeros behind so many bytes, up to the next block.
pub(super) fn padding(length: u64) -> usize {
    let behind = usize::try_from(length % BLOCK as u64).unwrap_or(0);
    (BLOCK - behind) % BLOCK
}

fn size(length: u64) -> [u8; 12] {
    let mut field = [0; 12];
    if length <= LARGEST_OCTAL {
        put(&mut field, 0, format!("{length:011o}\0").as_bytes());
    } else {
        // As GNU and star write larger ones.
        put(&mut field, 0, &[0x80]);
        put(&mut field, 4, &length.to_be_bytes());
    }
    field
}

/// Prefix and name, where it fits.
fn split(name: &str) -> Option<(&str, &str)> {
    if name.len() <= NAME {
        return Some(("", name));
    }
    let slashes = name.match_indices('/').map(|(at, _)| name.split_at(at));
    slashes
        .map(|(prefix, rest)| (prefix, rest.trim_start_matches('/')))
        .find(|(prefix, rest)| prefix.len() <= PREFIX && rest.len() <= NAME)
}

fn put(block: &mut [u8], at: usize, bytes: &[u8]) {
    block.iter_mut().skip(at).zip(bytes).for_each(|(to, from)| *to = *from);
}
