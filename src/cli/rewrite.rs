//! `dimsegate rewrite`: the rules of a configuration on DICOM files.

mod canary;
mod diff;
mod part10;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::exit;
use crate::crosswalk::{Crosswalk, NotStored};
use crate::dataset::{Encoding, Tag};
use crate::rewrite::{
    Correspondences, Expected, Output, RewriteError, RewriteProblem, Ruleset, Step, Transform, Unavailable,
};
use indicatif::{ProgressBar, ProgressStyle};
use part10::{Part10Error, Start};

const CHUNK: usize = 256 << 10;
const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// Apply the rules of a configuration to DICOM files.
///
/// Every file of the inputs is written to DIR under its new SOP Instance UID, with new file meta information; nothing
/// there is ever overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dimsegate rewrite -c conf/dimsegate.toml --rewrite cross-border study/ -o out --diff"
)]
pub struct Args {
    /// The configuration.
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// The name of the rewrite section whose rules to apply.
    #[arg(long, value_name = "NAME")]
    pub rewrite: String,
    /// DICOM files, and folders of them.
    #[arg(required = true, value_name = "IN")]
    pub inputs: Vec<PathBuf>,
    /// The folder to write to; made where it is missing.
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// Print a table of every element changed, and why. It shows patients' data.
    #[arg(long)]
    pub diff: bool,
    /// Write what is applied as a conformance statement (PS3.15 E.1.3), in Markdown.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Plant known strings in every text of the inputs and look for them in what comes out; nothing else is written.
    #[arg(long, conflicts_with = "diff")]
    pub canary: bool,
    /// The peer whose name values with {peer} in them get.
    #[arg(long, value_name = "NAME")]
    pub peer: Option<String>,
    /// What values with {tenant} in them get.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
}

/// As whose the files are taken.
#[derive(Default)]
struct Sender {
    peer: Option<Arc<str>>,
    tenant: Option<Arc<str>>,
}

impl Sender {
    /// Says so to the transform of a file; files are numbered in the order of their names.
    fn of(&self, transform: Transform, number: u64) -> Transform {
        let transform = transform.of_tenant(self.tenant.clone()).numbered(number);
        self.peer.clone().into_iter().fold(transform, Transform::for_peer)
    }
}

/// Rewrites every input. Exit code 0, or 65 where an input was unreadable or a canary came out; the others are done all
/// the same.
pub fn run(rules: &Arc<Ruleset>, crosswalk: Option<&Arc<Crosswalk>>, args: &Args) -> ExitCode {
    let (stdout, stderr) = (&mut io::stdout().lock(), &mut io::stderr());
    if let Some(report) = &args.report
        && let Err(error) = fs::write(report, rules.statement(&args.rewrite))
    {
        eprintln!("{}", FileError::Write { to: report.clone(), error });
        return ExitCode::from(exit::UNREADABLE);
    }
    let sender =
        Sender { peer: args.peer.as_deref().map(Arc::from), tenant: args.tenant.as_deref().map(Arc::from) };
    let done = if args.canary {
        canary::run_with(rules, &args.inputs, &args.output, &sender, stdout, stderr)
    } else {
        let how = How { rules, crosswalk, sender: &sender, diff: args.diff };
        run_with(&how, &args.inputs, &args.output, stdout, stderr)
    };
    match done {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::from(exit::UNREADABLE),
    }
}

/// Why one file was not rewritten. Shown behind the file's name.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error("cannot be read: {0}")]
    Read(#[source] io::Error),
    #[error("{} cannot be written: {error}", .to.display())]
    Write { to: PathBuf, error: io::Error },
    #[error("{} exists already, of an earlier run or an input with the same SOP Instance UID; move it away", .0.display())]
    Exists(PathBuf),
    #[error("{0}")]
    Part10(#[from] Part10Error),
    #[error("transfer syntax {0} cannot be rewritten; convert the file to a standard one first")]
    TransferSyntax(String),
    #[error("{0} differs from the file meta information; write the file anew with its program")]
    Meta(Tag),
    #[error("{0}; nothing was written, see that its crosswalk can be")]
    NotRemembered(NotStored),
    #[error("{0}; nothing was written, repair the file or leave it out")]
    Rewrite(RewriteError),
}

impl From<RewriteError> for FileError {
    /// What a command says of a data set on the wire, the file meta information says in a file.
    fn from(error: RewriteError) -> Self {
        match (error.problem, error.tag) {
            (RewriteProblem::CommandMismatch, Some(tag)) => Self::Meta(tag),
            _ => Self::Rewrite(error),
        }
    }
}

/// What is done with every file.
struct How<'h> {
    rules: &'h Arc<Ruleset>,
    /// What remembers pseudonyms, and knows those of earlier runs.
    crosswalk: Option<&'h Arc<Crosswalk>>,
    sender: &'h Sender,
    diff: bool,
}

