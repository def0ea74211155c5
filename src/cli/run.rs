//! `dimsegate run`: the proxy, until it is told to stop.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGHUP;
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use time::UtcOffset;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel, error::TrySendError};

mod logging;

use super::audit::report;
use super::exit;
use crate::admin;
use crate::audit::ReloadedBy;
use crate::audit::used::name_of;
use crate::config::{self, Diagnostics, Loaded, Log, LogFormat, Settings};
use crate::daemon::{Daemon, Request};
use logging::{Logging, tell_of_panics};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate run -c conf/dimsegate.toml

Signals:
  SIGHUP   reads the configuration, certificates, keys and revocation lists again, for associations that begin from
           then on; a file with problems leaves everything as it was, and says so; files
           that it names are read again without it when they change
  SIGTERM  stops accepting, releases at once every association with nothing under way, gives the others limits.grace,
           and aborts the rest (SIGINT does the same)")]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Runs the proxy. 0 after a stop that was asked for, 78 for a bad configuration, 69 when it cannot bind or record.
pub(super) fn run(args: &Args) -> ExitCode {
    let loaded = match config::load(&args.config) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse_to_start(&args.config, &problems),
    };
    let log = Logging::start(&loaded.settings.log);
    tell_of_panics();
    raise_descriptor_limit();
    super::warn(&loaded);
    match super::runtime().map_err(Failure::from).and_then(|runtime| {
        let served = runtime.block_on(serve(&args.config, loaded, &log));
        runtime.shutdown_timeout(LAST_TASKS);
        served
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(exit::UNAVAILABLE)
        }
    }
}

/// How long the end of the process waits for a task that hangs in the system: a file that nobody writes, a disk that is gone.
const LAST_TASKS: Duration = Duration::from_secs(5);

/// Says all that is wrong, as the log would be written as far as the configuration says that.
fn refuse_to_start(file: &Path, problems: &Diagnostics) -> ExitCode {
    match config::log_format(file) {
        LogFormat::Text => eprintln!("{problems}"),
        LogFormat::Json => {
            let _log = Logging::start(&Log { level: "error".into(), format: LogFormat::Json });
            problems.errors.iter().for_each(|problem| tracing::error!("{problem}"));
        }
    }
    ExitCode::from(exit::BAD_CONFIGURATION)
}

/// Of Linux on every architecture that Rust knows but MIPS and PA-RISC.
const SIGXFSZ: i32 = 25;

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn serve(file: &Path, loaded: Loaded, log: &Logging) -> Result<(), Failure> {
    let mut hangups = hangups()?;
    // A file that reaches its size limit (setrlimit(2)) is a write that fails, not the end of the process.
    let _file_size_limit = signal(SignalKind::from_raw(SIGXFSZ))?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let bound = bind_interfaces(&loaded).await?;
    let Some(mut daemon) = Daemon::start(loaded, told_to_stop(&mut terminate, &mut interrupt)).await? else {
        tracing::info!("stopped before it had begun");
        return Ok(());
    };
    say_started(&daemon, file);
    let mut changes = daemon.watch_files();
    let mut interfaces = interfaces(bound, &daemon);
    let mut lost = pin!(log.tell_what_is_lost());
    let why: Cow<'static, str> = loop {
        tokio::select! {
            Some(by) = hangups.recv() => {
                // Its record may wait for a disk that takes nothing; what it has put into force by then stays so.
                tokio::select! {
                    _ = daemon.read_again(by) => {}
                    why = told_to_stop(&mut terminate, &mut interrupt) => break why.into(),
                }
                log.apply(&daemon.settings().log);
            }
            request = daemon.next_request() => match request {
                Request::Reload { by, answer } => {
                    let read = tokio::select! {
                        read = daemon.read_again(by) => read,
                        why = told_to_stop(&mut terminate, &mut interrupt) => break why.into(),
                    };
                    log.apply(&daemon.settings().log);
                    // Who asked may have gone.
                    let _ = answer.send(read);
                }
                Request::Drain { why } => break why.into(),
                Request::LogLevel { level, answer } => {
                    let _ = answer.send(log.set(&level));
                }
            },
            Some(by) = changes.recv() => {
                tracing::info!(files = by.watched_files.join(", "), "files of the configuration have changed");
                tokio::select! {
                    _ = daemon.read_files_again(by) => {}
                    why = told_to_stop(&mut terminate, &mut interrupt) => break why.into(),
                }
            }
            why = told_to_stop(&mut terminate, &mut interrupt) => break why.into(),
            never = &mut lost => match never {},
        }
        end_those_of_nobody(&mut interfaces, &daemon).await;
    };
    let others = async {
        for (_, interface) in interfaces {
            interface.stop().await;
        }
    };
    daemon.stop(why.clone(), others).await;
    tracing::info!(reason = %why, "stopped");
    Ok(())
}

