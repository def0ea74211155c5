//! One row of figures, as a table or as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::procfs::Usage;

/// What one run measured.
#[derive(Debug, Default)]
pub struct Figures {
    pub mode: &'static str,
    /// Objects, echoes or associations.
    pub count: usize,
    /// Bytes of data sets.
    pub bytes: u64,
    pub wall: Duration,
    pub latencies: Vec<Duration>,
    /// Of the process under `--pid`, before and after.
    pub usage: Option<(Usage, Usage)>,
}

impl Figures {
    fn seconds(&self) -> f64 {
        self.wall.as_secs_f64().max(1e-9)
    }

    /// The nearest-rank percentile in µs, 0 without latencies.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted.get(rank).map_or(0.0, |latency| latency.as_secs_f64() * 1e6)
    }

    fn values(&self) -> Vec<(&'static str, f64)> {
        let mut values = vec![
            ("MB/s", self.bytes as f64 / 1e6 / self.seconds()),
            ("1/s", self.count as f64 / self.seconds()),
            ("p50 µs", self.percentile(50)),
            ("p99 µs", self.percentile(99)),
        ];
        if let Some((before, after)) = self.usage {
            let cpu = (after.cpu.saturating_sub(before.cpu)).as_secs_f64();
            let resident = after.resident_kib.saturating_sub(before.resident_kib) as f64;
            values.push(("CPU s", cpu));
            values.push(("CPU-s/GB", if self.bytes > 0 { cpu / (self.bytes as f64 / 1e9) } else { 0.0 }));
            values.push(("CPU µs each", cpu * 1e6 / self.count.max(1) as f64));
            values.push(("KiB each", resident / self.count.max(1) as f64));
            values.push(("peak MiB", after.peak_resident_kib as f64 / 1024.0));
        }
        values
    }

    pub fn json(&self) -> Value {
        let mut value =
            json!({ "mode": self.mode, "count": self.count, "bytes": self.bytes, "s": self.seconds() });
        for (name, figure) in self.values() {
            value[name] = json!(figure);
        }
        value
    }

    pub fn table(&self) -> String {
        let names: Vec<String> = self.values().iter().map(|(name, _)| format!("{name:>12}")).collect();
        let row: Vec<String> = self.values().iter().map(|(_, figure)| format!("{figure:>12.2}")).collect();
        format!(
            "{:<10}{:>9}{}\n{:<10}{:>9}{}",
            "mode",
            "count",
            names.concat(),
            self.mode,
            self.count,
            row.concat()
        )
    }
}
