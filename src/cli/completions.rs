//! `dimsegate completions`: what makes a shell complete commands, options and values.

use std::process::ExitCode;

use clap_complete::{Shell, generate};

use super::exit;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  dimsegate completions bash > /etc/bash_completion.d/dimsegate
  dimsegate completions zsh > /usr/local/share/zsh/site-functions/_dimsegate
  dimsegate completions fish > /etc/fish/completions/dimsegate.fish")]
pub(super) struct Args {
    /// The shell that the script is for
    shell: Shell,
}

/// Prints the script: 0, or 73 where it cannot be printed.
pub(super) fn run(mut dimsegate: clap::Command, args: &Args) -> ExitCode {
    let mut script = Vec::new();
    generate(args.shell, &mut dimsegate, "dimsegate", &mut script);
    match super::print(&script) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dimsegate: {error}");
            ExitCode::from(exit::CANNOT_CREATE)
        }
    }
}
