//! `dimsegate pseudonyms`: what an identifier is called under each version of the secret.

use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::tenant::OfTenant;
use crate::config;
use crate::rewrite::{Pseudonyms, Ruleset};

/// Longest identifier, in bytes.
const LONGEST: u64 = 1024;

/// Tell what identifiers are called under each version of the secret.
///
/// Identifiers are read from standard input, one a line, as data sets write them, and are neither repeated nor written
/// anywhere: arguments would be seen by others and kept by the shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  dimsegate pseudonyms -c conf/dimsegate.toml --rewrite cross-border < identifiers.txt"
)]
pub(super) struct Args {
    /// The configuration.
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub of: OfTenant,
    /// The name of the rewrite section whose secrets to use.
    #[arg(long, value_name = "NAME")]
    pub rewrite: String,
    /// Hexadecimal digits of a pseudonym, as in the rule.
    #[arg(long, value_name = "DIGITS", default_value_t = 16, value_parser = clap::value_parser!(u8).range(8..=64))]
    pub length: u8,
}

/// Exit code 0, 65 where a line is too long or the rewrite has no secret, 78 where it has problems.
pub(super) fn run(args: &Args) -> ExitCode {
    let rules = match config::ruleset(&args.config, args.of.name(), &args.rewrite) {
        Ok(rules) => rules,
        Err(problems) => {
            eprintln!("{problems}");
            return ExitCode::from(exit::BAD_CONFIGURATION);
        }
    };
    let shown = show(&rules, usize::from(args.length), &mut io::stdin().lock(), &mut io::stdout().lock());
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(exit::UNREADABLE)
        }
    }
}

fn show(rules: &Ruleset, length: usize, input: &mut dyn BufRead, shown: &mut dyn Write) -> io::Result<()> {
    let unfit = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if rules.pseudonyms_of(b"").is_empty() {
        return Err(unfit("the rewrite has no secret, and so no pseudonyms; name a secret-file".to_owned()));
    }
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if input.take(LONGEST).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.len() as u64 == LONGEST && line.last() != Some(&b'\n') {
            return Err(unfit(format!("line {number} is longer than an identifier")));
        }
        while line.last().is_some_and(|end| matches!(end, b'\n' | b'\r')) {
            line.pop();
        }
        if line.is_empty() {
            continue;
        }
        writeln!(shown, "line {number}")?;
        for pseudonyms in rules.pseudonyms_of(&line) {
            print(&pseudonyms, length, shown)?;
        }
    }
    Ok(())
}

fn print(pseudonyms: &Pseudonyms, length: usize, shown: &mut dyn Write) -> io::Result<()> {
    let cut = |digits: &str| digits.get(..length).unwrap_or(digits).to_owned();
    let current = if pseudonyms.is_current { ", in use" } else { "" };
    writeln!(shown, "  version {}{current}", pseudonyms.version)?;
    writeln!(shown, "    {{pseudonym}}         {}", cut(&pseudonyms.patient))?;
    writeln!(shown, "    {{value}}, pseudonym  {}", cut(&pseudonyms.value))?;
    if let Some(uid) = &pseudonyms.uid {
        writeln!(shown, "    uid                 {uid}")?;
    }
    if let Some(days) = pseudonyms.days {
        writeln!(shown, "    dates move by       {days} days")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::show;
    use crate::rewrite::{Ruleset, RulesetSpec};
    use aws_lc_rs::hmac;

    fn rules(spec: RulesetSpec) -> Ruleset {
        Ruleset::compile(spec).unwrap()
    }

    fn key(byte: u8) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32])
    }

    fn shown(rules: &Ruleset, input: &[u8]) -> Result<String, String> {
        let mut shown = Vec::new();
        let done = show(rules, 8, &mut &input[..], &mut shown);
        done.map(|()| String::from_utf8(shown).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn each_version_is_shown_and_no_identifier() {
        let spec = || RulesetSpec { secret: Some(key(2)), secret_version: Some(2), ..RulesetSpec::default() };
        let both = rules(RulesetSpec { other_secrets: vec![(1, key(1))], ..spec() });
        let said = shown(&both, b"PID-1\r\n\n1.2.3\n").unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[..2], ["line 1", "  version 2, in use"]);
        assert_eq!(lines[4], "  version 1");
        assert_ne!(lines[2], lines[5]);
        assert!(!said.contains("PID-1") && lines[7] == "line 3" && lines.len() == 16, "{said}");
        assert!(lines.iter().any(|line| line.starts_with("    uid                 2.25.")), "{said}");
        let old = rules(RulesetSpec { secret: Some(key(1)), ..RulesetSpec::default() });
        assert_eq!(
            shown(&old, b"PID-1").unwrap().lines().nth(2),
            Some(lines[5]),
            "version 1 stays what it was"
        );
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        assert!(shown(&rules(RulesetSpec::default()), b"X").unwrap_err().contains("no secret"));
        let one = rules(RulesetSpec { secret: Some(key(1)), ..RulesetSpec::default() });
        assert!(shown(&one, &[b'x'; 2000]).unwrap_err().contains("line 1 is longer"));
    }
}
