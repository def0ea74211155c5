//! What dimsegate is to reach, beside what it did. The floor comes first: what is to be had above it is the same on every
//! machine, or nearly, and what HAProxy costs is not.

use crate::figures::{Figure, Figures};
use crate::setups::{Out, Setup};
use crate::table::Table;

/// A figure of dimsegate, relative to others where `unit` is a ratio.
pub struct Target {
    what: &'static str,
    measured: Option<f64>,
    /// `None`: it is told, and nothing is asked of it.
    bound: Option<Bound>,
}

pub enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Target {
    pub fn new(what: &'static str, measured: Option<f64>, bound: Bound) -> Self {
        Self { what, measured, bound: Some(bound) }
    }

    /// Without a bound.
    pub fn told(what: &'static str, measured: Option<f64>) -> Self {
        Self { what, measured, bound: None }
    }

    /// Whether a bound was missed; what was not measured is no better.
    pub fn is_missed(&self) -> bool {
        self.bound.as_ref().is_some_and(|bound| !self.measured.is_some_and(|measured| bound.holds(measured)))
    }

    fn row(&self) -> Vec<String> {
        let verdict = match (self.measured, &self.bound) {
            (None, _) => "not measured",
            (Some(_), None) => "told",
            (Some(_), Some(_)) if self.is_missed() => "NOT MET",
            (Some(_), Some(_)) => "met",
        };
        let bound = self.bound.as_ref().map_or_else(|| "–".into(), Bound::text);
        let measured = self.measured.map_or_else(String::new, |measured| format!("{measured:.2}"));
        vec![self.what.into(), bound, measured, verdict.into()]
    }
}

impl Bound {
    fn holds(&self, measured: f64) -> bool {
        match self {
            Self::AtMost(bound) => measured <= *bound,
            Self::AtLeast(bound) => measured >= *bound,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::AtMost(bound) => format!("≤ {bound}"),
            Self::AtLeast(bound) => format!("≥ {bound}"),
        }
    }
}

pub fn of(figures: &Figures) -> Table {
    table("dimsegate, TLS to plain", &targets(figures))
}

/// With what was measured at the head of its column.
pub fn table(what: &str, targets: &[Target]) -> Table {
    let head = [what, "target", "measured", ""].map(str::to_string).to_vec();
    Table { head, rows: targets.iter().map(Target::row).collect() }
}

fn targets(figures: &Figures) -> Vec<Target> {
    use Bound::{AtLeast, AtMost};
    use Setup::{Copy, DeIdentifying, Direct, Floor, HaProxy, HaProxyLarge, PassThrough, Rewriting};
    let own = |figure, setup| figures.median(figure, setup, Out::Plain);
    let ratio = |figure, base| figures.ratio(figure, PassThrough, base, Out::Plain);
    let rewriting = |figure| figures.ratio(figure, Rewriting, PassThrough, Out::Plain);
    let detailed = figures.ratio(Figure::DetailedCpu, DeIdentifying, PassThrough, Out::Plain);
    let added = |figure| {
        let over = |setup| Some(own(figure, setup)? - own(figure, Direct)?);
        Some(over(PassThrough)? / over(HaProxy)?)
    };
    let worse = |one: Option<f64>, other: Option<f64>| Some(one?.max(other?));
    let idle = worse(own(Figure::Idle1000, PassThrough), own(Figure::Idle5000, PassThrough));
    let peak = worse(own(Figure::Peak, PassThrough), own(Figure::Peak, Rewriting));
    let all = [
        ("CPU-s/GB, CT, to the floor's", ratio(Figure::CtCpu, Floor), AtMost(1.30)),
        ("CPU per 6.7 KB object, to the floor's", ratio(Figure::SmallCpu, Floor), AtMost(1.40)),
        ("CPU-s/GB, CT, to HAProxy's", ratio(Figure::CtCpu, HaProxy), AtMost(0.38)),
        ("CPU-s/GB, CT, to HAProxy's with 128 KiB buffers", ratio(Figure::CtCpu, HaProxyLarge), AtMost(0.52)),
        ("CPU-s/GB, CT, to the byte copy's", ratio(Figure::CtCpu, Copy), AtMost(0.90)),
        ("CPU-s/GB, 300 MB objects, to HAProxy's", ratio(Figure::LargeCpu, HaProxy), AtMost(0.45)),
        ("CPU-s/GB, CT, rewriting to pass-through", rewriting(Figure::CtCpu), AtMost(1.10)),
        ("CPU-s/GB, 300 MB objects, rewriting to pass-through", rewriting(Figure::LargeCpu), AtMost(1.10)),
        ("CPU-s/GB, CT of 150 elements, de-identifying to pass-through", detailed, AtMost(1.5)),
        ("MB/s, CT, to HAProxy's", ratio(Figure::CtThroughput, HaProxy), AtLeast(1.9)),
        (
            "MB/s, CT, to HAProxy's with 128 KiB buffers",
            ratio(Figure::CtThroughput, HaProxyLarge),
            AtLeast(1.4),
        ),
        ("CPU per 6.7 KB object, to HAProxy's", ratio(Figure::SmallCpu, HaProxy), AtMost(0.90)),
        ("mutual TLS associations/s, to HAProxy's", ratio(Figure::AssociationRate, HaProxy), AtLeast(2.5)),
        ("added C-ECHO p50, to HAProxy's", added(Figure::Echo), AtMost(0.8)),
        ("added CT store p50, to HAProxy's", added(Figure::CtLatency), AtMost(0.25)),
        ("KiB per idle association", idle, AtMost(16.0)),
        ("peak MiB above idle, 300 MB object", peak, AtMost(2.0)),
        ("DCMTK CT/s, to the direct connection's", ratio(Figure::DcmtkCt, Direct), AtLeast(25.0)),
        (
            "DCMTK 6.7 KB objects/s, to the direct connection's",
            ratio(Figure::DcmtkSmall, Direct),
            AtLeast(70.0),
        ),
    ];
    all.into_iter().map(|(what, measured, bound)| Target::new(what, measured, bound)).collect()
}
