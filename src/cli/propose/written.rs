//! Tables of a configuration from what was used.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::comment::{listed, shown};
use super::gathered::{Gathered, Key, Used, Who};
use crate::cli::words::counted;
use crate::identity::CertificateBinding;

/// Keys of a `[[peer]]` that are written anew.
const OF_PEER: [&str; 7] =
    ["name", "listeners", "networks", "calling-ae-titles", "called-ae-titles", "certificates", "role"];
/// Keys of a `[[role]]` that are.
const OF_ROLE: [&str; 4] = ["name", "operations", "sop-classes", "move-destinations"];
/// Those that are about queries and retrievals only.
const OF_QUERIES: [&str; 7] = [
    "query-levels",
    "query-keys",
    "query-min-length",
    "hide",
    "max-answers",
    "max-retrievals-per-hour",
    "max-patients-per-day",
];

/// What is proposed.
pub(super) struct Proposal {
    /// Peers and roles, with a comment before each.
    pub tables: String,
    /// The configuration with them in the place of its own peers.
    pub merged: String,
}

/// The peers of a configuration's text, as they were used. The text of a `tenant` does not say in its roles whose they are, and what is
/// put into the file has to.
pub(super) fn proposal(text: &str, tenant: Option<&str>, gathered: &Gathered) -> Proposal {
    let mut root: Table = text.parse().unwrap_or_default();
    let (peers, roles) = (tables_of(&root, "peer"), tables_of(&root, "role"));
    let mut taken: BTreeSet<String> = peers.iter().chain(&roles).filter_map(name_of).collect();
    let (mut tables, mut compiled) = (String::new(), String::new());
    for (key, used) in &gathered.peers {
        let name = free_name(&key.who, &mut taken);
        tables.push_str(&one(&name, tenant, (key, used), (&peers, &roles)));
        compiled.push_str(&one(&name, None, (key, used), (&peers, &roles)));
    }
    root.remove("peer");
    let merged = format!("{root}\n{compiled}");
    Proposal { tables, merged }
}

fn tables_of(root: &Table, kind: &str) -> Vec<Table> {
    let all = root.get(kind).and_then(Value::as_array);
    let tables = all.into_iter().flatten().filter_map(Value::as_table);
    // Words may be joined by _ as well as by -.
    tables
        .map(|table| table.iter().map(|(key, value)| (key.replace('_', "-"), value.clone())).collect())
        .collect()
}

fn name_of(table: &Table) -> Option<String> {
    table.get("name").and_then(Value::as_str).map(str::to_owned)
}

/// Of the letters that names have, and nobody else's.
fn free_name(who: &Who, taken: &mut BTreeSet<String>) -> String {
    let text = match who {
        Who::Certificate(binding) => match binding.strip_prefix("sha256:") {
            Some(digest) => format!("certificate-{}", digest.get(..12).unwrap_or_default()),
            None => binding.split_once(':').map_or("", |(_, value)| value).to_owned(),
        },
        Who::Title(title) => title.clone(),
    };
    let fit =
        |c: char| if c.is_ascii_alphanumeric() || "-._".contains(c) { c.to_ascii_lowercase() } else { '-' };
    let name: String = text.chars().take(48).map(fit).collect();
    let name = name.trim_matches('-');
    let name = if name.is_empty() { "peer" } else { name };
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

/// A peer with its role, or a comment that says why it cannot be one.
fn one(
    name: &str,
    tenant: Option<&str>,
    (key, used): (&Key, &Used),
    (peers, roles): (&[Table], &[Table]),
) -> String {
    let before = peers.iter().find(|table| name_of(table).as_ref() == Some(&key.peer));
    let about = about(key, used, before.is_some());
    if let Some(why) = useless(used) {
        return format!("{about}# Not proposed: {why}.\n");
    }
    let role_before = before.and_then(|table| table.get("role")?.as_str());
    let role_before = roles.iter().find(|table| table.get("name").and_then(Value::as_str) == role_before);
    let peer = peer(name, (key, used), before.cloned().unwrap_or_default());
    let mut role = role(name, used, role_before.cloned().unwrap_or_default());
    role.extend(tenant.map(|tenant| ("tenant".to_owned(), Value::String(tenant.to_owned()))));
    let whole: Table = [("peer", peer), ("role", role)]
        .map(|(kind, table)| (kind.to_owned(), Value::Array(vec![Value::Table(table)])))
        .into_iter()
        .collect();
    format!("{about}{}", toml::to_string(&whole).unwrap_or_default())
}

fn useless(used: &Used) -> Option<&'static str> {
    if used.calling.is_empty() || used.called.is_empty() {
        return Some("none of its AE titles can be written so that it is one title");
    }
    if used.operations.is_empty() || used.classes.is_empty() {
        return Some("it asked for no operation that was relayed");
    }
    None
}

