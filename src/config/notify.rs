//! `[[notify]]`: who is told what.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;

use super::names::{NAME, Names};
use super::report::{Located, Wrong};
use super::section::Section;
use super::settings::ClientTls;
use super::{secret, suggest, tls, url};
use crate::notify::{Hook, Occasion, Target, Tls, Way};

const REPEAT: Duration = Duration::from_secs(3600);
const EXAMPLE: &str = "https://alerts.example/hook";

/// Every target without a problem; the others are reported.
pub(super) fn targets(root: &Section<'_>) -> Vec<Arc<Target>> {
    let mut names = Names::of("notification", root);
    let sections = root.tables("notify");
    sections.iter().filter_map(|section| target(section, &mut names)).map(Arc::new).collect()
}

/// `None` only after a problem was reported.
fn target(section: &Section<'_>, names: &mut Names) -> Option<Target> {
    section.require(&[NAME]);
    let name = names.define(section);
    let way = way(section);
    let when = section.list("when", occasion);
    let when = match when {
        Some(when) => when.into_iter().map(|one| one.value).collect(),
        None => Occasion::ALL.into(),
    };
    let repeat = section.duration("repeat", REPEAT);
    let key = section.path("secret-file").and_then(|path| secret::key(section.report, &path));
    let keyed = key.as_ref().map(|key| hmac::sign(key, b"a fingerprint"));
    let (way, files) = way?;
    let fingerprint = format!("{}{keyed:?}{files}", section.written(&[]));
    Some(Target { name: name?, way, when, repeat, key, fingerprint })
}

fn occasion(text: &str) -> Result<Occasion, Wrong> {
    let unknown = || {
        let labels = Occasion::ALL.iter().map(|occasion| occasion.label());
        Wrong::new(format!("{text:?} is not known"), suggest::or_list(text, labels))
    };
    Occasion::ALL.into_iter().find(|occasion| occasion.label() == text).ok_or_else(unknown)
}

/// The way, and what tells the files of its certificates from others. `None` only after a problem was reported.
fn way(section: &Section<'_>) -> Option<(Way, String)> {
    match (section.has("url"), section.has("command")) {
        (true, false) => hook(section).map(|(hook, files)| (Way::Hook(hook), files)),
        (false, true) => command(section).map(|words| (Way::Command(words), String::new())),
        (true, true) => {
            let remedy = "write two tables, one for each";
            section.report.error(&section.place_of("command"), "cannot go with url", remedy);
            None
        }
        (false, false) => {
            section.missing("url", &format!("write url = \"{EXAMPLE}\", or command = [\"/usr/lib/…\"]"));
            None
        }
    }
}

/// `None` only after a problem was reported.
fn command(section: &Section<'_>) -> Option<Vec<String>> {
    if section.has("tls") {
        section.report.error(&section.place_of("tls"), "goes with a url only", "remove it");
    }
    let words = section.strings("command")?;
    let program = words.first()?;
    if !Path::new(program.value).is_absolute() {
        let remedy = "write its whole path: no shell looks for it";
        section.report.error(&program.place, format!("{:?} is not an absolute path", program.value), remedy);
        return None;
    }
    if !is_program(Path::new(program.value)) {
        let problem = format!("{:?} is no file that can be run", program.value);
        section.report.risk(&program.place, problem, "install it, and make it executable");
    }
    Some(words.into_iter().map(|word| word.value.to_owned()).collect())
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// `None` only after a problem was reported.
fn hook(section: &Section<'_>) -> Option<(Hook, String)> {
    let Located { value: url, .. } = section.parsed("url", |text| url::parse(text, EXAMPLE))?;
    let tls = match (section.table("tls"), url.secure) {
        (Some(table), true) => Some(client(&table, &url.address)?),
        (None, true) => {
            if !section.has("tls") && !section.report.lacks("[notify.tls]") {
                section.missing(
                    "tls",
                    "write its tls table with ca, such as /etc/ssl/certs/ca-certificates.crt",
                );
            }
            return None;
        }
        (Some(table), false) => {
            section.report.error(&table.place, "goes with an https URL only", "remove it, or write https");
            return None;
        }
        (None, false) => None,
    };
    if !section.has("secret-file") {
        let remedy = "name a secret-file: the hook can check the signature then";
        section.report.risk(&section.place_of("url"), "tells a hook that cannot know who tells it", remedy);
    }
    let (tls, files) = tls.unzip();
    let hook = Hook { address: url.address, authority: url.authority, path: url.path, tls };
    Some((hook, files.unwrap_or_default()))
}

/// `None` only after a problem was reported.
fn client(table: &Section<'_>, address: &str) -> Option<(Tls, String)> {
    let ClientTls { settings, built } = tls::client(table, &[address.to_owned()])?;
    let server_name = crate::tls::server_name(&settings).ok()?;
    let files = format!("{settings:?}{:?}", built.files);
    Some((Tls { config: built.config, server_name }, files))
}
