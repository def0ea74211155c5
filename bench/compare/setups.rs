//! What stands between the generator and the sink.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use clap::ValueEnum;
use rustls::client::Resumption;

use crate::configurations;
use crate::connection::Target;
use crate::interrupt;
use crate::process::{self, Process};
use crate::site::Site;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setup {
    Direct,
    Floor,
    Copy,
    HaProxy,
    HaProxyLarge,
    Nginx,
    NginxLarge,
    PassThrough,
    Rewriting,
    DeIdentifying,
}

/// How the upstream is spoken to. What comes in is TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ValueEnum)]
pub enum Out {
    Plain,
    Tls,
}

impl Setup {
    pub const ALL: [Self; 10] = [
        Self::Direct,
        Self::Floor,
        Self::Copy,
        Self::HaProxy,
        Self::HaProxyLarge,
        Self::Nginx,
        Self::NginxLarge,
        Self::PassThrough,
        Self::Rewriting,
        Self::DeIdentifying,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct TLS",
            Self::Floor => "floor",
            Self::Copy => "byte copy",
            Self::HaProxy => "HAProxy",
            Self::HaProxyLarge => "HAProxy 128K",
            Self::Nginx => "nginx",
            Self::NginxLarge => "nginx 128K",
            Self::PassThrough => "dimsegate",
            Self::Rewriting => "… rewriting",
            Self::DeIdentifying => "… de-identifying",
        }
    }

    /// Whether the upstream can be spoken to in this way.
    pub fn speaks(self, out: Out) -> bool {
        self != Self::Floor || out == Out::Plain
    }

    pub fn is_dimsegate(self) -> bool {
        matches!(self, Self::PassThrough | Self::Rewriting | Self::DeIdentifying)
    }
}

impl Out {
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
        }
    }
}

/// Where the sinks listen.
#[derive(Clone, Copy)]
pub struct Sinks {
    pub plain: SocketAddr,
    pub tls: SocketAddr,
}

/// A setup that runs, and how to reach it.
pub struct Running {
    pub target: Target,
    /// The same with other client certificates, where somebody has asked for them.
    pub clients: Vec<Target>,
    process: Option<Process>,
}

impl Running {
    /// Starts a setup with a process of its own.
    pub fn start(site: &Site, setup: Setup, out: Out, sinks: Sinks) -> Self {
        Self::named(&format!("{setup:?}-{}", out.name()), site, setup, out, sinks)
    }

    fn of(target: Target, process: Option<Process>) -> Self {
        Self { target, clients: Vec::new(), process }
    }

    /// The same, reached by these clients of the site, too.
    pub fn by(self, site: &Site, setup: Setup, clients: &[String]) -> Self {
        let ca = if setup == Setup::Direct { "pacs-ca" } else { "ca" };
        let reached = |name: &String| unresumed(site.tls(self.target.address, ca, Some(name)));
        Self { clients: clients.iter().map(reached).collect(), ..self }
    }

    /// Starts a setup once more, beside the one that runs: with records of its own.
    pub fn afresh(site: &Site, setup: Setup, sinks: Sinks) -> Self {
        Self::named(&format!("{setup:?}-afresh"), site, setup, Out::Plain, sinks)
    }

