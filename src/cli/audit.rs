//! `dimsegate audit`: the records, offline.

mod keys;
mod verify;

use std::process::ExitCode;

/// Check the records, and make the keys that protect them
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example, a key that signs the records, and what a reviewer does with its public half:
  dimsegate audit key conf/audit-signing.key
  dimsegate audit verify audit --public-key conf/audit-signing.key.pub")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say whether the records are what was written, or exactly where they are not
    Verify(verify::Args),
    /// Make the key that signs the records: FILE, and FILE.pub for reviewers
    Key(keys::Key),
    /// Make a reviewer's identity, for whom closed files are encrypted
    Identity(keys::Identity),
}

/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    match &args.command {
        Command::Verify(args) => verify::run(args),
        Command::Key(args) => keys::make_key(args),
        Command::Identity(args) => keys::make_identity(args),
    }
}
