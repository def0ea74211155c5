//! The commands, one file each.

mod audit;
mod backup;
mod certs;
mod check;
mod completions;
mod conformance;
mod crosswalk;
mod demo;
mod echo;
mod exit;
mod explain;
mod help;
mod init;
mod man;
mod propose;
mod pseudonyms;
mod restore;
mod review;
mod rewrite;
mod run;
mod running;
mod shell;
mod table;
mod tenant;
mod terminal;
mod user;
mod words;

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser};

use crate::config::{self, Loaded};

/// A transparent DICOM proxy: TLS, access control, rewriting in flight and records, in front of any PACS
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "\
Begin with:
  dimsegate demo --once                       everything on this machine, and what it does to a study
  dimsegate init gate                         a configuration and certificates for your own PACS
  dimsegate check -c conf/dimsegate.toml      every problem of a configuration at once
  dimsegate run -c conf/dimsegate.toml        the proxy"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Run the proxy; SIGHUP reloads, SIGTERM stops
    Run(run::Args),
    /// See the proxy at work on this machine: a development CA, an archive, one study through TLS
    Demo(demo::Args),
    /// Make a configuration, a CA, certificates and keys for a PACS and its first remote site
    Init(init::Args),
    /// Say what a running proxy is at, and whether anything is wrong
    Status(running::status::Args),
    /// Show associations and refusals as they come, with what would let them in
    Tail(running::tail::Args),
    /// Show the associations that are open, again and again
    Top(running::top::Args),
    /// Write down associations of a running proxy as they go over both legs: what TLS hides
    Trace(running::trace::Args),
    /// Have a running proxy read its configuration again
    Reload(running::orders::Reload),
    /// Have a running proxy stop, with time for what is under way
    Drain(running::orders::Drain),
    /// End an association of a running proxy
    Abort(running::orders::Abort),
    /// Shut somebody out of a running proxy, for a time or until it is taken back
    Block(running::blocks::Block),
    /// Take a block back, or say which there are
    Unblock(running::blocks::Unblock),
    /// Have a running proxy tell somebody something, to see whether it arrives
    Notify(running::orders::Notify),
    /// Change how much a running proxy logs
    LogLevel(running::orders::LogLevel),
    /// Find every problem of a configuration, or what is risky in it where there is none
    Check(check::Args),
    /// Write the DICOM conformance statement of a configuration
    Conformance(conformance::Args),
    /// Write the [[peer]]s that the records of a time show, and what they would have refused of it
    Propose(propose::Args),
    /// Say what the configuration decides about an association, and why
    Explain(explain::Args),
    /// Apply the rules of a configuration to DICOM files
    Rewrite(rewrite::Args),
    /// Tell what identifiers are called under each version of the secret
    Pseudonyms(pseudonyms::Args),
    /// Show, export, erase and re-encrypt what pseudonyms stand for
    Crosswalk(crosswalk::Args),
    /// Ask an upstream for a C-ECHO, as the proxy would
    Echo(echo::Args),
    /// Make and show certificates: a private CA for a site that has none
    Certs(certs::Args),
    /// Add, list, change and remove the users of [users] file
    User(user::Args),
    /// Check, search, show and report the records, and make the keys that protect them
    Audit(audit::Args),
    /// Write all that cannot be made again into one encrypted file; the proxy may be running
    Backup(backup::Args),
    /// Restore a backup into a folder of its own, or with --check prove that this can be done
    Restore(restore::Args),
    /// Hold who may come against who came: last seen, rights never used, what ends, lock-outs, blocks
    Review(review::Args),
    /// Write the manual pages of all commands, or print one
    Man(man::Args),
    /// Print what makes a shell complete commands and options
    Completions(completions::Args),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let matches = help::fitted(Cli::command()).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Status(args) => running::status::run(&args),
        Command::Tail(args) => running::tail::run(&args),
        Command::Top(args) => running::top::run(&args),
        Command::Trace(args) => running::trace::run(&args),
        Command::Reload(args) => running::orders::reload(&args),
        Command::Drain(args) => running::orders::drain(&args),
        Command::Abort(args) => running::orders::abort(&args),
        Command::Block(args) => running::blocks::block(&args),
        Command::Unblock(args) => running::blocks::unblock(&args),
        Command::Notify(args) => running::orders::notify(&args),
        Command::LogLevel(args) => running::orders::log_level(&args),
        Command::Check(args) => check::run(&args),
        Command::Conformance(args) => conformance::run(&args),
        Command::Propose(args) => propose::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Rewrite(args) => rewrite::run(&args),
        Command::Pseudonyms(args) => pseudonyms::run(&args),
        Command::Crosswalk(args) => crosswalk::run(&args),
        Command::Echo(args) => echo::run(&args),
        Command::Certs(args) => certs::run(&args),
        Command::User(args) => user::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Restore(args) => restore::run(&args),
        Command::Review(args) => review::run(&args),
        Command::Man(args) => man::run(Cli::command(), &args),
        Command::Completions(args) => completions::run(Cli::command(), &args),
    }
}

/// Writes to standard output.
fn write_out(bytes: &[u8]) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    output.write_all(bytes).and_then(|()| output.flush())
}

/// Writes to standard output. Whoever reads it may have seen enough before the end.
fn print(bytes: &[u8]) -> std::io::Result<()> {
    match write_out(bytes) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// The runtime of the commands that use the network.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Reads a configuration, or says on standard error everything that is wrong with it.
fn load(file: &std::path::Path, tenant: Option<&str>) -> Result<Loaded, ExitCode> {
    config::load_of(file, tenant).map_err(|problems| {
        eprintln!("{problems}");
        ExitCode::from(exit::BAD_CONFIGURATION)
    })
}

/// Tells the operational log what is risky in a configuration that is about to be in force.
fn warn(loaded: &Loaded) {
    for warning in &loaded.warnings {
        tracing::warn!("risk: {warning}");
    }
}