fn about(key: &Key, used: &Used, is_known: bool) -> String {
    let who = match &key.who {
        Who::Certificate(binding) => format!("certificate {}", shown(binding)),
        Who::Title(title) => format!("no certificate, \"{}\"", shown(title)),
    };
    let associations = counted(used.associations, "association");
    let mut text = format!(
        "\n# {who}: {associations} from {} to {}, let in by peer \"{}\"",
        used.first,
        used.last,
        shown(&key.peer)
    );
    text.push_str(if is_known { ".\n" } else { ", which the configuration has no more.\n" });
    if !used.unfit.is_empty() {
        text.push_str(&format!(
            "# Left out, since they would be patterns or are no AE titles: {}\n",
            listed(used.unfit.iter())
        ));
    }
    if used.is_cut {
        text.push_str("# There was more of something than is written here.\n");
    }
    if used.has_users {
        text.push_str("# Users proved who they are: what they may do besides their own roles say.\n");
    }
    for agreement in &used.agreements {
        text.push_str(&format!(
            "# Its name has to be among the parties of [[agreement]] \"{}\".\n",
            shown(agreement)
        ));
    }
    text
}

fn strings<'t>(values: impl IntoIterator<Item = &'t String>) -> Value {
    Value::Array(values.into_iter().map(|value| Value::String(value.clone())).collect())
}

fn peer(name: &str, (key, used): (&Key, &Used), before: Table) -> Table {
    let bound = before.get("certificates").cloned();
    let mut table: Table = before.into_iter().filter(|(key, _)| !OF_PEER.contains(&key.as_str())).collect();
    let mut set = |key: &str, value| drop(table.insert(key.to_owned(), value));
    set("name", Value::String(name.to_owned()));
    set("role", Value::String(name.to_owned()));
    set("listeners", strings(&used.listeners));
    set("networks", strings(&used.networks()));
    set("calling-ae-titles", strings(&used.calling));
    set("called-ae-titles", strings(&used.called));
    if let Who::Certificate(binding) = &key.who {
        set("certificates", certificates(binding, bound.as_ref(), used));
    }
    table
}

/// What the peer before was bound to, as far as it was shown; never something wider.
fn certificates(binding: &String, bound: Option<&Value>, used: &Used) -> Value {
    let bound: Vec<String> = bound
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    if bound.is_empty() {
        return strings([binding]);
    }
    let parsed = |text: &String| text.parse::<CertificateBinding>().ok().map(|one| one.canonical());
    let was_shown = |one: &&String| used.shown.iter().any(|shown| parsed(shown) == parsed(one));
    // Of keys and common names the records do not tell.
    let untold = |one: &&String| one.starts_with("spki-sha256:") || one.starts_with("cn:");
    let seen: Vec<&String> = bound.iter().filter(|one| was_shown(one) || untold(one)).collect();
    if seen.is_empty() { strings(&bound) } else { strings(seen) }
}

fn role(name: &str, used: &Used, before: Table) -> Table {
    let queries = ["C-FIND", "C-MOVE", "C-GET"].iter().any(|one| used.operations.contains(one));
    let kept = |key: &str| !OF_ROLE.contains(&key) && (queries || !OF_QUERIES.contains(&key));
    let mut table: Table = before.into_iter().filter(|(key, _)| kept(key)).collect();
    let mut set = |key: &str, value| drop(table.insert(key.to_owned(), value));
    let operations: Vec<String> = used.operations.iter().map(|&one| one.to_owned()).collect();
    set("name", Value::String(name.to_owned()));
    set("operations", strings(&operations));
    set("sop-classes", strings(&used.classes));
    if used.operations.contains("C-MOVE") {
        set("move-destinations", strings(&used.destinations));
    }
    table
}
