//! What a process and everything below it cost, from /proc (proc(5)).

use std::collections::HashMap;
use std::fs;
use std::io;
use std::time::Duration;

/// Ticks a second of `utime` and `stime`: USER_HZ, 100 on every Linux of today.
const TICKS: u64 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// User and system time; where the kernel counts in nanoseconds, of threads that live.
    pub cpu: Duration,
    pub resident_kib: u64,
    pub peak_resident_kib: u64,
}

/// The sum over `root` and its descendants; zero where it does not run.
pub fn usage(root: u32) -> Usage {
    let stats: HashMap<u32, Vec<String>> = processes().filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let mut total = Usage::default();
    for pid in tree(root, &stats) {
        total.cpu += on_cpu(pid).unwrap_or_else(|| ticks(&stats[&pid]));
        total.resident_kib += status(pid, "VmRSS:");
        total.peak_resident_kib += status(pid, "VmHWM:");
    }
    total
}

/// What the children of this process that have ended needed, to the tick.
pub fn of_ended_children() -> Duration {
    let own = stat(std::process::id()).unwrap_or_default();
    // Fields 16 and 17, counted from 1 with the two that `stat` left out.
    let ticks: u64 =
        own.get(13..15).into_iter().flatten().filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// Lets the peak count from now on (proc(5), `clear_refs`).
pub fn reset_peak(root: u32) -> io::Result<()> {
    let stats: HashMap<u32, Vec<String>> = processes().filter_map(|pid| Some((pid, stat(pid)?))).collect();
    tree(root, &stats).into_iter().try_for_each(|pid| fs::write(format!("/proc/{pid}/clear_refs"), "5"))
}

/// What the scheduler counted for the threads that live, to the nanosecond, where the kernel keeps it.
fn on_cpu(pid: u32) -> Option<Duration> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let mut counted = threads.map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
    });
    counted.try_fold(Duration::ZERO, |sum, one| Some(sum + one?))
}

fn ticks(stat: &[String]) -> Duration {
    // Fields 14 to 17, counted from 1 with the two that `stat` left out.
    let ticks: u64 = stat[11..15].iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn tree(root: u32, stats: &HashMap<u32, Vec<String>>) -> Vec<u32> {
    let mut found: Vec<u32> = stats.contains_key(&root).then_some(root).into_iter().collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        let children = stats.iter().filter(|(_, fields)| fields[1] == parent.to_string());
        found.extend(children.map(|(pid, _)| *pid));
        next += 1;
    }
    found
}

/// The fields after the name in parentheses, which may itself hold spaces and parentheses.
fn stat(pid: u32) -> Option<Vec<String>> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<String> = line.rsplit_once(')')?.1.split_whitespace().map(str::to_string).collect();
    (fields.len() > 15).then_some(fields)
}

fn status(pid: u32, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}