/// Each interface, with the tenant that it is of.
type Interfaces = Vec<(Option<Arc<str>>, admin::Interface)>;
type BoundInterfaces = BTreeMap<Option<Arc<str>>, Vec<admin::Place>>;

/// Has every socket and address of every interface.
async fn bind_interfaces(loaded: &Loaded) -> Result<BoundInterfaces, Failure> {
    let mut bound = BTreeMap::from([(None, admin::bind(&loaded.settings).await?)]);
    for tenant in &loaded.tenants {
        bound.insert(tenant.settings.tenant.clone(), admin::bind(&tenant.settings).await?);
    }
    Ok(bound)
}

/// Answers about each where it is to be asked. A tenant that a reload brings gets its interface with the next start.
fn interfaces(mut bound: BoundInterfaces, daemon: &Daemon) -> Interfaces {
    let whole = (daemon.settings(), daemon.handle(), daemon.monitoring());
    let serve = |(settings, handle, monitoring): (Arc<Settings>, _, _)| {
        let places = bound.remove(&settings.tenant).filter(|places| !places.is_empty())?;
        Some((settings.tenant.clone(), admin::serve(places, handle, monitoring, report::page::page)))
    };
    [whole].into_iter().chain(daemon.tenants()).filter_map(serve).collect()
}

/// A tenant that is gone is not asked about any more, nor one that came again by the same name: its interface knows the one before.
async fn end_those_of_nobody(interfaces: &mut Interfaces, daemon: &Daemon) {
    let there: Vec<_> = daemon.tenants().into_iter().map(|(settings, ..)| settings.tenant.clone()).collect();
    let is_gone = |tenant: &Option<Arc<str>>| tenant.is_some() && !there.contains(tenant);
    for (_, interface) in interfaces.extract_if(.., |(tenant, _)| is_gone(tenant)) {
        interface.stop().await;
    }
}

fn say_started(daemon: &Daemon, file: &Path) {
    let settings = daemon.settings();
    let first = settings.ends.iter().map(|(_, end)| end).min_by_key(|end| end.at);
    let ends = first.map(|end| end.at.to_offset(UtcOffset::UTC).date().to_string());
    let of = first.map(|end| format!("{} in {}", end.what, end.file.display()));
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        file = %file.display(),
        configuration = %settings.digest,
        listeners = settings.listeners.len(),
        peers = settings.policy.peers.len(),
        "first-end" = ends,
        "first-end-of" = of,
        "started"
    );
}

/// Takes as many file descriptors as the process may have. The soft limit is for programs that still use select(2).
fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if limit.current != limit.maximum
        && let Err(error) = setrlimit(Resource::Nofile, raised)
    {
        tracing::warn!(%error, limit = limit.current, "the soft limit of file descriptors stays as it is");
    }
}

/// SIGHUP, with who sent it. What comes while one waits is that one: it reads the file as it is then.
fn hangups() -> std::io::Result<Receiver<Option<ReloadedBy>>> {
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGHUP])?;
    let (told, hangups) = channel(1);
    let work = move || {
        for origin in signals.forever() {
            let by = origin.process.map(|sender| ReloadedBy {
                user: name_of(sender.uid),
                user_id: Some(sender.uid),
                process_id: u32::try_from(sender.pid).ok(),
                through: None,
                watched_files: Vec::new(),
            });
            if let Err(TrySendError::Closed(_)) = told.try_send(by) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("hangups".into()).spawn(work)?;
    Ok(hangups)
}

async fn told_to_stop(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}
