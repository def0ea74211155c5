//! Whether an export is what was exported, and its lines what was recorded.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use serde::Serialize;

use super::zip::{Member, Reader};
use super::{HEAD, MANIFEST, RECORDS, SIGNATURE, STATEMENT, Statement};
use crate::audit::LineHash;
use crate::audit::head::Head;
use crate::audit::signing::{self, PublicKey, Purpose, Signature};
use crate::audit::verify::{Part, Verification};

/// Longer than any manifest and any statement.
const LONGEST: u64 = 64 << 20;

/// It cannot be read as an export at all.
#[derive(Debug, thiserror::Error)]
pub enum NotAnExport {
    /// It cannot be opened, or is no zip.
    #[error("is no zip that can be read: {0}")]
    NotAZip(io::Error),
    /// A member that every export has is not there, or cannot be read.
    #[error("is no export of dimsegate: {member}: {error}")]
    Lacks {
        /// The member.
        member: &'static str,
        /// What is wrong with it.
        error: String,
    },
}

/// What a verification of an export found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Export {
    /// What it says of itself; proven where `signed`.
    pub statement: Statement,
    /// Whether a given key signed the whole of it.
    pub signed: bool,
    /// What is wrong with its members.
    pub wrong: Vec<Wrong>,
    /// The lines, by themselves.
    pub records: Verification,
}

impl Export {
    /// Whether no damage was found, and all of it is under a signature of a given key.
    pub fn is_proven(&self) -> bool {
        self.is_undamaged() && self.signed && self.records.adopted.is_empty()
    }

    /// Whether no damage was found.
    pub fn is_undamaged(&self) -> bool {
        self.wrong.is_empty() && self.records.breaks.is_empty()
    }
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// Its name.
    pub member: String,
    /// What is wrong, for people.
    pub problem: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.member.escape_debug(), self.problem)
    }
}

/// Reads a whole export, and holds it against its manifest, the manifest against its signature, and each line against the
/// one behind it. With keys nothing is believed that none of them signed.
///
/// # Errors
/// [`NotAnExport`]. What is wrong with a part of it is in the result.
pub fn verify(path: &Path, keys: &[PublicKey]) -> Result<Export, NotAnExport> {
    let zip = File::open(path).and_then(Reader::open).map_err(NotAnExport::NotAZip)?;
    let manifest = small(&zip, MANIFEST)?;
    let statement: Statement = serde_json::from_slice(&small(&zip, STATEMENT)?)
        .map_err(|error| NotAnExport::Lacks { member: STATEMENT, error: error.to_string() })?;
    let mut checking = Checking { path, wrong: Vec::new(), sums: sums(&manifest) };
    let signed = checking.signature(&zip, &manifest, keys);
    let records = checking.members(&zip, &statement, keys);
    checking.agrees(&statement, &records);
    if !signed && !keys.is_empty() && statement.not_read.is_empty() {
        checking.ends(&zip, &statement, &records, keys);
    }
    Ok(Export { statement, signed, wrong: checking.wrong, records })
}

fn small(zip: &Reader, name: &'static str) -> Result<Vec<u8>, NotAnExport> {
    let lacks = |error: String| NotAnExport::Lacks { member: name, error };
    let member = zip.members.get(name).ok_or_else(|| lacks("is not there".into()))?;
    whole(zip, member).map_err(|error| lacks(error.to_string()))
}

fn whole(zip: &Reader, member: &Member) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    zip.read(member)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("is longer than 64 MiB"));
    }
    Ok(bytes)
}

/// What the lines of a file of the trail would be called here.
fn member_of(file: &str) -> Option<String> {
    let name = file.rsplit('/').next()?;
    name.starts_with("audit-").then(|| Some(format!("{RECORDS}{}.jsonl", name.split_once(".jsonl")?.0)))?
}

/// Of each member, as sha256sum(1) has them.
fn sums(manifest: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(manifest);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let each = lines.filter_map(|line| line.split_once("  "));
    each.map(|(sha256, name)| (name.to_owned(), sha256.to_owned())).collect()
}

struct Checking<'a> {
    path: &'a Path,
    wrong: Vec<Wrong>,
    sums: BTreeMap<String, String>,
}