    fn named(name: &str, site: &Site, setup: Setup, out: Out, sinks: Sinks) -> Self {
        let to = if out == Out::Plain { sinks.plain } else { sinks.tls };
        let start = |command: &dyn Fn(u16) -> Command| {
            let (process, address) = process::listening(&site.path(&format!("{name}.log")), command);
            interrupt::owns(process.pid());
            let target = unresumed(site.tls(address, "ca", Some("client")));
            Self::of(target, Some(process))
        };
        match setup {
            Setup::Direct => Self::of(unresumed(site.tls(sinks.tls, "pacs-ca", Some("client"))), None),
            Setup::Floor => start(&|port| own(site, "floor", port, to)),
            Setup::Copy => start(&|port| {
                let mut command = own(site, "copy", port, to);
                command.arg(out.name());
                command
            }),
            Setup::HaProxy | Setup::HaProxyLarge => start(&|port| {
                let toml = configurations::haproxy(port, to, out, setup == Setup::HaProxyLarge);
                configured(site, name, &toml, "haproxy", &["-db", "-f"])
            }),
            Setup::Nginx | Setup::NginxLarge => start(&|port| {
                let text = configurations::nginx(site.root(), port, to, out, setup == Setup::NginxLarge);
                configured(site, name, &text, "nginx", &["-e", "stderr", "-c"])
            }),
            Setup::PassThrough | Setup::Rewriting | Setup::DeIdentifying => start(&|port| {
                let toml = configurations::dimsegate(name, port, to, Some(out), setup);
                configured(site, name, &toml, env!("CARGO_BIN_EXE_dimsegate"), &["run", "-c"])
            }),
        }
    }

    /// dimsegate without TLS on either side, for peers that have none.
    pub fn plain_dimsegate(site: &Site, to: SocketAddr) -> Self {
        let (process, address) = process::listening(&site.path("plain.log"), |port| {
            let toml = configurations::dimsegate("plain", port, to, None, Setup::PassThrough);
            configured(site, "plain", &toml, env!("CARGO_BIN_EXE_dimsegate"), &["run", "-c"])
        });
        interrupt::owns(process.pid());
        Self::of(Target::plain(address), Some(process))
    }

    /// dimsegate with an administration interface at `admin.sock`, and where its metrics are.
    pub fn watched(site: &Site, sinks: Sinks) -> (Self, SocketAddr) {
        let metrics = process::free_address();
        let running = Self::configured(site, "watched", |port| {
            let toml =
                configurations::dimsegate("watched", port, sinks.plain, Some(Out::Plain), Setup::PassThrough);
            format!("{toml}[admin]\nlisten = \"unix:admin.sock\"\n[metrics]\nlisten = \"{metrics}\"\n")
        });
        (running, metrics)
    }

    /// dimsegate behind TLS, with a configuration of its own for the port that it gets.
    pub fn configured(site: &Site, name: &str, toml: impl Fn(u16) -> String) -> Self {
        let (process, address) = process::listening(&site.path(&format!("{name}.log")), |port| {
            configured(site, name, &toml(port), env!("CARGO_BIN_EXE_dimsegate"), &["run", "-c"])
        });
        interrupt::owns(process.pid());
        Self::of(unresumed(site.tls(address, "ca", Some("client"))), Some(process))
    }

    /// The root of its processes; `None` where nothing stands between.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }
}

/// The same target without session resumption, so that every handshake is a full one.
fn unresumed(mut target: Target) -> Target {
    if let Some((config, _)) = &mut target.tls {
        Arc::make_mut(config).resumption = Resumption::disabled();
    }
    target
}

/// A setup that this program is itself.
fn own(site: &Site, name: &str, port: u16, to: SocketAddr) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the path of this program"));
    command.args([name, &format!("127.0.0.1:{port}"), &to.to_string(), &site.text("certs")]);
    command
}

/// Writes a configuration and names it as the last argument of `program`, which runs in the site's folder.
fn configured(site: &Site, name: &str, text: &str, program: &str, arguments: &[&str]) -> Command {
    let path = site.path(&format!("{name}.conf"));
    std::fs::write(&path, text).expect("a configuration written");
    bundle(site.root());
    let mut command = Command::new(program);
    command.current_dir(site.root()).args(arguments).arg(path);
    command
}

/// HAProxy wants certificate and key in one file.
fn bundle(root: &Path) {
    for name in ["server", "client"] {
        let read = |end: &str| std::fs::read_to_string(root.join(format!("certs/{name}.{end}")));
        let both = read("pem").and_then(|pem| Ok(pem + &read("key")?)).expect("a certificate with its key");
        std::fs::write(root.join(format!("certs/{name}-both.pem")), both).expect("a file written");
    }
}
