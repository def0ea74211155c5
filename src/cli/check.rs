//! `dimsegate check`: what is wrong with a configuration, then what is risky in it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use crate::config::{self, Diagnostic};

/// Find every problem of a configuration, then what is risky in it
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dimsegate check -c conf/dimsegate.toml\n\nExit status: 0 clean, 78 errors, 1 only \
                        risks with --strict. Relative paths in the configuration are relative to the working directory."
)]
pub struct Args {
    /// The configuration file
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    /// Print one JSON object on standard output instead
    #[arg(long)]
    pub json: bool,
    /// Let risks fail too
    #[arg(long)]
    pub strict: bool,
}


/// Runs the command.
pub fn run(args: &Args) -> ExitCode {
    let (errors, warnings) = match config::load(&args.config) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(found) => (found.errors, found.warnings),
    };
    // A reader that has gone away has read enough.
    let _ = if args.json { as_json(&errors, &warnings) } else { as_text(args, &errors, &warnings) };
    match (errors.len(), warnings.len()) {
        (1.., _) => ExitCode::from(exit::BAD_CONFIGURATION),
        (0, 1..) if args.strict => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn as_json(errors: &[Diagnostic], warnings: &[Diagnostic]) -> std::io::Result<()> {
    let report = serde_json::json!({ "errors": errors, "warnings": warnings });
    writeln!(std::io::stdout().lock(), "{report:#}")
}

fn as_text(args: &Args, errors: &[Diagnostic], warnings: &[Diagnostic]) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    for error in errors {
        writeln!(err, "{error}")?;
    }
    for warning in warnings {
        writeln!(err, "risk: {warning}")?;
    }
    let (errors, warnings) = (counted(errors.len(), "error"), counted(warnings.len(), "risk"));
    writeln!(std::io::stdout().lock(), "{}: {errors}, {warnings}", args.config.display())
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}s"),
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