/// Says how many inputs failed. An error is one of the outputs `shown` and `problems`.
fn run_with(
    how: &How<'_>,
    inputs: &[PathBuf],
    out: &Path,
    shown: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<usize> {
    if let Err(error) = fs::create_dir_all(out) {
        writeln!(problems, "{}", FileError::Write { to: out.to_owned(), error })?;
        return Ok(1);
    }
    let mut failed = 0;
    let (files, unreadable) = files_of(inputs, out);
    for (path, error) in unreadable {
        failed += 1;
        writeln!(problems, "{}: {}", printable(&path), FileError::Read(error))?;
    }
    let bar = if how.diff { ProgressBar::hidden() } else { progress(files.len()) };
    for (path, number) in files.iter().zip(1..) {
        match rewrite_file(how, path, number, out) {
            Ok(done) if how.diff => {
                diff::print(how.rules, &printable(path), &done.name, &done.transform, shown)?
            }
            Ok(_) => {}
            Err(error) => {
                failed += 1;
                bar.suspend(|| writeln!(problems, "{}: {error}", printable(path)))?;
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(failed)
}

struct Done {
    name: String,
    transform: Transform,
}

fn rewrite_file(how: &How<'_>, path: &Path, number: u64, out: &Path) -> Result<Done, FileError> {
    let mut input = File::open(path).map_err(FileError::Read)?;
    let mut buffer = vec![0; CHUNK];
    let first = read_some(&mut input, &mut buffer).map_err(FileError::Read)?;
    let first = buffer.get(..first).unwrap_or_default();
    let Start { sop_class_uid, sop_instance_uid, transfer_syntax_uid, data_set } = part10::read(first)?;
    let encoding = Encoding::of(transfer_syntax_uid.as_str())
        .ok_or_else(|| FileError::TransferSyntax(transfer_syntax_uid.as_str().to_owned()))?;
    let known = how.crosswalk.map(|crosswalk| Arc::clone(crosswalk) as Arc<dyn Correspondences>);
    let new_uid = how.rules.map_known_sop_instance_uid(sop_instance_uid.as_str(), known.as_deref());
    let new_uid = new_uid.map_err(|Unavailable| FileError::Rewrite(RewriteError::not_remembered()))?;
    let sop_class = sop_class_uid.as_str().to_owned();

    let expected = Expected { sop_class_uid, sop_instance_uid };
    let transform = how.sender.of(Transform::new(Arc::clone(how.rules), encoding, expected), number);
    let transform = known.into_iter().fold(transform, Transform::with_crosswalk);
    let transform = transform.may_decode(transfer_syntax_uid.as_str());
    let mut transform = if how.diff { transform.recording_changes() } else { transform };
    let name = format!("{new_uid}.dcm");
    let to = out.join(&name);
    let not_written = |error| FileError::Write { to: to.clone(), error };

    let temporary = tempfile::NamedTempFile::new_in(out).map_err(not_written)?;
    let mut writer = BufWriter::new(temporary.as_file());
    let mut begun = false;
    let mut output = Output::new();
    let mut filled = data_set..first.len();
    let mut made = Vec::new();
    loop {
        let chunk = buffer.get(filled).unwrap_or_default();
        let mut at = 0;
        while {
            output.clear();
            let is_done = step(&mut transform, chunk, &mut at, &mut output)?;
            if !begun && !output.is_empty() {
                begun = true;
                let syntax =
                    if transform.decodes() { EXPLICIT_LITTLE_ENDIAN } else { transfer_syntax_uid.as_str() };
                let meta = part10::write(&sop_class, &new_uid, syntax);
                writer.write_all(&meta).map_err(not_written)?;
            }
            made.extend(transform.take_correspondences());
            output.slices(chunk).try_for_each(|slice| writer.write_all(slice)).map_err(not_written)?;
            !is_done
        } {}
        if chunk.is_empty() {
            break;
        }
        filled = 0..read_some(&mut input, &mut buffer).map_err(FileError::Read)?;
    }
    writer.flush().map_err(not_written)?;
    if let Some(crosswalk) = how.crosswalk {
        crosswalk.store_blocking(made).map_err(FileError::NotRemembered)?;
    }
    drop(writer);
    temporary.persist_noclobber(&to).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => FileError::Exists(to.clone()),
        _ => not_written(error.error),
    })?;
    Ok(Done { name, transform })
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
    if let Step::Frame(frame) = &step {
        transform.decoded(frame.decode(), output)?;
    }
    Ok(matches!(step, Step::Done))
}

/// Fills the buffer as far as the file goes.
fn read_some(input: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
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

/// The files named, and those in the folders named, each once; and what could not be looked into. Links in folders are
/// not followed, and what is in `out` already is no input.
fn files_of(inputs: &[PathBuf], out: &Path) -> (BTreeSet<PathBuf>, Vec<(PathBuf, io::Error)>) {
    let out = out.canonicalize().ok();
    let (mut files, mut unreadable) = (BTreeSet::new(), Vec::new());
    let mut waiting: Vec<PathBuf> = inputs.to_vec();
    while let Some(path) = waiting.pop() {
        if !path.is_dir() {
            files.insert(path);
            continue;
        }
        if out.is_some() && path.canonicalize().ok() == out {
            continue;
        }
        match fs::read_dir(&path).and_then(|entries| entries.collect::<io::Result<Vec<_>>>()) {
            Ok(entries) => {
                let plain = |entry: &fs::DirEntry| {
                    entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_file())
                };
                waiting.extend(entries.iter().filter(|entry| plain(entry)).map(fs::DirEntry::path));
            }
            Err(error) => unreadable.push((path, error)),
        }
    }
    (files, unreadable)
}

/// Seen on a terminal only.
fn progress(files: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, {eta} left");
    ProgressBar::new(files as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// A file's name without what could move a terminal's cursor.
fn printable(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests;
