//! `dimsegate echo`: does an upstream answer, and how.

use std::path::PathBuf;
use std::process::ExitCode;

use super::exit;
use super::tenant::OfTenant;
use crate::dimse::Status;
use crate::relay::{self, ECHO_AE_TITLE, Echoed};
use crate::wire::AeTitle;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  dimsegate echo -c conf/dimsegate.toml --upstream pacs

AE titles are those of the [[upstream]]; where it has none, DIMSEGATE stands for both.

Exit status: 0 when the upstream answered with success, 69 when it did not, 78 for a bad configuration.")]
pub(super) struct Args {
    /// The configuration
    #[arg(short, long, value_name = "FILE")]
    pub config: PathBuf,
    #[command(flatten)]
    pub of: OfTenant,
    /// Name of the [[upstream]]
    #[arg(short, long, value_name = "NAME")]
    pub upstream: String,
}

/// Runs the command.
pub(super) fn run(args: &Args) -> ExitCode {
    let settings = match super::load(&args.config, args.of.name()) {
        Ok(loaded) => loaded.settings,
        Err(status) => return status,
    };
    let Some(upstream) = settings.upstreams.get(args.upstream.as_str()) else {
        let known: Vec<_> = settings.upstreams.keys().map(ToString::to_string).collect();
        eprintln!(
            "{}: no [[upstream]] named \"{}\"; there is {}",
            args.config.display(),
            args.upstream,
            known.join(", ")
        );
        return ExitCode::from(exit::BAD_CONFIGURATION);
    };
    let echoed = ECHO_AE_TITLE.parse::<AeTitle>().map_err(|error| error.to_string()).and_then(|title| {
        let runtime = runtime().map_err(|error| error.to_string())?;
        runtime.block_on(relay::echo(upstream, &settings.limits, &title)).map_err(|error| error.to_string())
    });
    match echoed {
        Ok(echoed) => {
            print!("{}", told(&args.upstream, &echoed));
            if echoed.status == Status::SUCCESS {
                return ExitCode::SUCCESS;
            }
            let (name, status) = (&args.upstream, echoed.status);
            eprintln!(
                "dimsegate: upstream \"{name}\" answered the C-ECHO with status {status}, not with success"
            );
            ExitCode::from(exit::UNAVAILABLE)
        }
        Err(error) => {
            eprintln!("dimsegate: {error}");
            ExitCode::from(exit::UNAVAILABLE)
        }
    }
}

/// One thread: with more, each byte that comes wakes two of them.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

fn told(name: &str, echoed: &Echoed) -> String {
    let mut lines = vec![("upstream", format!("{name} at {}", echoed.address))];
    lines.extend(echoed.passed_over.iter().map(|failed| ("not reached", failed.clone())));
    lines.push(("connected", format!("in {:.1?}", echoed.connected)));
    match &echoed.tls {
        Some(tls) => {
            let group = tls.group.as_deref().unwrap_or("-");
            lines.push(("TLS", format!("{} {} {group}", tls.version, tls.cipher)));
            if let Some(certificate) = &tls.certificate {
                lines.push((
                    "certificate",
                    format!("{} ({})", certificate.subject, certificate.san.join(", ")),
                ));
                lines.push(("ends", certificate.not_after.date().to_string()));
            }
        }
        None => lines.push(("TLS", "none: this leg is not encrypted".into())),
    }
    lines.push(("AE titles", format!("calling {}, called {}", echoed.calling, echoed.called)));
    let unknown = || "-".to_owned();
    let class = echoed.implementation_class_uid.clone().unwrap_or_else(unknown);
    let version = echoed.implementation_version_name.clone().unwrap_or_else(unknown);
    lines.push(("association", format!("in {:.1?}", echoed.associated)));
    lines.push(("implementation", format!("{version} {class}")));
    let length = match echoed.maximum_length {
        0 => "unlimited".to_owned(),
        bytes => format!("{bytes} bytes"),
    };
    lines.push(("maximum length", length));
    lines.push(("C-ECHO", format!("status {} in {:.1?}", echoed.status, echoed.echoed)));
    lines.iter().map(|(what, value)| format!("{what:<16}{value}\n")).collect()
}
