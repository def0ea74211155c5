//! Instruction counts of the hot paths, which a noisy machine does not change, held against those of bench/instructions.toml.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use toml::Table;

/// Each path of bench/instructions/main.rs, and how often it runs: in the long run twice as often as in the short one.
const PATHS: [(&str, u64); 5] =
    [("deframer", 200), ("observer", 200), ("transform", 200), ("profile", 200), ("decision", 200)];

/// More than what another hash seed changes, less than what anybody would want to lose.
const TOLERANCE: f64 = 1.03;

pub struct Counts {
    /// Path, instructions now, instructions stored by the same compiler.
    pub rows: Vec<(&'static str, u64, Option<u64>)>,
    pub worse: bool,
}

/// Counts in `program` (bench/instructions/main.rs), compares and prints; with `accept` what was counted is what later runs are
/// compared with. Another compiler makes other instructions, so that nothing is compared with its counts.
///
/// # Errors
/// valgrind or rustc cannot be run, or the file of counts is no TOML.
pub fn run(program: &Path, accept: bool) -> io::Result<Counts> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/instructions.toml");
    let stored: Table = fs::read_to_string(&file).unwrap_or_default().parse().map_err(io::Error::other)?;
    let compiler = compiler()?;
    let same = stored.get("rustc").and_then(toml::Value::as_str) == Some(&compiler);
    if !same {
        println!(
            "{}: counted by another compiler than {compiler}, so that nothing is compared",
            file.display()
        );
    }
    let mut rows = Vec::new();
    for (path, times) in PATHS {
        let (long, short) = (callgrind(program, path, 2 * times)?, callgrind(program, path, times)?);
        let known = stored.get(path).and_then(toml::Value::as_integer).filter(|_| same);
        rows.push((path, (long - short) / times, known.and_then(|known| u64::try_from(known).ok())));
    }
    let grown = |now: u64, known: u64| now as f64 > known as f64 * TOLERANCE;
    let worse = !accept && rows.iter().any(|(_, now, known)| known.is_some_and(|known| grown(*now, known)));
    for (path, now, known) in &rows {
        let verdict = match known {
            Some(known) if grown(*now, *known) => format!("before {known}: MORE"),
            Some(known) => format!("before {known}"),
            None => "new".to_string(),
        };
        println!("{path:<12}{now:>10} instructions, {verdict}");
    }
    if accept {
        fs::write(&file, text(&compiler, &rows))?;
    }
    Ok(Counts { rows, worse })
}

fn text(compiler: &str, rows: &[(&str, u64, Option<u64>)]) -> String {
    let figures: String = rows.iter().map(|(path, now, _)| format!("{path} = {now}\n")).collect();
    format!(
        "# Instructions, counted by callgrind, for one CT slice (deframer, observer, transform with twenty rules; with 150 elements, the
# Basic Profile with its usual options) and for one decision with ten peers and 64 presentation contexts, in the profile of
# bench/instructions/profile.toml. bench/run and tests/run fail where a path needs 3 % more than what the same compiler
# made. This writes the file:
#   cargo run --locked --config bench/instructions/profile.toml --example instructions -- --accept\nrustc = {compiler:?}\n{figures}"
    )
}

/// The release of rustc that is at hand.
fn compiler() -> io::Result<String> {
    let output = Command::new("rustc").arg("--version").current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let release = text.split_whitespace().nth(1).map(str::to_string);
    release.ok_or_else(|| io::Error::other(format!("rustc --version says {text:?}")))
}

fn callgrind(program: &Path, path: &str, times: u64) -> io::Result<u64> {
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
    let output = valgrind.arg(path).arg(times.to_string()).output()?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let collected = text.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| io::Error::other(format!("{path}: {text}")))
}
