//! What a new configuration newly admits, or denies, as against an old one.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

mod people;

use serde::Serialize;

use super::{exit, screen, wrapped};
use crate::config::{self, ListenerSettings, Settings};
use crate::policy::{Change, Things, compare};
use crate::tokens::Issuer;

/// One change, as `--json` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Stated {
    /// `peer "lyon" (role "modality")`, or a listener.
    of: String,
    /// The key that states it.
    what: String,
    detail: String,
}

/// All of them.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Difference {
    newly_admitted: Vec<Stated>,
    newly_denied: Vec<Stated>,
    /// Neither is known of these.
    not_compared: Vec<Stated>,
}

/// Runs the command on an old and a new file.
pub(super) fn run([old, new]: [&Path; 2], tenant: Option<&str>, json: bool, strict: bool) -> ExitCode {
    let [old, new] = [old, new].map(|path| config::load_of(path, tenant).map(|loaded| loaded.settings));
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let mut err = std::io::stderr().lock();
            for problem in [old.err(), new.err()].into_iter().flatten() {
                // A reader that has gone away has read enough.
                let _ = writeln!(err, "{problem}");
            }
            return ExitCode::from(exit::BAD_CONFIGURATION);
        }
    };
    let difference = Difference::between(&old, &new);
    let mut out = std::io::stdout().lock();
    let _ = match json {
        true => serde_json::to_string_pretty(&difference).map_or(Ok(()), |text| writeln!(out, "{text}")),
        false => write!(out, "{}", difference.text(screen(80).min(80))),
    };
    ExitCode::from(u8::from(strict && !difference.newly_admitted.is_empty()))
}

impl Difference {
    fn between(old: &Settings, new: &Settings) -> Self {
        let mut difference = Self::default();
        for change in compare(&old.policy, &new.policy, &Both { old, new }) {
            difference.tell(change.admits, Stated::of(&change));
        }
        people::tell(&mut difference, old, new);
        // What a key of these means is not looked into: it may be more, and less.
        for told in changed_listeners(old, new).into_iter().chain(changed_issuers(old, new)) {
            difference.newly_denied.push(told.clone());
            difference.newly_admitted.push(told);
        }
        difference.newly_admitted.extend(issuers_beyond(new, old));
        difference.newly_denied.extend(issuers_beyond(old, new));
        difference.newly_admitted.extend(listeners_beyond(new, old));
        difference.newly_denied.extend(listeners_beyond(old, new));
        difference
    }

    fn tell(&mut self, admits: bool, told: Stated) {
        if admits { &mut self.newly_admitted } else { &mut self.newly_denied }.push(told);
    }

    fn text(&self, width: usize) -> String {
        let mut text = String::new();
        for (title, all) in [
            ("newly admitted", &self.newly_admitted),
            ("newly denied", &self.newly_denied),
            ("not compared", &self.not_compared),
        ] {
            match all.as_slice() {
                [] if title == "not compared" => {}
                [] => text.push_str(&format!("nothing {title}\n")),
                some => {
                    text.push_str(&format!("{title}:\n"));
                    some.iter().zip(std::iter::once(None).chain(some.iter().map(Some))).for_each(
                        |(told, before)| {
                            told.write(&mut text, before.is_some_and(|before| before.of == told.of), width);
                        },
                    );
                }
            }
        }
        text
    }
}

impl Stated {
    fn of(change: &Change) -> Self {
        let of = format!("peer \"{}\" (role \"{}\")", change.peer, change.role);
        Self { of, what: change.what.into(), detail: change.detail.clone() }
    }

    /// Under the name of what it is about, unless that stands there already.
    fn write(&self, text: &mut String, is_named: bool, width: usize) {
        if !is_named {
            text.push_str(&format!("  {}\n", self.of));
        }
        let mut what = self.what.as_str();
        for line in wrapped(&self.detail, width.saturating_sub(24).max(20)) {
            text.push_str(&format!("    {what:<19} {line}\n"));
            what = "";
        }
    }
}

/// What both configurations say of things that peers refer to.
struct Both<'s> {
    old: &'s Settings,
    new: &'s Settings,
}

impl Things for Both<'_> {
    fn is_other_rewrite(&self, name: &str) -> bool {
        !self.new.rewrites_like(self.old, name)
    }

    fn is_other_upstream(&self, name: &str) -> bool {
        !self.new.keys.say_the_same(&self.old.keys, "upstream", name)
    }

    fn is_other_consent(&self, name: &str) -> bool {
        !self.new.keys.say_the_same(&self.old.keys, "consent", name)
    }
}

/// Issuers that both have, and whose tokens count otherwise. Their keys are not looked into.
fn changed_issuers(old: &Settings, new: &Settings) -> Vec<Stated> {
    let both = new.issuers.iter().filter(|issuer| old.issuers.iter().any(|other| other.name == issuer.name));
    let told = |issuer: &Arc<Issuer>| {
        let of = format!("issuer \"{}\"", issuer.name);
        let keys = new.keys.changed_of(&old.keys, "issuer", &issuer.name).into_iter();
        keys.map(move |key| Stated { of: of.clone(), what: key, detail: OTHERWISE.into() })
    };
    both.flat_map(told).collect()
}

/// Issuers that one has, and the other does not.
fn issuers_beyond<'s>(one: &'s Settings, other: &'s Settings) -> impl Iterator<Item = Stated> + 's {
    let is_in_other = |issuer: &Issuer| other.issuers.iter().any(|one| one.name == issuer.name);
    one.issuers.iter().filter(move |issuer| !is_in_other(issuer)).map(|issuer| Stated {
        of: format!("issuer \"{}\"", issuer.name),
        what: "issuer".into(),
        detail: issuer.issuer.clone(),
    })
}

const OTHERWISE: &str = "is otherwise than before";

/// Listeners that both have, and that trust, or listen, otherwise.
fn changed_listeners(old: &Settings, new: &Settings) -> Vec<Stated> {
    let told = |listener: &ListenerSettings| {
        let keys = new.keys.changed_of(&old.keys, "listener", &listener.name);
        // Its upstream is told of the peers that it leads there.
        let keys = keys.into_iter().filter(|key| key != "upstream");
        let of = format!("listener \"{}\"", listener.name);
        keys.map(move |key| Stated { of: of.clone(), what: key, detail: OTHERWISE.into() })
    };
    let both = new.listeners.iter().filter(|listener| is_in(old, listener));
    both.flat_map(|listener| told(listener)).collect()
}

/// Listeners that one has, and the other does not.
fn listeners_beyond<'s>(one: &'s Settings, other: &'s Settings) -> impl Iterator<Item = Stated> + 's {
    let beyond = one.listeners.iter().filter(|listener| !is_in(other, listener));
    beyond.map(|listener| Stated {
        of: format!("listener \"{}\"", listener.name),
        what: "listener".into(),
        detail: listener.address.to_string(),
    })
}

fn is_in(settings: &Settings, listener: &ListenerSettings) -> bool {
    settings.listeners.iter().any(|other| other.name == listener.name)
}
