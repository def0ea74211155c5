//! A trace in words, for people: a line for each event, as packet analyzers have them, and what belongs to it below.

use serde_json::Value;

use crate::cli::running::answer::{items, number, text};
use crate::cli::table::visible;
use crate::cli::words::{counted, duration};
use crate::policy::sop_class::keyword;

/// Where what happened begins: behind time, association, and who spoke to whom.
const DEEPER: &str = "                                              ";

/// What is traced, and how to read it.
pub(super) fn beginning(of: &Value) -> String {
    let shown = match text(of, "/identifiers") {
        "as-recorded" => "with UIDs of SOP instances and Error Comments",
        _ => "SOP instances as numbers, without Error Comments",
    };
    let mut lines = vec![
        format!(
            "# dimsegate {}, trace {} of {}, begun {}, for {}; {shown}",
            text(of, "/version"),
            number(of, "/trace"),
            text(of, "/of"),
            text(of, "/began"),
            duration(of["for-ms"].as_u64()),
        ),
        "# Seconds since then, association, who spoke to whom, and what. gap: silence on this leg before it; took: from its first \
         byte to its last;"
            .to_owned(),
        "# waited: of that, for bytes, or for room to write; held: how long after the last byte that came dimsegate was through with \
         it."
            .to_owned(),
    ];
    let missed: Vec<&str> = items(of, "/not-traced").filter_map(Value::as_str).collect();
    if !missed.is_empty() {
        let more = match number(of, "/more-not-traced") {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let missed = missed.join(" ");
        lines.push(format!("# Open before, and not traced (dimsegate abort ends them): {missed}{more}"));
    }
    lines.iter().map(|line| visible(line) + "\n").collect()
}

/// So many are missing here.
pub(super) fn lost(of: &Value) -> String {
    format!(
        "# {} lost here: they came faster than they could be shown\n",
        counted(number(of, "/count"), "event")
    )
}

/// Why it ended.
pub(super) fn ended(of: &Value) -> String {
    format!("# The trace ended: {}\n", visible(text(of, "/why")))
}

/// Something that was seen.
pub(super) fn event(of: &Value) -> String {
    let time = format!("{:>12}", seconds(of["at-us"].as_u64()));
    let association = text(of, "/association").rsplit('-').next().unwrap_or_default();
    let (from, to) = between(of);
    let mut told = told(of).into_iter().map(|line| visible(&line));
    let first = told.next().unwrap_or_default();
    let arrow = if from.is_empty() { ' ' } else { '>' };
    let mut story = format!("{time} {association:>6}  {from:>9} {arrow} {to:<9}  ");
    story.push_str(&first);
    story.push('\n');
    for line in told {
        story.push_str(&format!("{DEEPER}{line}\n"));
    }
    story
}

/// Who spoke to whom; of what is about nobody in particular, nothing.
fn between(of: &Value) -> (&str, &str) {
    let (leg, from) = (text(of, "/leg"), text(of, "/from"));
    match (text(of, "/what"), from) {
        ("connection", _) => ("requestor", "dimsegate"),
        ("dialled", _) => ("dimsegate", "upstream"),
        ("tls", _) if leg == "upstream" => ("dimsegate", leg),
        ("tls", _) => (leg, "dimsegate"),
        (_, "dimsegate") => (from, leg),
        (_, from) if !from.is_empty() => (from, "dimsegate"),
        _ => ("", ""),
    }
}

fn told(of: &Value) -> Vec<String> {
    match text(of, "/what") {
        "connection" => vec![format!(
            "TCP connection from {} to {}, listener {}, association {}",
            text(of, "/address"),
            text(of, "/reached"),
            text(of, "/listener"),
            text(of, "/association")
        )],
        "tls" => tls(of),
        "admitted" => vec![format!(
            "let in as peer {}, role {}, for upstream {}",
            text(of, "/peer"),
            text(of, "/role"),
            text(of, "/upstream")
        )],
        "dialled" => dialled(of),
        "refused" => refused(of),
        "associate" => associate(of),
        "pdu" => vec![format!("{}{}", text(of, "/text"), times(of))],
        "command" => command(of),
        "data-set" => vec![format!("data set, {}{}", part(of), times(of))],
        "ended" => vec![
            format!("ended ({}): {}", text(of, "/ended"), text(of, "/explanation")),
            format!(
                "waited for: requestor {}, upstream {}, dimsegate {}",
                seconds(of.pointer("/waited-for/requestor-us").and_then(Value::as_u64)),
                seconds(of.pointer("/waited-for/upstream-us").and_then(Value::as_u64)),
                seconds(of.pointer("/waited-for/dimsegate-us").and_then(Value::as_u64)),
            ),
        ],
        "closed" => vec![format!(
            "leg to the {} closed by {}: {} B received, {} B sent",
            text(of, "/leg"),
            text(of, "/by"),
            number(of, "/received"),
            number(of, "/sent")
        )],
        other => vec![other.to_owned()],
    }
}

fn tls(of: &Value) -> Vec<String> {
    let group = match text(of, "/group") {
        "" => String::new(),
        group => format!(", {group}"),
    };
    let mut lines = vec![format!("TLS {}, {}{group}", text(of, "/version"), text(of, "/cipher"))];
    let known = [
        ("certificate of", "/subject"),
        ("issued by", "/issuer"),
        ("serial number", "/serial"),
        ("SHA-256", "/fingerprint"),
        ("ends", "/not-after"),
    ];
    let known = known.into_iter().map(|(name, path)| (name, text(of, path)));
    lines.extend(known.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name} {value}")));
    if text(of, "/fingerprint").is_empty() {
        lines.push("no certificate was shown".into());
    }
    lines
}

fn dialled(of: &Value) -> Vec<String> {
    let took = seconds(of["took-us"].as_u64());
    let mut lines = vec![format!(
        "TCP connection to {}, upstream {}, took {took}",
        text(of, "/address"),
        text(of, "/upstream")
    )];
    let passed = items(of, "/passed-over").filter_map(Value::as_str);
    lines.extend(passed.map(|passed| format!("passed over {passed}")));
    lines
}

fn refused(of: &Value) -> Vec<String> {
    let mut lines = vec![format!("refused ({}): {}", text(of, "/reason"), text(of, "/explanation"))];
    if !text(of, "/alert").is_empty() {
        lines.push(format!("TLS alert: {}", text(of, "/alert")));
    }
    lines
}

fn associate(of: &Value) -> Vec<String> {
    let mut lines = vec![format!(
        "{} {} to {}, {} B{}",
        text(of, "/pdu"),
        text(of, "/calling-ae-title"),
        text(of, "/called-ae-title"),
        number(of, "/bytes"),
        times(of)
    )];
    if !text(of, "/malformed").is_empty() {
        lines.push(format!("not read: {}", text(of, "/malformed")));
        return lines;
    }
    let length = of["maximum-length"].as_u64().map_or("absent".to_owned(), |length| length.to_string());
    let [class, version] =
        ["/implementation-class-uid", "/implementation-version-name"].map(|path| text(of, path));
    lines.push(format!("maximum length {length}, implementation {class} {version}"));
    if let Some(window) = of.get("asynchronous-operations-window") {
        lines.push(format!("asynchronous operations window {window}: invoked, performed"));
    }
    lines.extend(items(of, "/contexts").map(context));
    lines.extend(items(of, "/roles").map(|role| {
        format!(
            "role of {}: SCU {}, SCP {}",
            named(text(role, "/sop-class")),
            number(role, "/scu"),
            number(role, "/scp")
        )
    }));
    lines.extend(items(of, "/extended-negotiations").map(|extended| {
        format!(
            "extended negotiation of {}: {} B",
            named(text(extended, "/sop-class")),
            number(extended, "/bytes")
        )
    }));
    if let Some(identity) = of.pointer("/user-identity") {
        lines.push(format!("user identity of type {}, not shown", number(identity, "/type")));
    }
    if let Some(bytes) = of.get("user-identity-response-bytes") {
        lines.push(format!("response to the user identity: {bytes} B, not shown"));
    }
    let other = |item: &Value| format!("item {}: {} B", text(item, "/type"), number(item, "/bytes"));
    lines.extend(items(of, "/other-items").map(other));
    lines
}

fn context(context: &Value) -> String {
    let syntaxes = items(context, "/transfer-syntaxes").filter_map(Value::as_str);
    let syntaxes: Vec<String> = syntaxes.map(named).collect();
    let more = match number(context, "/more-transfer-syntaxes") {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = named(text(context, "/abstract-syntax")) + text(context, "/result");
    format!("context {}: {what}: {}{more}", number(context, "/id"), syntaxes.join(", "))
}

fn command(of: &Value) -> Vec<String> {
    let mut lines = vec![format!("{}, {}{}", text(of, "/message"), part(of), times(of))];
    lines.extend(items(of, "/elements").map(|element| {
        format!("{} {}: {}", text(element, "/tag"), text(element, "/name"), named(text(element, "/value")))
    }));
    lines
}

fn part(of: &Value) -> String {
    let cut = if of["whole"] == true { "" } else { ", cut off" };
    let fragments = counted(number(of, "/fragments"), "fragment");
    format!("context {}, {} B in {fragments}{cut}", number(of, "/context"), number(of, "/bytes"))
}

/// A UID of the standard with its keyword; anything else as it is.
fn named(uid: &str) -> String {
    keyword(uid).map_or_else(|| uid.to_owned(), |word| format!("{uid} {word}"))
}

/// When, and who was waited for: what is nothing is not said.
fn times(of: &Value) -> String {
    let is_ours = text(of, "/from") == "dimsegate";
    let waited = if is_ours { "waited for room" } else { "waited for bytes" };
    let gap = if is_ours { "gap".to_owned() } else { format!("waited for {}, gap", text(of, "/from")) };
    let all = [(gap.as_str(), "gap-us"), ("took", "took-us"), (waited, "waited-us"), ("held", "held-us")];
    let said = all.into_iter().filter_map(|(name, key)| Some((name, of[key].as_u64()?)));
    let said = said.filter(|(_, us)| *us > 0).map(|(name, us)| format!("; {name} {}", seconds(Some(us))));
    said.collect()
}

/// Seconds with six digits behind the point.
fn seconds(us: Option<u64>) -> String {
    let us = us.unwrap_or_default();
    format!("{}.{:06}", us / 1_000_000, us % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::{beginning, event};
    use serde_json::json;

    #[test]
    fn a_message_has_a_line_and_its_elements_stand_below() {
        let told = event(&json!({
            "at-us": 1_203_004, "association": "00112233aabbccdd-1f", "what": "command", "leg": "upstream",
            "from": "upstream", "bytes": 130, "gap-us": 1_000_000, "took-us": 0, "waited-us": 0, "context": 3,
            "fragments": 1, "whole": true, "message": "C-STORE-RSP",
            "elements": [{"tag": "(0000,0900)", "name": "Status", "value": "0xA700 failure\u{1b}[2J"}]
        }));
        let expected = "    1.203004     1f   upstream > dimsegate  C-STORE-RSP, context 3, 130 B in 1 fragment; waited for \
                        upstream, gap 1.000000\n                                              (0000,0900) Status: 0xA700 \
                        failure\\u{1b}[2J\n";
        assert_eq!(told, expected);
    }

    #[test]
    fn what_is_about_nobody_in_particular_stands_under_the_others() {
        let at = |event: &serde_json::Value, word: &str| super::event(event).find(word).unwrap();
        let base = json!({"at-us": 5, "association": "a-1", "what": "admitted", "peer": "lyon"});
        let pdu = json!({"at-us": 5, "association": "a-1", "what": "pdu", "leg": "upstream", "from": "dimsegate",
            "text": "A-RELEASE-RQ"});
        assert_eq!(at(&base, "let in"), at(&pdu, "A-RELEASE-RQ"));
    }

    #[test]
    fn the_beginning_names_those_that_are_not_traced() {
        let told = beginning(
            &json!({"trace": 2, "of": "peer lyon", "for-ms": 600_000, "not-traced": ["a-1", "a-2"],
            "more-not-traced": 3}),
        );
        assert!(told.contains("trace 2 of peer lyon") && told.contains("10 min 00 s"), "{told}");
        assert!(told.contains("not traced (dimsegate abort ends them): a-1 a-2 and 3 more"), "{told}");
        assert!(told.lines().all(|line| line.starts_with("# ")));
    }
}
