//! `import`: subject IDs that a site assigned.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::assignments::{Line, assignments};
use super::{Which, failed};
use crate::cli::exit;
use crate::crosswalk::{self, Imported, NotImported};

/// Bytes of a list; a million patients take about 32 MiB.
const LONGEST: u64 = 256 << 20;
/// Problems that are told.
const MOST: usize = 20;

/// Take in subject IDs that were assigned elsewhere, all of a list or none
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate crosswalk import -c conf/dimsegate.toml --rewrite trial subjects.csv

The list is CSV in UTF-8, with a header line that names its columns, in any order:
  original   the real Patient ID
  subject    what the patient is called on the other side, at most 64 characters
  issuer     the issuer of the Patient ID; may be left out, or empty for some

A patient then has this subject ID wherever a rule makes a Patient ID with {pseudonym}, {value} or pseudonym, whatever
stands around that in the rule; {pseudonym} in other attributes is the subject ID too, its first characters where length
is less. Whatever contradicts what is there, or the list itself, is named by its line, and nothing is taken in: a patient
with another pseudonym, a subject ID of two patients. What is there already as the list says is no contradiction, so that
a longer list can be taken in later. The proxy must not be running; a crosswalk that is missing is made.

Exit status: 0 taken in, 65 a list that contradicts or cannot be read, 69 in use by a running proxy, 78 a bad
configuration.")]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The list; "-" reads it from standard input
    #[arg(value_name = "FILE")]
    list: PathBuf,
    /// Say what would be taken in, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `import`.
pub(super) fn run(args: &Args) -> Result<(), ExitCode> {
    let tables = args.which.tables()?;
    let crosswalk = args.which.of(&tables)?;
    let name =
        if args.list == Path::new("-") { "standard input".into() } else { args.list.display().to_string() };
    let text = read(&args.list).map_err(|error| unread(&name, &[(1, error)]))?;
    let lines = assignments(&text).map_err(|problems| unread(&name, &problems))?;
    let assigned: Vec<_> = lines.iter().map(|line| line.assigned.clone()).collect();
    let imported = crosswalk::import(&crosswalk.path, &crosswalk.secret, &assigned, args.dry_run);
    let Imported { new, known } = imported.map_err(|error| refused(&name, &lines, error))?;
    let done = if args.dry_run { "would be taken in" } else { "taken in" };
    println!("{}: {new} subject IDs {done}, {known} were there already", crosswalk.path.display());
    Ok(())
}

fn read(list: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {error}");
    let mut bytes = Vec::new();
    let read = if list == Path::new("-") {
        std::io::stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let file = std::fs::File::open(list).map_err(cannot)?;
        file.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    read.map_err(cannot)?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("is longer than {} MiB; split it", LONGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "is not UTF-8; write it as such".to_owned())
}

fn unread(name: &str, problems: &[(usize, String)]) -> ExitCode {
    for (line, problem) in problems.iter().take(MOST) {
        eprintln!("{name}:{line}: {problem}");
    }
    if problems.len() > MOST {
        eprintln!("{name}: and {} more", problems.len() - MOST);
    }
    eprintln!("nothing was taken in");
    ExitCode::from(exit::UNREADABLE)
}

fn refused(name: &str, lines: &[Line], error: NotImported) -> ExitCode {
    match error {
        NotImported::Crosswalk(error) => failed(&error),
        NotImported::Contradicted(all) => {
            let told = |(index, why): &(usize, crosswalk::Contradiction)| {
                (lines.get(*index).map_or(0, |line| line.number), why.to_string())
            };
            unread(name, &all.iter().map(told).collect::<Vec<_>>())
        }
    }
}
