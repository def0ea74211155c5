//! `dimsegate demo`: everything on this machine, loopback only.
//!
//! A development CA, an embedded archive, the proxy in front of it, one study sent through TLS; then what changed in
//! it and what was recorded. What was sent and what was kept is compared by dicom-object, not by the proxy.

mod archive;
mod certificates;
mod changes;
mod endings;
mod failure;
mod kept;
mod phantom;
mod proxy;
mod records;
mod requestor;
mod site;
mod stage;
pub(super) mod story;
mod stranger;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use endings::Endings;
use failure::Failure;
use site::Site;
use stage::Stage;
use story::{Next, Story, Style};

/// See the proxy at work on this machine: a development CA, an archive, one study through TLS
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate demo --once
  dimsegate demo --dir /tmp/dimsegate-demo

Ctrl-C ends it; so do SIGTERM, the end of its terminal (unless nohup started it), and a reader of its output that has gone. Nothing is left running then, and of a temporary folder nothing is left.")]
pub(super) struct Args {
    /// End after the study; otherwise stay up, have somebody refused every 10 seconds, and say what to try next
    #[arg(long)]
    pub once: bool,
    /// Keep certificates, configuration, archive and records here; otherwise in a temporary folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs the demonstration; 0 when every step worked.
pub(super) fn run(args: &Args) -> ExitCode {
    match run_to_its_end(args, &mut Story::new(io::stdout(), Style::of_standard_output())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // A terminal that is gone takes this no more.
            let _ = writeln!(io::stderr(), "dimsegate demo: {}", super::table::visible(&failure.to_string()));
            ExitCode::FAILURE
        }
    }
}

fn run_to_its_end<W: Write>(args: &Args, story: &mut Story<W>) -> Result<(), Failure> {
    let runtime = super::runtime().map_err(|error| Failure::io("starting", error))?;
    let endings = runtime.block_on(async { Endings::watch() });
    let mut endings = endings.map_err(|error| Failure::io("catching signals", error))?;
    let site = Site::open(args.dir.as_deref()).map_err(|error| Failure::io("making the folder", error))?;
    let performed = runtime.block_on(demonstrate(args.once, &site, &mut endings, story));
    // Whatever still writes into the folder ends before the folder does.
    drop(runtime);
    story.end(site.folder(), !site.is_temporary());
    site.close().map_err(|error| Failure::io("removing the folder", error))?;
    performed
}

async fn demonstrate<W: Write>(
    once: bool,
    site: &Site,
    endings: &mut Endings,
    story: &mut Story<W>,
) -> Result<(), Failure> {
    story.title();
    // Not cut short, so that what was started is also stopped; it takes no time.
    let stage = Stage::set(site, story).await?;
    let performed = tokio::select! {
        biased;
        () = endings.told() => Err(Failure::Interrupted),
        performed = performance(once, &stage, site, story) => performed,
    };
    if performed.is_ok() && !once {
        stay_up(&stage, site, endings, story).await;
    }
    stage.strike().await;
    performed
}

async fn performance<W: Write>(
    once: bool,
    stage: &Stage,
    site: &Site,
    story: &mut Story<W>,
) -> Result<(), Failure> {
    stage.perform(site, story).await?;
    if once { Ok(()) } else { stage.refuse(site, story).await }
}

async fn stay_up<W: Write>(stage: &Stage, site: &Site, endings: &mut Endings, story: &mut Story<W>) {
    let program = std::env::args_os().next().map(PathBuf::from);
    let program = program.as_deref().unwrap_or(Path::new("dimsegate"));
    let page = stage.page();
    story.next(&Next { site, listener: stage.listener(), page: &page, program });
    let credentials = site.modality();
    tokio::select! {
        () = endings.told_or_unread() => {}
        () = stranger::comes_again(stage.listener(), &credentials) => {}
    }
}

#[cfg(test)]
mod tests;
