//! What records cost: CPU of the thread that records and of the thread that writes, and how fast the trail is verified
//! and searched. `cargo bench --bench records`; with `-- --trail 1000000` the trail has so many records.

mod cost;
mod cpu;
mod trail;

use std::process::ExitCode;

/// Records of which the cost is taken, in each round.
const RECORDS: u64 = 40_000;
/// Of the trail that is verified and searched.
const TRAIL: u64 = 1_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |name: &str, default: u64| match arguments.iter().position(|argument| argument == name) {
        Some(at) => arguments.get(at + 1).and_then(|count| count.parse().ok()),
        None => Some(default),
    };
    let (Some(records), Some(trail)) = (number("--records", RECORDS), number("--trail", TRAIL)) else {
        eprintln!("usage: cargo bench --bench records -- [--records N] [--trail N]");
        return ExitCode::from(2);
    };
    let cheap = cost::measure(records);
    let fast = trail::measure(trail);
    if cheap && fast { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
