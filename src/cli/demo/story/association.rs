//! An association's records, condensed: its closing record first, then a line for each operation.

use serde_json::Value;

use super::super::records::Told;
use super::Style;
use crate::cli::table::{Table, cut, visible};

const LABELS: usize = 15;
const NONE: &str = "-";

/// Lines of at most `width` characters, colour not counted.
pub(super) fn lines(told: &Told, style: Style, width: usize) -> Vec<String> {
    let closed = &told.closed;
    let mut lines = Vec::new();
    for (label, value) in facts(closed) {
        lines.push(format!("{}{}", style.dim(&format!("{label:<LABELS$}")), cut(&value, width - LABELS)));
    }
    lines.push(String::new());
    lines.extend(operations(told, style, width));
    lines
}

fn facts(closed: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| text(closed, pointer);
    let certificate = strings(&closed["tls"]["san"]).join(", ");
    let mut facts = vec![
        (
            "association",
            format!(
                "{}: {} after {} ms",
                at("/association"),
                [at("/ended"), text_or(closed, "/reason", "")].join(" ").trim_end(),
                at("/duration-ms")
            ),
        ),
        (
            "from",
            format!("{}, {}:{}, peer {}", at("/calling-ae-title"), at("/address"), at("/port"), at("/peer")),
        ),
        ("to", to(closed)),
        (
            "TLS",
            [at("/tls/version"), at("/tls/cipher"), text_or(closed, "/tls/group", "")]
                .join(" ")
                .trim_end()
                .into(),
        ),
        ("certificate", format!("{} ({})", at("/tls/subject"), visible(&certificate))),
    ];
    for (number, context) in closed["contexts"].as_array().into_iter().flatten().enumerate() {
        facts.push((if number == 0 { "contexts" } else { "" }, presentation_context(context)));
    }
    facts.push(("operations", counts(closed)));
    facts.push((
        "bytes",
        format!("{} in, {} out", amount(&closed["bytes"]["in"]), amount(&closed["bytes"]["out"])),
    ));
    facts.push(("rewrite", format!("{}: {} elements", at("/rewrite/name"), at("/rewrite/elements"))));
    facts.push(("configuration", format!("sha-256 {}", cut(&at("/configuration"), 17))));
    facts
}

fn to(closed: &Value) -> String {
    let at = |pointer| text(closed, pointer);
    format!("{}, upstream {} at {}", at("/called-ae-title"), at("/upstream/name"), at("/upstream/address"))
}

fn presentation_context(context: &Value) -> String {
    // PS3.8 Table 9-18.
    let result = match context["result"].as_u64() {
        Some(0) => format!("in {}", named(&text(context, "/transfer-syntax"))),
        Some(1) => "refused by the user".to_owned(),
        Some(2) => "refused without reason".to_owned(),
        Some(3) => "abstract syntax not supported".to_owned(),
        Some(4) => "transfer syntaxes not supported".to_owned(),
        _ => NONE.to_owned(),
    };
    format!("{} {} {result}", text(context, "/id"), named(&text(context, "/abstract-syntax")))
}

fn counts(closed: &Value) -> String {
    let kinds = closed["operations"].as_object().into_iter().flatten();
    let kind = |(operation, counts): (&String, &Value)| {
        let ended: Vec<_> = ["success", "warning", "failure", "refused"]
            .iter()
            .filter_map(|ending| {
                let count = counts[*ending].as_u64().filter(|count| *count > 0)?;
                Some(format!("{count} {ending}"))
            })
            .collect();
        format!("{}: {}", visible(operation), ended.join(", "))
    };
    let kinds: Vec<_> = kinds.map(kind).collect();
    if kinds.is_empty() { NONE.to_owned() } else { kinds.join("; ") }
}

fn operations(told: &Told, style: Style, width: usize) -> Vec<String> {
    let mut table =
        Table::new(["operation", "id", "status", "bytes", "ms", "SOP instance", "became", "patient"])
            .within(width);
    for operation in &told.operations {
        table.row([
            text(operation, "/operation"),
            text(operation, "/message-id"),
            text(operation, "/status"),
            text(operation, "/bytes"),
            text(operation, "/duration-ms"),
            text(operation, "/sop-instance"),
            text(operation, "/new-sop-instance"),
            cut(&text(operation, "/patient"), 9),
        ]);
    }
    table.lines(|row, column, cell| match (row, column) {
        (0, _) => style.dim(cell),
        (_, 2) if cell == "0x0000" => style.green(cell),
        (_, 2) if cell != NONE => style.red(cell),
        _ => cell.to_owned(),
    })
}

/// The value there, as one line that a terminal shows and does not obey.
fn text(record: &Value, pointer: &str) -> String {
    text_or(record, pointer, NONE)
}

fn text_or(record: &Value, pointer: &str, absent: &str) -> String {
    match record.pointer(pointer) {
        None | Some(Value::Null) => absent.to_owned(),
        Some(Value::String(text)) => visible(text),
        Some(other) => visible(&other.to_string()),
    }
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn amount(bytes: &Value) -> String {
    super::style::bytes(bytes.as_u64().unwrap_or(0))
}

/// The few UIDs that the demonstration meets, by name.
fn named(uid: &str) -> String {
    match uid {
        "1.2.840.10008.1.1" => "Verification",
        "1.2.840.10008.5.1.4.1.1.2" => "CT Image Storage",
        "1.2.840.10008.1.2" => "Implicit VR Little Endian",
        "1.2.840.10008.1.2.1" => "Explicit VR Little Endian",
        other => other,
    }
    .to_owned()
}
