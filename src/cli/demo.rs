//! `dimsegate demo`: everything on this machine, loopback only.
//!
//! A development CA, an embedded archive, the proxy in front of it, one study sent through TLS; then what changed in
//! it and what was recorded. The modality and the archive are dicom-ul's and dicom-object's work, not the proxy's.

mod archive;
mod certificates;
mod changes;
mod command;
mod failure;
mod kept;
mod phantom;
mod proxy;
mod records;
mod requestor;
mod signals;
mod site;
mod stage;
pub(super) mod story;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use failure::Failure;
use signals::Signals;
use site::Site;
use stage::Stage;
use story::{Next, Story, Style};

/// See the proxy at work on this machine: a development CA, an archive, one study through TLS
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:\n  dimsegate demo --once\n  dimsegate demo --dir /tmp/dimsegate-demo")]
pub struct Args {
    /// End after the study; otherwise stay up, and say what to try next
    #[arg(long)]
    pub once: bool,
    /// Keep certificates, configuration, archive and records here; otherwise in a temporary folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Runs the demonstration; 0 when every step worked.
pub fn run(args: &Args) -> ExitCode {
    let mut story = Story::new(io::stdout(), Style::of_standard_output());
    let outcome = super::runtime()
        .map_err(|error| Failure::io("starting", error))
        .and_then(|runtime| runtime.block_on(demonstrate(args, &mut story)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("dimsegate demo: {}", super::table::visible(&failure.to_string()));
            ExitCode::FAILURE
        }
    }
}

async fn demonstrate<W: io::Write>(args: &Args, story: &mut Story<W>) -> Result<(), Failure> {
    let mut signals = Signals::catch().map_err(|error| Failure::io("catching signals", error))?;
    let mut site =
        Site::open(args.dir.as_deref()).map_err(|error| Failure::io("making the folder", error))?;
    story.title();
    let stage = tokio::select! {
        stage = Stage::set(&site, story) => stage?,
        () = signals.received() => return Err(Failure::Interrupted),
    };
    let performed = tokio::select! {
        performed = stage.perform(&site, story) => performed,
        () = signals.received() => Err(Failure::Interrupted),
    };
    if performed.is_ok() && !args.once {
        site.keep();
        let program = std::env::args_os().next().map(PathBuf::from);
        let program = program.as_deref().unwrap_or(Path::new("dimsegate"));
        story.next(&Next { site: &site, listener: stage.listener(), program });
        signals.received().await;
    }
    stage.strike().await;
    story.end(site.folder(), !site.is_temporary());
    performed
}

#[cfg(test)]
mod tests;
