//! `dimsegate check`: what is wrong with a configuration, or what is risky in it.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod difference;
mod report;

use super::exit;
use super::table::{screen, wrapped};
use crate::config::{self, Diagnostic};

const EXAMPLE: &str = "Example:
  dimsegate check -c conf/dimsegate.toml
  dimsegate check --diff before.toml conf/dimsegate.toml
  dimsegate check -c conf/dimsegate.toml --report hipaa --from 90d -o hipaa.html

With --diff, a change that cannot be shown to admit nothing new is told as newly admitted. Rates and numbers of associations
are no rights, and not compared; max-answers, max-retrievals-per-hour and max-patients-per-day of a role are. What stands in certificates and revocation lists is not compared.
Files of users are, where the two name different ones; of one that both name, what was in it before is not known, which is told.

With --report, the configuration and the records of a period are held against controls of a law, a standard or a guide: evidence
that was found, with the line and the command that shows it, what is missing, and the caveat of each. It provides evidence for a
control; whether that is enough, people judge. What the publisher's text does not map is our own mapping, and says so. Without
records of the period that name this configuration nothing is found: give the file as the proxy is given it. FILE.json gets
JSON, another name HTML; without -o it is text. Who reads the records so is a record itself.

Relative paths in the configuration are relative to the working directory. Errors name the whole path.
Risks are told of a file without errors. The folder for records is looked at as this account: run it as the proxy's.

Exit status: 0 clean, 78 errors, 1 with --strict: only risks, or with --diff, something newly admitted, or with --report,
something missing; with --report also 2 --from is not before --to, 4 the records are broken, 65 some of them, or of the trail,
could not be read (both are said), 69 the report cannot be written.";

/// Find every problem of a configuration, or what is risky in it where there is none
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Args {
    /// The configuration file
    #[arg(short, long, value_name = "FILE", required_unless_present = "diff")]
    pub config: Option<PathBuf>,
    /// Tell what the new one of two configurations newly admits or denies, by peer, role, issuer and user
    #[arg(long, num_args = 2, value_names = ["OLD", "NEW"], conflicts_with = "config", group = "of_one")]
    pub diff: Option<Vec<PathBuf>>,
    /// With --diff or --report, of a configuration with [[tenant]] tables: the one that it is about
    #[arg(long, value_name = "NAME", requires = "of_one")]
    pub tenant: Option<String>,
    /// Hold configuration and records against the controls of this law, standard or guide
    #[arg(long, value_name = "NAME", conflicts_with = "diff", value_parser = report::names(), group = "of_one")]
    pub report: Option<String>,
    #[command(flatten)]
    pub of_report: report::OfReport,
    /// Print one JSON object on standard output instead
    #[arg(long)]
    pub json: bool,
    /// Let risks fail too, and with --diff what is newly admitted
    #[arg(long)]
    pub strict: bool,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    if let Some([old, new]) = args.diff.as_deref() {
        return difference::run([old, new], args.tenant.as_deref(), args.json, args.strict);
    }
    // Clap asks for it where there is no --diff.
    let Some(config) = &args.config else { return ExitCode::from(exit::BAD_CONFIGURATION) };
    if let Some(name) = &args.report {
        return report::run(name, config, args).unwrap_or_else(|status| status);
    }
    let (errors, warnings) = match config::load(config) {
        Ok(loaded) => (Vec::new(), loaded.warnings),
        Err(found) => (found.errors, found.warnings),
    };
    // A reader that has gone away has read enough.
    let _ = if args.json { as_json(&errors, &warnings) } else { as_text(config, &errors, &warnings) };
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

fn as_text(config: &Path, errors: &[Diagnostic], warnings: &[Diagnostic]) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    let width = err.is_terminal().then(|| screen(80));
    for error in errors {
        writeln!(err, "{}", shown("", error, width))?;
    }
    for warning in warnings {
        writeln!(err, "{}", shown("risk: ", warning, width))?;
    }
    writeln!(std::io::stdout().lock(), "{}: {}", config.display(), summary(errors.len(), warnings.len()))
}

/// Risks are told of a file without errors only.
fn summary(errors: usize, warnings: usize) -> String {
    match errors {
        0 => format!("no errors, {}", counted(warnings, "risk")),
        _ => format!("{}; what is risky is told when there are none", counted(errors, "error")),
    }
}

/// A line, as other programs read it; at a terminal, of so many columns, the place on one and what it is about below.
fn shown(kind: &str, found: &Diagnostic, width: Option<usize>) -> String {
    const INDENT: &str = "    ";
    let Some(width) = width else { return format!("{kind}{found}") };
    let Diagnostic { path, line, column, key, problem, remedy } = found;
    let place = format!("{kind}{}:{line}:{column}: {key}", path.display());
    let mut lines = wrapped(place.trim_end_matches(": "), width);
    for text in [problem, remedy] {
        let below = wrapped(text, width.saturating_sub(INDENT.len()));
        lines.extend(below.into_iter().map(|line| format!("{INDENT}{line}")));
    }
    lines.join("\n")
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
    use super::{shown, status, summary};
    use crate::config::Diagnostic;

    #[test]
    fn risks_fail_only_where_strict_and_errors_always() {
        assert_eq!([status(0, 0, true), status(0, 3, false), status(0, 3, true)], [0, 0, 1]);
        assert_eq!([status(1, 0, false), status(2, 3, true)], [78, 78]);
    }

    #[test]
    fn no_risks_are_claimed_where_none_were_told() {
        assert_eq!(summary(0, 0), "no errors, no risks");
        assert_eq!(summary(0, 2), "no errors, 2 risks");
        assert_eq!(summary(1, 0), "1 error; what is risky is told when there are none");
    }

    #[test]
    fn a_terminal_gets_the_place_and_below_it_what_it_is_about() {
        let found = Diagnostic {
            path: "d.toml".into(),
            line: 3,
            column: 8,
            key: "[[peer]] \"p\" role".into(),
            problem: "no [[role]] is called \"modalty\"".into(),
            remedy: "did you mean \"modality\"?".into(),
        };
        assert_eq!(shown("risk: ", &found, None), format!("risk: {found}"));
        assert_eq!(
            shown("", &found, Some(30)),
            "d.toml:3:8: [[peer]] \"p\" role\n    no [[role]] is called\n    \"modalty\"\n    did you mean \"modality\"?"
        );
        let whole = Diagnostic { key: String::new(), remedy: String::new(), ..found };
        assert!(shown("", &whole, Some(80)).starts_with("d.toml:3:8\n    no [[role]]"));
    }
}
