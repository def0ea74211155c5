//! `dimsegate check`: what is wrong with a configuration, then what is risky in it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use crate::config::{self, Diagnostic};

const EXAMPLE: &str = "Example:
  dimsegate check -c conf/dimsegate.toml

Relative paths in the configuration are relative to the working directory. Errors name the whole path.

Exit status: 0 clean, 78 errors, 1 only risks with --strict.";

/// Find every problem of a configuration, then what is risky in it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
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
    ExitCode::from(status(errors.len(), warnings.len(), args.strict))
}

fn status(errors: usize, warnings: usize, strict: bool) -> u8 {
    match (errors, warnings) {
        (1.., _) => exit::BAD_CONFIGURATION,
        (0, 1..) if strict => 1,
        _ => 0,
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

#[cfg(test)]
mod tests {
    use super::status;

    #[test]
    fn risks_fail_only_where_strict_and_errors_always() {
        assert_eq!([status(0, 0, true), status(0, 3, false), status(0, 3, true)], [0, 0, 1]);
        assert_eq!([status(1, 0, false), status(2, 3, true)], [78, 78]);
    }
}
