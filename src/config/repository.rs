//! `[[audit.repository]]` and `[[audit.fhir]]`: where records are sent.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::addresses;
use super::names::{NAME, Names};
use super::report::{Located, Wrong};
use super::secret;
use super::section::Section;
use super::settings::ClientTls;
use super::tls;
use super::url;
use crate::audit::forward::{Begin, Destination, Endpoint, Kind, Syslog, Tls, Transport};
use crate::audit::messages::Source;
use crate::files;
use crate::notation::hex;

/// Security and authorization messages, and "normal but significant" (RFC 5424 §6.2.1).
const FACILITY: u32 = 10;
const SEVERITY: u32 = 5;
const MESSAGE_ID: &str = "IHE+RFC-3881";

/// Every destination without a problem; the others are reported.
pub(super) fn destinations(audit: &Section<'_>) -> Vec<Destination> {
    // One cursor for each name, whatever its kind.
    let mut names = Names::of("repository", audit);
    let mut destinations = Vec::new();
    for section in audit.tables("repository") {
        let common = Common::of(&section, &mut names);
        let settings = syslog(&section);
        destinations.extend(common.zip(settings).map(|(common, settings)| common.to(Kind::Syslog(settings))));
    }
    for section in audit.tables("fhir") {
        let common = Common::of(&section, &mut names);
        let endpoint = endpoint(&section);
        destinations.extend(common.zip(endpoint).map(|(common, endpoint)| common.to(Kind::Fhir(endpoint))));
    }
    destinations
}

/// What both kinds have.
struct Common {
    name: Arc<str>,
    source: Source,
    begin: Begin,
}

impl Common {
    /// `None` only after a problem was reported.
    fn of(section: &Section<'_>, names: &mut Names) -> Option<Self> {
        let name = names.define(section);
        let host = section.parsed("host-name", host).map_or_else(host_name, |host| host.value);
        let application =
            section.parsed("app-name", application).map_or_else(|| "dimsegate".into(), |app| app.value);
        let id = section.parsed("source-id", label).map(|id| id.value);
        let enterprise_site = section.parsed("enterprise-site-id", label).map(|site| site.value);
        let begin = section.choice("begin", &[("now", Begin::Now), ("oldest", Begin::Oldest)]);
        let id = id.unwrap_or_else(|| format!("{application}@{host}"));
        let source = Source { id, enterprise_site, host, application };
        Some(Self { name: name?, source, begin: begin.unwrap_or(Begin::Now) })
    }

    fn to(self, kind: Kind) -> Destination {
        Destination { name: self.name, source: self.source, begin: self.begin, kind }
    }
}

/// `None` only after a problem was reported.
fn syslog(section: &Section<'_>) -> Option<Syslog> {
    section.require(&[NAME, ("address", "write where it listens, as in \"arr.example:6514\"")]);
    let address = section.parsed("address", addresses::host_and_port).map(|address| address.value);
    let over_udp = section.choice("transport", &[("tls", false), ("udp", true)]).unwrap_or(false);
    let transport = if over_udp { udp(section) } else { over_tls(section, address.as_deref()) };
    let facility = section.count("facility", 0..=23).unwrap_or(FACILITY);
    let severity = section.count("severity", 0..=7).unwrap_or(SEVERITY);
    let message_id =
        section.parsed("message-id", message_id).map_or_else(|| MESSAGE_ID.into(), |id| id.value);
    let numbered = section.choice("structured-data", &[("none", false), ("sequence", true)]).unwrap_or(false);
    Some(Syslog {
        address: address?,
        transport: transport?,
        facility: u8::try_from(facility).ok()?,
        severity: u8::try_from(severity).ok()?,
        message_id,
        numbered,
    })
}

