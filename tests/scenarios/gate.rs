//! The proxy itself: configured in a folder of its own, started as its users start it, read through its records.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus, Output};

use aws_lc_rs::hmac;
use serde_json::Value;

use crate::connection::Target;
use crate::process::{Finished, Process};
use crate::procfs;
use crate::site::Site;
use crate::wait;

/// What a scenario changes in the configuration; the rest lets everybody on loopback do everything.
pub struct Setup {
    pub upstream: SocketAddr,
    /// `[listener.tls]` with a required client certificate.
    pub tls: bool,
    /// Keys of `[listener.tls]` in place of the usual ones.
    pub listener_tls: &'static str,
    /// Lines of `[audit]`, `[limits]`, `[[listener]]` and `[[upstream]]` besides the usual ones.
    pub audit: &'static str,
    pub limits: &'static str,
    pub listener: &'static str,
    pub upstream_keys: &'static str,
    /// `[upstream.tls]` and what follows it: a whole block.
    pub upstream_tls: &'static str,
    /// Every `[[peer]]` block.
    pub peers: String,
    /// Every `[[role]]` block.
    pub roles: &'static str,
    /// Blocks at the end: `[[rewrite]]`, `[[route]]`.
    pub extra: &'static str,
    /// A shell line that ends in `exec "$@"`, to start the proxy under some limit.
    pub shell: &'static str,
}

pub const LISTENER_TLS: &str = r#"certificate-chain = "certs/server.pem"
private-key = "certs/server.key"
client-authentication = "required"
client-ca = "certs/ca.pem""#;

/// Client of the upstream's private CA, with a certificate of its own.
pub const UPSTREAM_TLS: &str = r#"[upstream.tls]
ca = "certs/pacs-ca.pem"
server-name = "localhost"
certificate-chain = "certs/client.pem"
private-key = "certs/client.key""#;

pub const ROLE_ALL: &str = r#"[[role]]
name = "all"
operations = ["all"]
sop-classes = ["all"]
transfer-syntaxes = ["all"]"#;

/// A `[[peer]]` named `site` for everybody on loopback, with more keys.
pub fn peer(keys: &str) -> String {
    let open = [
        ("calling-ae-titles", r#"["*"]"#),
        ("called-ae-titles", r#"["*"]"#),
        ("networks", r#"["127.0.0.0/8"]"#),
    ];
    let open: String = (open.iter().filter(|(key, _)| !keys.contains(key)))
        .map(|(key, value)| format!("{key} = {value}\n"))
        .collect();
    let role = if keys.contains("role =") { "" } else { "role = \"all\"" };
    format!("[[peer]]\nname = \"site\"\n{open}{keys}\n{role}")
}

impl Setup {
    /// A plain listener before a plain upstream.
    pub fn plain(upstream: SocketAddr) -> Self {
        Self {
            upstream,
            tls: false,
            listener_tls: LISTENER_TLS,
            audit: "",
            limits: "",
            listener: "",
            upstream_keys: "",
            upstream_tls: "",
            peers: peer(""),
            roles: ROLE_ALL,
            extra: "",
            shell: "",
        }
    }

    /// A listener that wants client certificates before a plain upstream.
    pub fn tls(upstream: SocketAddr) -> Self {
        Self { tls: true, ..Self::plain(upstream) }
    }

    pub fn toml(&self) -> String {
        let listener_tls =
            if self.tls { format!("[listener.tls]\n{}", self.listener_tls) } else { String::new() };
        format!(
            r#"
[log]
level = "debug"
[audit]
directory = "audit"
secret-file = "conf/audit.key"
{audit}
[limits]
{limits}
[[listener]]
name = "remote"
address = "127.0.0.1:0"
upstream = "pacs"
{listener}
{listener_tls}
[[upstream]]
name = "pacs"
addresses = ["{upstream}"]
{upstream_keys}
{upstream_tls}
{peers}
{roles}
{extra}
"#,
            audit = self.audit,
            limits = self.limits,
            listener = self.listener,
            upstream = self.upstream,
            upstream_keys = self.upstream_keys,
            upstream_tls = self.upstream_tls,
            peers = self.peers,
            roles = self.roles,
            extra = self.extra,
        )
    }
}

/// For the lines of a [`Setup`] that a scenario makes.
pub fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

pub struct Gate {
    /// Goes before its folder does: a scenario that fails shows its log.
    process: Process,
    pub site: Site,
    pub address: SocketAddr,
}

impl Gate {
    pub fn start(setup: &Setup) -> Self {
        Self::start_in(Site::new(), setup)
    }

    pub fn start_in(site: Site, setup: &Setup) -> Self {
        Self::start_with(site, &setup.toml(), setup.shell)
    }

    pub fn start_with(site: Site, toml: &str, shell: &str) -> Self {
        fs::write(site.path("dimsegate.toml"), toml).expect("a configuration written");
        let command = run_command(&site, shell);
        let mut process = Process::start(command, &site.path("output.log"));
        let started = wait::until("the proxy to start", || {
            if let Some(status) = process.ended() {
                panic!("dimsegate ended with {status}: {}", process.output());
            }
            let own = |record: &Value| record["event"] == "started" && record["process-id"] == process.pid();
            let mut since = records(&site).into_iter().skip_while(|record| !own(record));
            let started = since.next()?;
            // The last record that it waits for before it listens.
            since.any(|record| record["event"] == "configuration-loaded").then_some(started)
        });
        let address = started["listeners"][0]["address"].as_str().and_then(|text| text.parse().ok());
        let address = address.unwrap_or_else(|| panic!("no listener in {started}"));
        Self { process, site, address }
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub fn plain(&self) -> Target {
        Target { patience: wait::PATIENCE, ..Target::plain(self.address) }
    }

    /// TLS with the site's client certificate.
    pub fn tls(&self) -> Target {
        self.site.tls(self.address, "ca", Some("client"))
    }

    /// What records have in the place of an identifier, where they have keyed hashes: HMAC-SHA-256.
    pub fn hashed(&self, identifier: &str) -> String {
        let key = fs::read(self.site.path("conf/audit.key")).expect("the key of the records");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), identifier.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Every record so far.
    pub fn records(&self) -> Vec<Value> {
        records(&self.site)
    }

    /// The first record for which `wanted` holds; waits for it.
    pub fn record(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait::until(&format!("the record of {what}"), || self.records().into_iter().find(&wanted))
    }

    /// The first record of an event; waits for it.
    pub fn event(&self, name: &str) -> Value {
        self.record(name, |record| record["event"] == name)
    }

    /// The first record that gives this reason, whatever stands behind the label; waits for it.
    pub fn because(&self, label: &str) -> Value {
        let begins =
            |why: &str| why.strip_prefix(label).is_some_and(|rest| rest.is_empty() || rest.starts_with(": "));
        self.record(label, |record| record["reason"].as_str().is_some_and(begins))
    }

    pub fn count(&self, name: &str) -> usize {
        self.records().iter().filter(|record| record["event"] == name).count()
    }

    /// How many were refused for this reason, by the records of a proxy that has stopped: those that are gathered too.
    pub fn refusals(&self, reason: &str) -> u64 {
        let records = self.records();
        assert!(records.iter().any(|record| record["event"] == "stopped"), "the minute is not over");
        let refused =
            records.iter().filter(|record| record["reason"] == reason && record["event"] != "security-alert");
        refused.map(|record| record["count"].as_u64().unwrap_or(1)).sum()
    }

    /// File descriptors that are open now.
    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid())).map_or(0, Iterator::count)
    }

    /// Writes another configuration and sends SIGHUP; the listener keeps its port.
    pub fn reload(&self, toml: &str) {
        fs::write(self.site.path("dimsegate.toml"), toml).expect("a configuration written");
        self.process.signal("HUP");
    }

    pub fn signal(&self, signal: &str) {
        self.process.signal(signal);
    }

    /// SIGTERM, then the exit status.
    pub fn stop(&mut self) -> ExitStatus {
        self.process.signal("TERM");
        self.process.wait()
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    pub fn is_running(&mut self) -> bool {
        self.process.ended().is_none()
    }

    pub fn output(&self) -> String {
        self.process.output()
    }

    pub fn peak_resident_kib(&self) -> u64 {
        procfs::usage(self.pid()).peak_resident_kib
    }
}

/// `dimsegate ARGUMENTS…` in the site's folder.
pub fn command(site: &Site, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dimsegate"));
    command.current_dir(site.root()).args(arguments);
    command
}

/// What a command ended with and printed.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

pub fn run(site: &Site, arguments: &[&str]) -> Ran {
    let Output { status, stdout, stderr } = command(site, arguments).output().expect("a command that starts");
    let [out, err] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).expect("UTF-8"));
    Ran { status: status.code().expect("an exit status, not a signal"), out, err }
}

