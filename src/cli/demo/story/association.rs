//! An association's records, condensed: its closing record first, then a line for each operation.

use super::super::records::Account;
use super::Style;
use crate::audit::record::{AssociationClosed, Context, PatientIdentifier, Tls};
use crate::cli::table::{Table, cut, visible};

const LABELS: usize = 15;
const NONE: &str = "-";

/// Lines of at most `width` characters, colour not counted.
pub(super) fn lines(told: &Account, style: Style, width: usize) -> Vec<String> {
    let closed = &told.closed;
    let mut lines = Vec::new();
    for (label, value) in facts(closed) {
        lines.push(format!("{}{}", style.dim(&format!("{label:<LABELS$}")), cut(&value, width - LABELS)));
    }
    lines.push(String::new());
    lines.extend(operations(told, style, width));
    lines
}

fn facts(closed: &AssociationClosed) -> Vec<(&'static str, String)> {
    let requestor = &closed.requestor;
    let tls = requestor.tls.as_ref();
    let of_tls = |of: fn(&Tls) -> Option<&str>| text(tls.and_then(of));
    let certificate = tls.map(|tls| tls.san.join(", ")).unwrap_or_default();
    let reason = closed.reason.as_deref().map(visible).unwrap_or_default();
    let ended = [visible(closed.ended.label()), reason].join(" ");
    let group = tls.and_then(|tls| tls.group.as_deref()).map(visible).unwrap_or_default();
    let mut facts = vec![
        (
            "association",
            format!("{}: {} after {} ms", visible(&closed.association), ended.trim_end(), closed.duration_ms),
        ),
        (
            "from",
            format!(
                "{}, {}:{}, peer {}",
                visible(&requestor.calling_ae_title),
                requestor.address,
                requestor.port,
                text(requestor.peer.as_deref())
            ),
        ),
        ("to", to(closed)),
        (
            "TLS",
            [of_tls(|tls| Some(&tls.version)), of_tls(|tls| Some(&tls.cipher)), group]
                .join(" ")
                .trim_end()
                .into(),
        ),
        ("certificate", format!("{} ({})", of_tls(|tls| tls.subject.as_deref()), visible(&certificate))),
    ];
    for (number, context) in closed.contexts.iter().enumerate() {
        facts.push((if number == 0 { "contexts" } else { "" }, presentation_context(context)));
    }
    facts.push(("operations", counts(closed)));
    let bytes = super::style::bytes;
    facts.push(("bytes", format!("{} in, {} out", bytes(closed.bytes.r#in), bytes(closed.bytes.out))));
    let rewrite = closed.rewrite.as_ref();
    let elements = text(rewrite.map(|rewrite| rewrite.elements.to_string()).as_deref());
    let name = text(rewrite.map(|rewrite| rewrite.name.as_str()));
    facts.push(("rewrite", format!("{name}: {elements} elements")));
    facts.push(("configuration", format!("sha-256 {}", cut(&visible(&closed.configuration), 17))));
    facts
}

fn to(closed: &AssociationClosed) -> String {
    let upstream = closed.upstream.as_ref();
    let name = text(upstream.map(|upstream| upstream.name.as_str()));
    let address = text(upstream.map(|upstream| upstream.address.as_str()));
    format!("{}, upstream {name} at {address}", visible(&closed.requestor.called_ae_title))
}

fn presentation_context(context: &Context) -> String {
    // PS3.8 Table 9-18.
    let result = match context.result {
        0 => format!("in {}", named(&text(context.transfer_syntax.as_deref()))),
        1 => "refused by the user".to_owned(),
        2 => "refused without reason".to_owned(),
        3 => "abstract syntax not supported".to_owned(),
        4 => "transfer syntaxes not supported".to_owned(),
        _ => NONE.to_owned(),
    };
    format!("{} {} {result}", context.id, named(&visible(&context.abstract_syntax)))
}

fn counts(closed: &AssociationClosed) -> String {
    let kinds: Vec<_> =
        closed.operations.iter().map(|(name, counts)| format!("{}: {counts}", visible(name))).collect();
    if kinds.is_empty() { NONE.to_owned() } else { kinds.join("; ") }
}

fn operations(told: &Account, style: Style, width: usize) -> Vec<String> {
    let mut table =
        Table::new(["operation", "id", "status", "bytes", "ms", "SOP instance", "became", "patient"])
            .within(width);
    for operation in &told.operations {
        let patient = operation.patient.as_ref().and_then(PatientIdentifier::rendered);
        table.row([
            visible(&operation.operation),
            operation.message_id.to_string(),
            text(operation.status_text().as_deref()),
            operation.bytes.to_string(),
            operation.duration_ms.to_string(),
            text(operation.sop_instance.as_deref()),
            text(operation.new_sop_instance.as_deref()),
            cut(&text(patient), 9),
        ]);
    }
    table.lines(|row, column, cell| match (row, column) {
        (0, _) => style.dim(cell),
        (_, 2) if cell == "0x0000" => style.green(cell),
        (_, 2) if cell != NONE => style.red(cell),
        _ => cell.to_owned(),
    })
}

/// As one line that a terminal shows and does not obey.
fn text(value: Option<&str>) -> String {
    value.map_or_else(|| NONE.to_owned(), visible)
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