/// `None` only after a problem was reported.
fn over_tls(section: &Section<'_>, address: Option<&str>) -> Option<Transport> {
    let Some(table) = section.table("tls") else {
        if !section.has("tls") && !section.report.lacks("[audit.repository.tls]") {
            section.missing("tls", "write its tls table with ca, certificate-chain and private-key");
        }
        return None;
    };
    if !table.has("certificate-chain") {
        let remedy = "name certificate-chain and private-key: ITI-20 wants both sides authenticated";
        table.report.risk(&table.place, "shows the repository no certificate", remedy);
    }
    client(&table, address).map(Transport::Tls)
}

fn udp(section: &Section<'_>) -> Option<Transport> {
    let place = section.place_of("transport");
    if section.has("tls") {
        section.report.error(&section.place_of("tls"), "goes with transport = \"tls\" only", "remove it");
        return None;
    }
    let remedy = "write \"tls\" where the repository can";
    section.report.risk(&place, "sends records in clear, and loses some unnoticed", remedy);
    Some(Transport::Udp)
}

/// `None` only after a problem was reported.
fn endpoint(section: &Section<'_>) -> Option<Endpoint> {
    section.require(&[NAME, ("url", "write the endpoint, as in \"https://fhir.example/AuditEvent\"")]);
    let url = section.parsed("url", |text| url::parse(text, "https://fhir.example/AuditEvent"));
    let secure = url.as_ref().is_none_or(|url| url.value.secure);
    let tls = match (section.table("tls"), &url) {
        (Some(table), Some(url)) if secure => Some(client(&table, Some(&url.value.address))?),
        (None, _) if !section.has("tls") && secure => {
            if !section.report.lacks("[audit.fhir.tls]") {
                section.missing("tls", "write its tls table with ca, and certificate-chain and private-key");
            }
            return None;
        }
        (Some(table), _) if !secure => {
            section.report.error(&table.place, "goes with an https URL only", "remove it, or write https");
            return None;
        }
        _ => None,
    };
    let Located { value: url, place } = url?;
    if !secure {
        section.report.risk(&place, "sends records in clear", "write https");
    }
    Some(Endpoint { path: url.path, address: url.address, authority: url.authority, tls })
}

/// `None` only after a problem was reported.
fn client(table: &Section<'_>, address: Option<&str>) -> Option<Tls> {
    let addresses: Vec<String> = address.into_iter().map(str::to_owned).collect();
    let ClientTls { settings, built } = tls::client(table, &addresses)?;
    let server_name = crate::tls::server_name(&settings).ok()?;
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(format!("{settings:?}").as_bytes());
    for file in &built.files {
        context.update(file.sha256.as_bytes());
    }
    let key = [&settings.private_key, &settings.private_key_passphrase_file];
    for file in key.into_iter().flatten() {
        context.update(&files::read(file, secret::LONGEST).unwrap_or_default());
    }
    let fingerprint = hex::encode(context.finish().as_ref());
    Some(Tls { config: built.config, server_name, fingerprint })
}

/// HOSTNAME, APP-NAME and MSGID are PRINTUSASCII (RFC 5424 §6).
fn host(text: &str) -> Result<String, Wrong> {
    ascii(text, 255)
}

fn application(text: &str) -> Result<String, Wrong> {
    ascii(text, 48)
}

fn message_id(text: &str) -> Result<String, Wrong> {
    ascii(text, 32)
}

fn ascii(text: &str, most: usize) -> Result<String, Wrong> {
    if text.is_empty() || text.len() > most || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let remedy = format!("write 1 to {most} printable ASCII characters without spaces");
        return Err(Wrong::new(format!("{text:?} cannot stand in a syslog header"), remedy));
    }
    Ok(text.to_owned())
}

fn label(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
        return Err(Wrong::new(
            format!("{text:?} is not an identifier"),
            "write 1 to 255 printable characters",
        ));
    }
    Ok(text.to_owned())
}

/// What this machine is called, as far as it says.
pub(crate) fn host_name() -> String {
    let read = |path: &str| std::fs::read_to_string(Path::new(path)).ok();
    let name = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    name.and_then(|name| host(name.trim()).ok()).unwrap_or_else(|| "localhost".into())
}