/// Exit status, and standard output before standard error.
pub fn told(site: &Site, arguments: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = command(site, arguments).output().expect("a command that starts");
    let text = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
    (status.code().expect("an exit status, not a signal"), text)
}

/// What `explain` says of a requestor with the certificate `certs/{identity}.pem`.
pub fn explained(site: &Site, identity: &str) -> (i32, String) {
    let certificate = format!("certs/{identity}.pem");
    let fixed = ["explain", "-c", "dimsegate.toml", "--listener", "remote", "--from", "127.0.0.1"];
    let more = ["--calling", "SITE", "--called", "PACS", "--certificate", &certificate];
    told(site, &[&fixed[..], &more].concat())
}

/// Shows a certificate to the listener; openssl(1) also shows what rustls would not.
pub fn show(gate: &Gate, identity: &str) {
    let mut command = Command::new("openssl");
    let port = format!("127.0.0.1:{}", gate.address.port());
    command.current_dir(gate.site.path("certs")).args([
        "s_client",
        "-connect",
        &port,
        "-cipher",
        "DEFAULT@SECLEVEL=0",
    ]);
    command.args([
        "-cert",
        &format!("{identity}.pem"),
        "-key",
        &format!("{identity}.key"),
        "-CAfile",
        "ca.pem",
    ]);
    Finished::run(command);
}

fn run_command(site: &Site, shell: &str) -> Command {
    let arguments = ["run", "-c", "dimsegate.toml"];
    if shell.is_empty() {
        return command(site, &arguments);
    }
    let mut command = Command::new("sh");
    command
        .current_dir(site.root())
        .args(["-c", shell, "sh", env!("CARGO_BIN_EXE_dimsegate")])
        .args(arguments);
    command
}

fn records(site: &Site) -> Vec<Value> {
    records_in(site, "audit")
}

/// The complete lines of `FOLDER/*.jsonl`, oldest first.
pub fn records_in(site: &Site, folder: &str) -> Vec<Value> {
    let Ok(entries) = fs::read_dir(site.path(folder)) else { return Vec::new() };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
    let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in record {line}"));
    complete.lines().map(parse).collect()
}
