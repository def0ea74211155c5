//! `dimsegate audit head`: what somebody else has to know, so that nobody can put the trail back to an earlier day.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::{complain, verify};
use crate::audit::head::{self, KeptHead};
use crate::audit::signing::Signature;
use crate::cli::exit;
use crate::files::full;

/// Print the head of the trail, SEQUENCE:SHA256, to be handed to somebody who keeps it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate audit head audit --public-key conf/audit-signing.key.pub | mail -s \"audit head\" reviewer@example.org
  dimsegate audit verify audit --public-key conf/audit-signing.key.pub --since 1042:9f86d081884c7d65…

The head is the last record that is signed and on the disk; the proxy keeps it in DIR/audit.head. Whoever can write the
files can put back an old head with an old trail, and nothing in them tells. Whoever was handed a later one can: verify
--since says whether that record is there as it was.

Exit status: 0 printed, 4 the head is forged, 65 there is none or it cannot be read.")]
pub(super) struct Args {
    /// The folder of the records
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The public half of the key that signs: a head that another signed is not printed; may be repeated
    #[arg(long = "public-key", value_name = "FILE")]
    public_keys: Vec<PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let file = head::path_of(&args.directory);
    let file = full(&file);
    let keys = match verify::read_keys(&args.public_keys) {
        Ok(keys) => keys,
        Err((file, error)) => return complain(&format!("{}: {error}", full(&file)), exit::UNREADABLE),
    };
    let KeptHead { head, signature } = match head::read(&args.directory, &keys) {
        Ok(Some(kept)) => kept,
        Ok(None) => {
            let text = format!("{file}: there is none; the proxy writes it with the first records of a run");
            return complain(&text, exit::UNREADABLE);
        }
        Err(error) => return complain(&format!("{file}: {error}"), exit::UNREADABLE),
    };
    let forged = match signature {
        Signature::Good | Signature::Unchecked => None,
        Signature::None if keys.is_empty() => None,
        Signature::None => Some("nobody signed it".to_owned()),
        Signature::Wrong => Some("its signature does not fit".to_owned()),
        Signature::OtherKey(key) => Some(format!("signed by key {key}, whose public key was not given")),
    };
    if let Some(why) = forged {
        return complain(&format!("{file}: {why}"), exit::BROKEN_CHAIN);
    }
    match writeln!(std::io::stdout().lock(), "{head}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(&format!("standard output: {error}"), exit::CANNOT_CREATE),
    }
}