impl Checking<'_> {
    fn wrong(&mut self, member: &str, problem: impl Into<String>) {
        self.wrong.push(Wrong { member: member.to_owned(), problem: problem.into() });
    }

    fn signature(&mut self, zip: &Reader, manifest: &[u8], keys: &[PublicKey]) -> bool {
        let signature = match zip.members.get(SIGNATURE).map(|member| whole(zip, member)) {
            None => Vec::new(),
            Some(Ok(signature)) => signature,
            Some(Err(error)) => {
                self.wrong(SIGNATURE, format!("cannot be read: {error}"));
                Vec::new()
            }
        };
        match signing::check_whole(Purpose::Export, manifest, &signature, keys) {
            Signature::Good => return true,
            Signature::None | Signature::Unchecked => {}
            Signature::OtherKey(_) | Signature::Wrong => {
                self.wrong(
                    SIGNATURE,
                    "forged: it is not the signature of SHA256SUMS by a key that was given",
                );
            }
        }
        false
    }

    /// Every member against the manifest, and the lines among them against each other.
    fn members(&mut self, zip: &Reader, told: &Statement, keys: &[PublicKey]) -> Verification {
        let mut part = Part::new(keys);
        part.skip(self.path);
        let mut unread: Vec<String> = told.not_read.iter().filter_map(|one| member_of(&one.file)).collect();
        for name in &zip.twice {
            self.wrong(name, "put in: it is there twice");
        }
        for (name, member) in &zip.members {
            if name == MANIFEST || name == SIGNATURE {
                continue;
            }
            if name.starts_with(RECORDS) && unread.iter().any(|one| one <= name) {
                unread.retain(|one| one > name);
                part.skip(&self.path.join(name));
            }
            match (self.digest(zip, (name, member), &mut part), self.sums.remove(name)) {
                (_, None) => self.wrong(name, "put in: SHA256SUMS does not name it"),
                (Ok(found), Some(noted)) if found == noted => {}
                (Ok(_), Some(_)) => self.wrong(name, "changed: its SHA-256 is not that of SHA256SUMS"),
                (Err(error), Some(_)) => self.wrong(name, format!("changed: it cannot be read: {error}")),
            }
        }
        for name in std::mem::take(&mut self.sums).into_keys() {
            self.wrong(&name, "cut: SHA256SUMS names it, and it is not there");
        }
        part.finish()
    }

    fn digest(
        &self,
        zip: &Reader,
        (name, member): (&str, &Member),
        part: &mut Part<'_>,
    ) -> io::Result<String> {
        let mut bytes = zip.read(member)?;
        if name.starts_with(RECORDS) {
            part.lines(BufReader::new(&mut bytes), &self.path.join(name));
        }
        io::copy(&mut bytes, &mut io::sink())?;
        Ok(bytes.finish().1)
    }

    /// Whether the lines are those that the statement tells of.
    fn agrees(&mut self, told: &Statement, found: &Verification) {
        let sequence = |told: &Option<super::Told>| told.as_ref().map(|one| one.sequence);
        let of = |seen: &Option<crate::audit::verify::Seen>| seen.as_ref().map(|one| one.sequence);
        let agree = told.records == found.records
            && told.head == found.head
            && (sequence(&told.first), sequence(&told.last)) == (of(&found.first), of(&found.last));
        if !agree {
            self.wrong(STATEMENT, "the records are not those that it tells of");
        }
    }

    /// Where nobody signed the whole, its end has to be one that the trail itself knows: a checkpoint behind the period, or
    /// the head.
    fn ends(&mut self, zip: &Reader, told: &Statement, found: &Verification, keys: &[PublicKey]) {
        let Some(last) = &found.last else { return };
        let is_checkpoint = found.signed_up_to == Some(last.sequence);
        if is_checkpoint && last.time > told.to {
            return;
        }
        match zip.members.get(HEAD).map(|member| whole(zip, member)) {
            Some(Ok(line)) => {
                let line = line.strip_suffix(b"\n").unwrap_or(&line);
                let head: Option<Head> = serde_json::from_slice(line).ok();
                let signature = signing::check(Purpose::Head, line, keys);
                match head.filter(|_| signature == Signature::Good) {
                    None => self.wrong(HEAD, "forged: it is no head that a key that was given signed"),
                    Some(head) if head.sequence > last.sequence => self.wrong(
                        HEAD,
                        format!(
                            "cut: record {} was there, and the export ends with {}",
                            head.sequence, last.sequence
                        ),
                    ),
                    Some(head) if is_other(head, last.sequence, found.head) => {
                        self.wrong(HEAD, "another record stands in the place of the last one");
                    }
                    Some(_) => {}
                }
            }
            _ => self.wrong(HEAD, "not there: nobody knows whether the records end where they ended"),
        }
    }
}

fn is_other(head: Head, last: u64, found: Option<LineHash>) -> bool {
    head.sequence == last && Some(head.sha256) != found
}
