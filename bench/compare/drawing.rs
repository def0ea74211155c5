//! bench/results.svg: bars by figure and setup, readable on a light and on a dark page.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::Path;

use crate::figures::{Figure, Figures};
use crate::setups::{Out, Setup};

struct Panel {
    title: &'static str,
    better: &'static str,
    figure: Figure,
    /// Taken off each bar: what there is without any proxy.
    over: Option<Setup>,
    digits: usize,
}

const PANELS: [Panel; 8] = [
    panel("CPU, CT slices of 529 KB", "CPU-s per GB, less is better", Figure::CtCpu, 2),
    panel("Throughput, CT, one association", "MB/s, more is better", Figure::CtThroughput, 0),
    panel("CPU per object of 6.7 KB", "µs, less is better", Figure::SmallCpu, 0),
    panel("Associations, mutual TLS", "per second, more is better", Figure::AssociationRate, 0),
    Panel {
        over: Some(Setup::Direct),
        ..panel("Added to a CT store", "µs over direct TLS (p50), less is better", Figure::CtLatency, 0)
    },
    Panel {
        over: Some(Setup::Direct),
        ..panel("Added to a C-ECHO", "µs over direct TLS (p50), less is better", Figure::Echo, 0)
    },
    panel("An idle association", "KiB of 5,000, less is better", Figure::Idle5000, 0),
    panel("DCMTK at its defaults, CT", "objects per second, more is better", Figure::DcmtkCt, 0),
];

const fn panel(title: &'static str, better: &'static str, figure: Figure, digits: usize) -> Panel {
    Panel { title, better, figure, over: None, digits }
}

const WIDTH: usize = 900;
const COLUMN: usize = 430;
const LABELS: usize = 118;
const BARS: usize = 240;
const LINE: usize = 21;

/// A card of its own colour, so that the page behind it does not matter; darker where the reader prefers it.
const STYLE: &str = "
  text { font: 13px system-ui, 'DejaVu Sans', sans-serif; fill: #24292f }
  .card { fill: #ffffff; stroke: #d0d7de }
  .title { font-weight: 600; font-size: 15px }
  .note { fill: #57606a; font-size: 12px }
  .other { fill: #9aa7b4 }
  .own { fill: #0a7d5a }
  .bold { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .card { fill: #161b22; stroke: #30363d }
    .note { fill: #9da7b1 }
    .other { fill: #5d6b79 }
    .own { fill: #2fb587 }
  }
";

pub fn write(figures: &Figures, rounds: usize) -> io::Result<()> {
    let svg = drawing(figures, rounds).map_err(io::Error::other)?;
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/results.svg"), svg)
}

fn drawing(figures: &Figures, rounds: usize) -> Result<String, std::fmt::Error> {
    let (mut body, mut bottom) = (String::new(), 0);
    for pair in PANELS.chunks(2) {
        let top = bottom + 20;
        for (column, panel) in pair.iter().enumerate() {
            let bars = bars(panel, figures);
            draw(&mut body, panel, &bars, 20 + column * COLUMN, top)?;
            bottom = bottom.max(top + 48 + bars.len() * LINE);
        }
    }
    let height = bottom + 40;
    let note = format!(
        "TLS 1.3 with client certificates in, plain out. Medians of {rounds} interleaved rounds on one machine; \
         only ratios mean anything."
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" role=\"img\" \
         aria-label=\"dimsegate beside HAProxy, nginx and a byte copy\">\n<style>{STYLE}</style>\n"
    );
    writeln!(
        svg,
        "<rect class=\"card\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
        WIDTH - 1,
        height - 1
    )?;
    svg.push_str(&body);
    writeln!(svg, "<text class=\"note\" x=\"20\" y=\"{}\">{note}</text>\n</svg>", bottom + 22)?;
    Ok(svg)
}

fn bars(panel: &Panel, figures: &Figures) -> Vec<(Setup, f64)> {
    let base = panel.over.and_then(|setup| figures.median(panel.figure, setup, Out::Plain)).unwrap_or(0.0);
    let bar = |setup| Some((setup, (figures.median(panel.figure, setup, Out::Plain)? - base).max(0.0)));
    Setup::ALL.into_iter().filter(|setup| panel.over != Some(*setup)).filter_map(bar).collect()
}

fn draw(svg: &mut String, panel: &Panel, bars: &[(Setup, f64)], x: usize, y: usize) -> std::fmt::Result {
    writeln!(svg, "<text class=\"title\" x=\"{x}\" y=\"{}\">{}</text>", y + 14, panel.title)?;
    writeln!(svg, "<text class=\"note\" x=\"{x}\" y=\"{}\">{}</text>", y + 31, panel.better)?;
    let longest = bars.iter().map(|(_, value)| *value).fold(f64::MIN_POSITIVE, f64::max);
    for (line, (setup, value)) in bars.iter().enumerate() {
        let (top, length) = (y + 42 + line * LINE, value / longest * BARS as f64);
        let (class, weight) = if setup.is_dimsegate() { ("own", "bold") } else { ("other", "") };
        let (label, base) = (x + LABELS - 8, top + 13);
        let name = setup.name();
        writeln!(
            svg,
            "<text class=\"{weight}\" x=\"{label}\" y=\"{base}\" text-anchor=\"end\">{name}</text>"
        )?;
        let left = x + LABELS;
        writeln!(
            svg,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{top}\" width=\"{length:.1}\" height=\"16\" rx=\"2\"/>"
        )?;
        let end = left as f64 + length + 6.0;
        let digits = panel.digits;
        writeln!(svg, "<text class=\"{weight}\" x=\"{end:.1}\" y=\"{base}\">{value:.digits$}</text>")?;
    }
    Ok(())
}
