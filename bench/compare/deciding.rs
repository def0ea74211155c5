//! What it costs to decide: about a request under a large policy, about the answers of a query under a scope, about who a user
//! is, and what the clock tells one tenant of another.
//!
//! Of a running proxy it is the CPU of the process as the kernel counts it, so that a noisy machine changes little; a figure is the
//! median of its rounds.

use std::io;

mod answers;
mod guesses;
mod identities;
mod policy;
mod tenants;

use crate::report::Figures as Run;
use crate::site::Site;
use crate::targets::{Bound, Target};

/// Measures, and says what of it is as it should be.
pub fn run(rounds: usize) -> io::Result<Vec<Target>> {
    let site = Site::new();
    let (decision, check) = policy::measure(&site, rounds)?;
    let answer = answers::measure(&site, rounds)?;
    let more = identities::measure(&site, rounds)?;
    let left = guesses::measure(&site, rounds)?;
    let told = tenants::measure(&site, rounds)?;
    Ok(vec![
        Target::new(
            "decision, 10,000 peers, 1,000 users and 10,000 blocks, µs",
            decision,
            Bound::AtMost(20.0),
        ),
        Target::new("check of 10,000 peers, CPU s", check, Bound::AtMost(0.5)),
        Target::new("answer under a scope, CPU more, µs", answer, Bound::AtMost(2.0)),
        Target::new("association with identity type 1, CPU more, µs", more.claimed, Bound::AtMost(100.0)),
        Target::new("association with identity type 5, CPU more, µs", more.token, Bound::AtMost(100.0)),
        Target::told("association with identity type 5 and a jti, CPU more, µs", more.taken),
        Target::new("C-ECHO beside wrong passcodes, p99, ms", left.echo, Bound::AtMost(100.0)),
        Target::new("association beside wrong passcodes, p99, ms", left.association, Bound::AtMost(100.0)),
        Target::told("wrong passcodes beside these, 1/s", left.guesses),
        Target::new("AE title of another tenant against one of nobody, |t|", told.titles, Bound::AtMost(4.5)),
        Target::new(
            "certificate of another tenant against a stranger's, |t|",
            told.certificates,
            Bound::AtMost(4.5),
        ),
    ])
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

/// What the proxy used in a run, in microseconds.
fn cpu(run: &Run) -> f64 {
    run.usage.map_or(0.0, |(before, after)| after.cpu.saturating_sub(before.cpu).as_secs_f64() * 1e6)
}
