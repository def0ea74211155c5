//! `dimsegate rewrite`: the rules of a configuration on DICOM files.

mod canary;
mod curation;
mod diff;
mod elements;
mod every;
mod failure;
mod file;
mod inputs;
mod inventory;
mod memory;
mod names;
mod part10;
mod review;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::exit;
use crate::config::{self, Diagnostics, Rules};
use crate::rewrite::{Recalled, Ruleset, Transform};
use curation::Curation;
use failure::FileError;
use memory::Memory;

/// Apply the rules of a configuration to DICOM files.
///
/// Every file of the inputs is written to DIR under its new SOP Instance UID, with new file meta information; nothing
/// there is ever overwritten.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate rewrite -c conf/dimsegate.toml --rewrite cross-border study/ -o out --diff
  dimsegate rewrite -c conf/dimsegate.toml --rewrite cross-border study/ -o out --inventory left.html --accepted seen.json
  dimsegate rewrite -c conf/dimsegate.toml --rewrite cross-border study/ -o out --sample 20 --review review.html

Of the configuration only this [[rewrite]] is read, with its secrets and its [[crosswalk]]: no certificates, no other keys, no
records. A key or a header that is misspelt is an error wherever it stands, since it may be one of this section. Beside a
running proxy that has the crosswalk open, files are rewritten whose values it knows all; those with new values, of a new
patient say, are refused, since nothing could remember them.

An inventory lists every distinct pair of attribute and text that is left in what was written, the likeliest to name somebody
first: values that their VR does not allow, private ones, names, addresses, long numbers, capitals, free text, digits; of the
same weight the rarer first. Its page takes what is decided about each, and gives rules and a list of what was accepted.
Inventory and review hold texts of patients, the review all of them: keep them where the files are.

Exit status: 0 done, 65 some input was not, or a page cannot be written (the others are), 69 the crosswalk cannot be opened, 78 the rules have problems.")]
pub(super) struct Args {
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
    /// Plant known strings in every text of the inputs, look for them in what comes out, and name the attributes that kept
    /// theirs; nothing else is written.
    #[arg(long, conflicts_with = "diff")]
    pub canary: bool,
    /// Write what is left: each attribute with each text, as NAME.html, NAME.json, or - for a table; may be repeated.
    #[arg(long, value_name = "OUT", value_parser = inventory::target, conflicts_with = "canary")]
    pub inventory: Vec<PathBuf>,
    /// Leave out of the inventory what was accepted, by a list that its page gave.
    #[arg(long, value_name = "FILE", requires = "inventory")]
    pub accepted: Option<PathBuf>,
    /// Write a page that shows a sample of the files before and after, pixels too.
    #[arg(long, value_name = "FILE", conflicts_with = "canary")]
    pub review: Option<PathBuf>,
    /// How many files a review shows, evenly over the order of their names.
    #[arg(long, value_name = "N", requires = "review", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=200))]
    pub sample: u64,
    /// The peer whose name values with {peer} in them get.
    #[arg(long, value_name = "NAME")]
    pub peer: Option<String>,
    /// What values with {tenant} in them get; of a configuration with [[tenant]] tables, the one whose rewrite it is, too.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
}

/// As whose the files are taken.
#[derive(Default)]
struct Sender {
    peer: Option<Arc<str>>,
    tenant: Option<Arc<str>>,
    recalled: Recalled,
}

impl Sender {
    /// Says so to the transform of a file; files are numbered in the order of their names.
    fn of(&self, transform: Transform, number: u64) -> Transform {
        let transform =
            transform.of_tenant(self.tenant.clone()).numbered(number).recalling(self.recalled.clone());
        self.peer.clone().into_iter().fold(transform, Transform::for_peer)
    }
}

/// What is done with every file.
struct How<'h> {
    rules: &'h Arc<Ruleset>,
    memory: &'h Memory,
    sender: &'h Sender,
    diff: bool,
}

/// Rewrites every input. Exit code 0, or 65 where an input was unreadable or a canary came out; the others are done all
/// the same.
pub(super) fn run(args: &Args) -> ExitCode {
    let Rules { ruleset, crosswalk } = match rules(args) {
        Ok(rules) => rules,
        Err(problems) => return complain(&problems, exit::BAD_CONFIGURATION),
    };
    if let Some(report) = &args.report
        && let Err(error) = fs::write(report, ruleset.statement(&args.rewrite))
    {
        return complain(&FileError::Write { to: report.clone(), error }, exit::UNREADABLE);
    }
    let memory = match Memory::open(crosswalk.as_ref()) {
        Ok(memory) => memory,
        Err(error) => return complain(&error, exit::UNAVAILABLE),
    };
    let curation = match Curation::of(args) {
        Ok(curation) => curation,
        Err((file, error)) => return complain(&format!("{}: {error}", file.display()), exit::UNREADABLE),
    };
    match rewrite(&ruleset, &memory, args, curation) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::from(exit::UNREADABLE),
    }
}

/// Of canaries nothing is remembered.
fn rules(args: &Args) -> Result<Rules, Diagnostics> {
    match args.canary {
        true => config::ruleset(&args.config, args.tenant.as_deref(), &args.rewrite)
            .map(|ruleset| Rules { ruleset, crosswalk: None }),
        false => config::rules(&args.config, args.tenant.as_deref(), &args.rewrite),
    }
}

/// How many inputs failed.
fn rewrite(rules: &Arc<Ruleset>, memory: &Memory, args: &Args, mut curation: Curation) -> io::Result<usize> {
    let (stdout, stderr) = (&mut io::stdout().lock(), &mut io::stderr());
    let [peer, tenant] = [&args.peer, &args.tenant].map(|name| name.as_deref().map(Arc::from));
    let sender = &Sender { peer, tenant, recalled: Recalled::default() };
    if args.canary {
        return canary::run_with(rules, &args.inputs, &args.output, sender, stdout, stderr);
    }
    let how = How { rules, memory, sender, diff: args.diff };
    let failed = every::run_with(&how, (&args.inputs, &args.output), &mut curation, stdout, stderr)?;
    Ok(failed + curation.finish(stdout, stderr)?)
}

fn complain(why: &dyn std::fmt::Display, status: u8) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(status)
}

#[cfg(test)]
mod tests;
