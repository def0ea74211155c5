//! `--canary`: known strings planted in the inputs, looked for in what comes out.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::failure::FileError;
use super::inputs::{files_of, printable};
use super::{Sender, part10};
use crate::cli::words::counted;
use crate::dataset::{Encoding, keyword_of};
use crate::rewrite::{Change, Expected, Output, RewriteError, Ruleset, Transform, canary};

/// Says how many inputs failed: unreadable, or with a canary that came out.
pub(super) fn run_with(
    rules: &Arc<Ruleset>,
    inputs: &[PathBuf],
    out: &Path,
    sender: &Sender,
    shown: &mut dyn Write,
    problems: &mut dyn Write,
) -> io::Result<usize> {
    let (files, unreadable) = files_of(inputs, out);
    let (mut failed, mut kept) = (unreadable.len(), BTreeMap::new());
    for (path, error) in unreadable {
        writeln!(problems, "{}: {}", printable(&path), FileError::open(&path, error))?;
    }
    for (path, number) in files.iter().zip(1..) {
        match check(rules, path, (sender, number)) {
            Ok(checked) => {
                failed += usize::from(!checked.escaped.is_empty());
                let (planted, stayed) = (checked.planted, checked.kept.len());
                writeln!(shown, "{}: {planted} planted, {stayed} kept as the rules say", printable(path))?;
                checked.kept.iter().for_each(|change| *kept.entry(attribute(change)).or_insert(0_u64) += 1);
                for change in &checked.escaped {
                    let around = change.path.iter().map(|step| format!("{}[{}].", step.sequence, step.item));
                    let (path, around) = (printable(path), around.collect::<String>());
                    writeln!(problems, "{path}: a canary came out of {around}{}", change.tag)?;
                }
            }
            Err(error) => {
                failed += 1;
                writeln!(problems, "{}: {error}", printable(path))?;
            }
        }
    }
    attributes(&kept, shown)?;
    Ok(failed)
}

/// The attributes that kept their canaries: neither a rule nor the profile says anything of them.
fn attributes(kept: &BTreeMap<String, u64>, shown: &mut dyn Write) -> io::Result<()> {
    if !kept.is_empty() {
        writeln!(shown, "kept as the rules say, by attribute:")?;
    }
    for (attribute, times) in kept {
        writeln!(shown, "  {attribute}: {}", counted(*times, "element"))?;
    }
    Ok(())
}

/// As `(0040,0275).(0040,0007) ScheduledProcedureStepDescription`, without numbers of items.
fn attribute(change: &Change) -> String {
    let around = change.path.iter().map(|step| format!("{}.", step.sequence));
    let keyword = keyword_of(change.tag).unwrap_or_default();
    format!("{}{} {keyword}", around.collect::<String>(), change.tag).trim_end().to_owned()
}

/// What became of the canaries of one file.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub planted: usize,
    /// Came out of elements that neither rules nor profile take away.
    pub kept: Vec<Change>,
    /// Came out, and should not have.
    pub escaped: Vec<Change>,
}

/// Plants, rewrites and looks.
pub(super) fn check(
    rules: &Arc<Ruleset>,
    path: &Path,
    (sender, number): (&Sender, u64),
) -> Result<Checked, FileError> {
    let bytes = fs::read(path).map_err(|error| FileError::open(path, error))?;
    let start = part10::read(&bytes)?;
    let syntax = start.transfer_syntax_uid.as_str();
    let encoding = Encoding::of(syntax).ok_or_else(|| FileError::TransferSyntax(syntax.to_owned()))?;
    let expected = Expected { sop_class_uid: start.sop_class_uid, sop_instance_uid: start.sop_instance_uid };
    let data_set = bytes.get(start.data_set..).unwrap_or_default();
    // A compressed data set shows nothing, so that it is looked at before it is deflated again.
    let encoding = Encoding { deflated: false, ..encoding };
    let data_set = if syntax == DEFLATED { inflated(data_set)? } else { data_set.to_vec() };
    let planting = Transform::planting_canaries(encoding, expected.clone());
    let (planted, planting) = whole(planting, &data_set)?;
    let transform =
        sender.of(Transform::new(Arc::clone(rules), encoding, expected), number).in_syntax(syntax);
    let (sent, _) = whole(transform, &planted)?;
    let mut checked = Checked { planted: planting.changes().len(), ..Checked::default() };
    for number in canary::found(&sent) {
        match planting.changes().get(number as usize) {
            Some(change) if !canary::may_stay(rules, change) => checked.escaped.push(change.clone()),
            Some(change) => checked.kept.push(change.clone()),
            None => {}
        }
    }
    Ok(checked)
}

const DEFLATED: &str = "1.2.840.10008.1.2.1.99";
const MOST_INFLATED: u64 = 512 << 20;

fn inflated(data_set: &[u8]) -> Result<Vec<u8>, FileError> {
    let mut plain = Vec::new();
    let reader = flate2::read::DeflateDecoder::new(data_set);
    io::Read::read_to_end(&mut io::Read::take(reader, MOST_INFLATED), &mut plain).map_err(FileError::Read)?;
    Ok(plain)
}

fn whole(mut transform: Transform, input: &[u8]) -> Result<(Vec<u8>, Transform), RewriteError> {
    let (mut output, mut sent) = (Output::new(), Vec::new());
    transform.push(input, &mut output)?;
    output.slices(input).for_each(|slice| sent.extend_from_slice(slice));
    output.clear();
    transform.finish(&mut output)?;
    output.slices(&[]).for_each(|slice| sent.extend_from_slice(slice));
    Ok((sent, transform))
}
