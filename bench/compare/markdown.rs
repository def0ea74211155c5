//! bench/results.md and its neighbours: the figures of the last runs that were kept.

use std::fs;
use std::io;
use std::path::Path;

use crate::counting::Counts;
use crate::machine::Machine;
use crate::table::{self, Table};

const LEGEND: &str = "A figure is the median of its rounds (short loads are taken three times in each); in parentheses what it is to HAProxy's at its defaults. What comes in is TLS 1.3
with client certificates on EC P-256, X25519, no resumption. All requestors show one certificate, which whoever remembers chains
has verified a moment ago; `100 certificates` come in turns. `out` is how the sink is spoken to. Machines are shared and
noisy, so only ratios within one run compare; each core is kept awake by a process that runs where nobody else would, since what it
costs to wake a virtual core says nothing of the proxy. CPU is that of all processes and threads of the proxy, per 1e9 bytes of data
sets. `128K`: `tune.bufsize 131072`, `proxy_buffer_size 128k`. `byte copy`: tokio-rustls with 256 KiB buffers. `floor`:
the least that it can cost, a handshake of rustls, then reads of 256 KiB decrypted in place and one writev for each. dimsegate
writes its records in every run; `… rewriting` rewrites the twenty tags of [twenty.toml](twenty.toml), `… de-identifying` applies [profile.toml](profile.toml).";

/// Figures that are held against what they are to be, in a file of their own.
pub struct Kept {
    /// What was measured, at the head of its column.
    pub measured: &'static str,
    file: &'static str,
    title: &'static str,
    legend: &'static str,
}

pub const WATCHING: Kept = Kept {
    measured: "dimsegate, TLS to plain",
    file: "watching.md",
    title: "What it costs to be watched, by bench/run watching",
    legend: "Two proxies take the same load in turns; one has an administration interface, and its metrics are read every second. Then 500
associations wait at that one while it is asked. A scrape and `status` are medians of their times, with what a new process and its
connection cost; the page at rest is the CPU of the proxy while what a page asks for is asked for half a minute. Chromium opens the page
five times: its first drawing is the first contentful paint. 10,000 C-ECHOs of one association are timed with and without requests for
associations that are refused, in turns.",
};

pub const DECIDING: Kept = Kept {
    measured: "of dimsegate",
    file: "deciding.md",
    title: "What it costs to decide, by bench/run deciding",
    legend: "A decision is that about the last of the peers and the last of the users, with 64 presentation contexts, in this process. `check`
is a process of its own. An answer is one of 20,000 of a query, through two proxies in turns of which one has a scope of three
conditions. Associations begin with a full handshake, 400 in a round, through one proxy, with and without a user identity: of type 1
a name, of type 5 a token (ES256) that is verified; one with a `jti` is remembered on the disk, which is told and not bounded. Beside
a thousand wrong passcodes a second, or as many as the machine gives, each in another name, two things with a certificate only are
timed: 2,000 C-ECHOs of one association, and 500 associations as a whole, with handshake, C-ECHO and release; of each p99 the median. A cost below zero
is noise: each difference of two associations can be wrong by so much at least. Of two tenants at one address, one is asked by what
nobody has and by what the other has in turns, 400 times of each in a round: by AE titles behind a handshake, and by certificates at its server
name. |t| is Welch's, without the longest tenth of the times: below 4.5, the limit of dudect, the clock tells nothing.",
};

/// bench/results.md, or another file of bench/: what a whole run measured last.
pub fn write(
    file: &str,
    machine: &Machine,
    rounds: usize,
    figures: &Table,
    targets: &Table,
    counts: Option<&Counts>,
) -> io::Result<()> {
    let lines: String = machine.lines.iter().map(|(name, value)| format!("- {name}: {value}\n")).collect();
    let text = format!(
        "# Figures of one run of bench/run\n\n{lines}- Rounds: {rounds}, interleaved\n\n{LEGEND}\n\n{}\n## Targets\n\n{}{}",
        table::markdown(figures),
        table::markdown(targets),
        counts.map(instructions).unwrap_or_default(),
    );
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench").join(file), text)
}

/// What one of the runs beside `bench/run` measured last.
pub fn write_targets(kept: &Kept, machine: &Machine, rounds: usize, targets: &Table) -> io::Result<()> {
    let lines: String = machine.lines.iter().map(|(name, value)| format!("- {name}: {value}\n")).collect();
    let Kept { file, title, legend, .. } = kept;
    let text = format!(
        "# {title}\n\n{lines}- Rounds: {rounds}, interleaved\n\n{legend}\n\n{}",
        table::markdown(targets)
    );
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench").join(file), text)
}

fn instructions(counts: &Counts) -> String {
    let head = ["hot path", "instructions", "before"].map(str::to_string).to_vec();
    let rows = counts.rows.iter().map(count).collect();
    format!("\n## Instructions\n\n{}", table::markdown(&Table { head, rows }))
}

fn count((path, now, known): &(&'static str, u64, Option<u64>)) -> Vec<String> {
    vec![path.to_string(), now.to_string(), known.map_or_else(|| "–".into(), |known| known.to_string())]
}
