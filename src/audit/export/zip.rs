//! Members of a zip, as streams.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use rawzip::time::UtcDateTime;
use rawzip::{CompressionMethod, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};
use rawzip::{ZipArchiveWriter, ZipDataWriter};
use time::OffsetDateTime;

use super::digesting::Digesting;
use super::{MANIFEST, SIGNATURE};

/// Only its owner reads what is unpacked.
const MODE: u32 = 0o600;
/// More members than an export has.
const MOST_MEMBERS: usize = 100_000;

/// A zip that grows.
pub(super) struct Writer<W: Write> {
    archive: ZipArchiveWriter<W>,
    at: UtcDateTime,
    /// The digest of each member, in order.
    sums: Vec<(String, String)>,
}

impl<W: Write> Writer<W> {
    pub(super) fn new(to: W, at: OffsetDateTime) -> Self {
        let at = UtcDateTime::from_unix(at.unix_timestamp());
        Self { archive: ZipArchiveWriter::new(to), at, sums: Vec::new() }
    }

    /// A member, written by `fill`.
    ///
    /// # Errors
    /// What writing gave, or `fill`.
    pub(super) fn member<T>(
        &mut self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<T>,
    ) -> io::Result<T> {
        let builder = self.archive.new_file(name).compression_method(CompressionMethod::DEFLATE);
        let started = builder.last_modified(self.at).unix_permissions(MODE).start();
        let (mut entry, config) = started.map_err(io::Error::other)?;
        let encoder = DeflateEncoder::new(&mut entry, Compression::default());
        let mut writer: Digesting<ZipDataWriter<_>> = Digesting::new(config.wrap(encoder));
        let filled = fill(&mut writer)?;
        let (writer, sha256) = writer.finish();
        let (encoder, descriptor) = writer.finish().map_err(io::Error::other)?;
        encoder.finish()?;
        entry.finish(descriptor).map_err(io::Error::other)?;
        self.sums.push((name.to_owned(), sha256));
        Ok(filled)
    }

    /// A small member.
    ///
    /// # Errors
    /// What writing gave.
    pub(super) fn whole(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.member(name, |out| out.write_all(bytes))
    }

    /// The manifest of all members, signed with what `sign` makes of it, and the end.
    ///
    /// # Errors
    /// What writing gave.
    pub(super) fn finish(
        mut self,
        context: &[u8],
        sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
    ) -> io::Result<W> {
        let lines = self.sums.iter().map(|(name, sha256)| format!("{sha256}  {name}\n"));
        let manifest = [context, lines.collect::<String>().as_bytes()].concat();
        self.whole(MANIFEST, &manifest)?;
        if let Some(signature) = sign(&manifest) {
            self.whole(SIGNATURE, &signature)?;
        }
        self.archive.finish().map_err(io::Error::other)
    }
}

/// A zip that is read.
pub(super) struct Reader {
    archive: ZipArchive<FileReader>,
    /// By name.
    pub members: BTreeMap<String, Member>,
    /// Names that are there more than once: what another program would unpack nobody can say.
    pub twice: Vec<String>,
}

/// Where a member lies, and how it is compressed.
pub(super) struct Member {
    way: ZipArchiveEntryWayfinder,
    method: CompressionMethod,
}

impl Reader {
    /// # Errors
    /// It is no zip, or has more members than any export.
    pub(super) fn open(file: File) -> io::Result<Self> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let archive = ZipArchive::from_file(file, &mut buffer).map_err(io::Error::other)?;
        let (mut members, mut twice, mut seen) = (BTreeMap::new(), Vec::new(), 0);
        let mut entries = archive.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(io::Error::other)? {
            seen += 1;
            if seen > MOST_MEMBERS {
                return Err(io::Error::other(format!("has more than {MOST_MEMBERS} members")));
            }
            let name = String::from_utf8_lossy(entry.file_path().as_bytes()).into_owned();
            let member = Member { way: entry.wayfinder(), method: entry.compression_method() };
            if members.insert(name.clone(), member).is_some() {
                twice.push(name);
            }
        }
        if seen as u64 != archive.entries_hint() {
            return Err(io::Error::other(format!("says that it has {} members", archive.entries_hint())));
        }
        Ok(Self { archive, members, twice })
    }

    /// What is in a member.
    ///
    /// # Errors
    /// It is not where the zip says, or compressed in another way than those that are ours.
    pub(super) fn read(&self, member: &Member) -> io::Result<Digesting<Box<dyn Read + '_>>> {
        let entry = self.archive.get_entry(member.way).map_err(io::Error::other)?;
        let reader = entry.reader();
        let plain: Box<dyn Read + '_> = match member.method {
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(reader)),
            CompressionMethod::STORE => Box::new(BufReader::new(reader)),
            other => return Err(io::Error::other(format!("is compressed with {other}"))),
        };
        Ok(Digesting::new(plain))
    }
}
