//! The loads, each through one setup: what the generator saw, and what the proxy's processes cost meanwhile.

use std::io;

use clap::ValueEnum;

use crate::figures::{Figure, Figures};
use crate::object::Object;
use crate::procfs;
use crate::report::Figures as Run;
use crate::rounds;
use crate::setups::{Out, Running, Setup};
use crate::store;

pub const CALLING: &str = "LOAD";
pub const CALLED: &str = "PACS";

/// The longest P-DATA-TF body that the generator sends, in bytes.
const MAXIMUM_LENGTH: u32 = 131_072;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Load {
    Ct,
    Large,
    Small,
    FourAssociations,
    Detailed,
    Echo,
    Associations,
    ManyCertificates,
    Idle,
    Peak,
    Dcmtk,
}

impl Load {
    /// Slices with all that scanners write go through dimsegate only, to see what the whole profile costs. The floor is one of
    /// CPU: it cannot hold many associations.
    pub fn goes_through(self, setup: Setup) -> bool {
        match self {
            Self::Detailed => matches!(setup, Setup::PassThrough | Setup::DeIdentifying),
            Self::Idle | Self::Peak if setup == Setup::Floor => false,
            _ => setup != Setup::DeIdentifying,
        }
    }

    /// How often a round takes it: what is over in a tenth of a second is taken more often.
    pub fn repeats(self) -> usize {
        match self {
            Self::Ct | Self::Small | Self::FourAssociations | Self::Detailed | Self::Echo => 3,
            Self::Large
            | Self::Associations
            | Self::ManyCertificates
            | Self::Idle
            | Self::Peak
            | Self::Dcmtk => 1,
        }
    }
}

/// What is sent, and how much of it.
#[derive(Clone)]
pub struct Amounts {
    pub ct: Object,
    pub large: Object,
    pub small: Object,
    pub detailed: Object,
    /// Whole loads are divided by this.
    pub divisor: usize,
}

impl Amounts {
    pub fn new(divisor: usize) -> Self {
        let (ct, small) = (Object::ct(529_000), Object::ct(6_700));
        let (large, detailed) = (Object::ct(300_000_000), Object::detailed_ct(527_000));
        Self { ct, large, small, detailed, divisor }
    }

    fn objects(&self, load: Load) -> (&Object, usize) {
        match load {
            Load::Large => (&self.large, (3 / self.divisor).max(1)),
            Load::Small => (&self.small, 3000 / self.divisor),
            Load::Detailed => (&self.detailed, 400 / self.divisor),
            _ => (&self.ct, 400 / self.divisor),
        }
    }

    pub fn run(&self, load: Load, running: &Running) -> io::Result<Run> {
        let target = &running.target;
        let before = running.pid().map(procfs::usage);
        let mut run = match load {
            Load::Echo => rounds::echo(target, CALLING, CALLED, 1000 / self.divisor)?,
            Load::Associations => rounds::associate(target, CALLING, CALLED, 800 / self.divisor, 8)?,
            Load::ManyCertificates => {
                rounds::associate_in_turns(&running.clients, CALLING, CALLED, 800 / self.divisor, 8)?
            }
            _ => self.store(load, running)?,
        };
        run.usage = before.zip(running.pid().map(procfs::usage));
        Ok(run)
    }

    fn store(&self, load: Load, running: &Running) -> io::Result<Run> {
        let (object, objects) = self.objects(load);
        let associations = if load == Load::FourAssociations { 4 } else { 1 };
        let (target, maximum_length) = (&running.target, MAXIMUM_LENGTH);
        let plan = store::Plan {
            target,
            calling: CALLING,
            called: CALLED,
            object,
            objects,
            associations,
            maximum_length,
        };
        plan.run()
    }
}

/// Keeps what a run says under the names of the load's figures.
pub fn keep(figures: &mut Figures, load: Load, setup: Setup, out: Out, run: &Run) {
    let seconds = run.wall.as_secs_f64();
    let (megabytes, rate) = (run.bytes as f64 / 1e6 / seconds, run.count as f64 / seconds);
    let cpu = run.usage.map(|(before, after)| after.cpu.saturating_sub(before.cpu).as_secs_f64());
    let (per_gigabyte, each) =
        (cpu.map(|cpu| cpu / (run.bytes as f64 / 1e9)), cpu.map(|cpu| cpu / run.count as f64));
    let (p50, p99) = (run.percentile(50), run.percentile(99));
    let kept = match load {
        Load::Ct => vec![
            (Figure::CtThroughput, Some(megabytes)),
            (Figure::CtCpu, per_gigabyte),
            (Figure::CtLatency, Some(p50)),
            (Figure::CtLatencyTail, Some(p99)),
        ],
        Load::Large => vec![(Figure::LargeThroughput, Some(megabytes)), (Figure::LargeCpu, per_gigabyte)],
        Load::Small => {
            vec![(Figure::SmallRate, Some(rate)), (Figure::SmallCpu, each.map(|cpu| cpu * 1e6))]
        }
        Load::FourAssociations => {
            vec![(Figure::FourThroughput, Some(megabytes)), (Figure::FourCpu, per_gigabyte)]
        }
        Load::Detailed => vec![(Figure::DetailedCpu, per_gigabyte)],
        Load::Echo => vec![(Figure::Echo, Some(p50)), (Figure::EchoTail, Some(p99))],
        // These keep their own figures.
        Load::Idle | Load::Peak | Load::Dcmtk => vec![],
        Load::ManyCertificates => vec![(Figure::ManyCertificatesCpu, each.map(|cpu| cpu * 1e3))],
        Load::Associations => {
            vec![(Figure::AssociationRate, Some(rate)), (Figure::AssociationCpu, each.map(|cpu| cpu * 1e3))]
        }
    };
    for (figure, value) in kept {
        if let Some(value) = value {
            figures.add(figure, setup, out, value);
        }
    }
}
