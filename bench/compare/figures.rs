//! What is measured, and the medians of it.

use std::collections::BTreeMap;

use crate::setups::{Out, Setup};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Figure {
    CtThroughput,
    CtCpu,
    CtLatency,
    CtLatencyTail,
    LargeThroughput,
    LargeCpu,
    SmallRate,
    SmallCpu,
    FourThroughput,
    FourCpu,
    DetailedCpu,
    Echo,
    EchoTail,
    AssociationRate,
    AssociationCpu,
    ManyCertificatesCpu,
    Idle1000,
    Idle5000,
    Peak,
    DcmtkCt,
    DcmtkSmall,
}

impl Figure {
    pub const ALL: [Self; 21] = [
        Self::CtThroughput,
        Self::CtCpu,
        Self::CtLatency,
        Self::CtLatencyTail,
        Self::LargeThroughput,
        Self::LargeCpu,
        Self::SmallRate,
        Self::SmallCpu,
        Self::FourThroughput,
        Self::FourCpu,
        Self::DetailedCpu,
        Self::Echo,
        Self::EchoTail,
        Self::AssociationRate,
        Self::AssociationCpu,
        Self::ManyCertificatesCpu,
        Self::Idle1000,
        Self::Idle5000,
        Self::Peak,
        Self::DcmtkCt,
        Self::DcmtkSmall,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::CtThroughput => "CT, MB/s",
            Self::CtCpu => "CT, CPU-s/GB",
            Self::CtLatency => "CT store p50, µs",
            Self::CtLatencyTail => "CT store p99, µs",
            Self::LargeThroughput => "300 MB objects, MB/s",
            Self::LargeCpu => "300 MB objects, CPU-s/GB",
            Self::SmallRate => "6.7 KB objects/s",
            Self::SmallCpu => "6.7 KB object, CPU µs",
            Self::FourThroughput => "CT, 4 associations, MB/s",
            Self::FourCpu => "CT, 4 associations, CPU-s/GB",
            Self::DetailedCpu => "CT of 150 elements, CPU-s/GB",
            Self::Echo => "C-ECHO p50, µs",
            Self::EchoTail => "C-ECHO p99, µs",
            Self::AssociationRate => "mutual TLS associations/s",
            Self::AssociationCpu => "association, CPU ms",
            Self::ManyCertificatesCpu => "association, 100 certificates, CPU ms",
            Self::Idle1000 => "KiB per idle association, 1,000",
            Self::Idle5000 => "KiB per idle association, 5,000",
            Self::Peak => "peak MiB above idle, 300 MB",
            Self::DcmtkCt => "DCMTK, CT/s",
            Self::DcmtkSmall => "DCMTK, 6.7 KB objects/s",
        }
    }

    /// Digits after the point.
    pub fn digits(self) -> usize {
        match self {
            Self::CtCpu
            | Self::LargeCpu
            | Self::FourCpu
            | Self::DetailedCpu
            | Self::AssociationCpu
            | Self::ManyCertificatesCpu => 3,
            Self::SmallCpu
            | Self::Idle1000
            | Self::Idle5000
            | Self::Peak
            | Self::DcmtkCt
            | Self::DcmtkSmall => 1,
            _ => 0,
        }
    }
}

/// Samples by figure, setup and way out.
#[derive(Default)]
pub struct Figures(BTreeMap<(Figure, Setup, Out), Vec<f64>>);

impl Figures {
    pub fn add(&mut self, figure: Figure, setup: Setup, out: Out, value: f64) {
        self.0.entry((figure, setup, out)).or_default().push(value);
    }

    /// `None` for what was not measured.
    pub fn median(&self, figure: Figure, setup: Setup, out: Out) -> Option<f64> {
        let mut sorted = self.0.get(&(figure, setup, out))?.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let (low, high) = (sorted.get((sorted.len() - 1) / 2)?, sorted.get(sorted.len() / 2)?);
        Some((low + high) / 2.0)
    }

    /// The median over another setup's.
    pub fn ratio(&self, figure: Figure, setup: Setup, base: Setup, out: Out) -> Option<f64> {
        Some(self.median(figure, setup, out)? / self.median(figure, base, out)?)
    }
}
