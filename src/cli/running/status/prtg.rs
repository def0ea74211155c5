//! What the sensor "SSH Script Advanced" of PRTG reads: channels with their limits as JSON, or an error with its text.

use serde_json::{Value, json};

use super::said;
use crate::cli::running::answer::{items, number, text};
use crate::cli::table::visible;
use crate::tls::EndKind;

/// Of an answer of the proxy. What is critical is an error, of which PRTG shows the text and no channel.
pub(super) fn of_status(status: &Value) -> Value {
    match text(status, "/health") {
        "ok" | "warning" => json!({"prtg": {"result": channels(status), "text": visible(&said(status))}}),
        "critical" => error(&said(status)),
        _ => error("this proxy answers in another way; status of its own version understands it"),
    }
}

pub(super) fn error(text: &str) -> Value {
    json!({"prtg": {"error": 1, "text": visible(text)}})
}

fn channels(status: &Value) -> Vec<Value> {
    let problems = items(status, "/problems").count();
    let allowed = number(status, "/associations/allowed");
    let mut channels = vec![
        // Whatever is wrong makes the sensor a warning, also what no channel has a limit for.
        json!({"channel": "Problems", "value": problems.to_string(), "unit": "Count",
            "warning": u8::from(text(status, "/health") == "warning")}),
        json!({"channel": "Associations", "value": number(status, "/associations/open").to_string(), "unit": "Count",
            "limitmode": 1, "limitmaxwarning": (allowed.saturating_mul(4) / 5).to_string()}),
        json!({"channel": "Refusals in 5 minutes", "value": number(status, "/refusals").to_string(), "unit": "Count"}),
        json!({"channel": "Uptime", "value": (number(status, "/uptime-ms") / 1000).to_string(), "unit": "TimeSeconds"}),
    ];
    for (name, kind, figure) in [
        ("Days to the end of a certificate", EndKind::Certificate, "days-to-certificate-end"),
        ("Days to the end of a revocation list", EndKind::RevocationList, "days-to-list-end"),
    ] {
        let days = status.get(figure).and_then(Value::as_i64);
        channels.extend(days.map(|days| days_left(name, kind, days)));
    }
    channels
}

fn days_left(name: &str, kind: EndKind, days: i64) -> Value {
    let (notice, urgent) = (kind.notice().whole_days(), kind.urgent().whole_days());
    json!({"channel": name, "value": days.to_string(), "unit": "Custom", "customunit": "d",
        "limitmode": 1, "limitminwarning": notice.to_string(), "limitminerror": urgent.to_string()})
}

#[cfg(test)]
mod tests {
    use super::of_status;
    use serde_json::json;

    #[test]
    fn a_sensor_gets_channels_with_limits_and_a_text() {
        let good = json!({"health": "ok", "problems": [], "associations": {"open": 3, "allowed": 500},
            "refusals": 1, "uptime-ms": 61_000, "days-to-certificate-end": 40, "days-to-list-end": -1});
        let expected = json!({"prtg": {"text": "3 associations open, 1 refusal in 5 minutes", "result": [
            {"channel": "Problems", "value": "0", "unit": "Count", "warning": 0},
            {"channel": "Associations", "value": "3", "unit": "Count", "limitmode": 1, "limitmaxwarning": "400"},
            {"channel": "Refusals in 5 minutes", "value": "1", "unit": "Count"},
            {"channel": "Uptime", "value": "61", "unit": "TimeSeconds"},
            {"channel": "Days to the end of a certificate", "value": "40", "unit": "Custom", "customunit": "d",
                "limitmode": 1, "limitminwarning": "30", "limitminerror": "3"},
            {"channel": "Days to the end of a revocation list", "value": "-1", "unit": "Custom", "customunit": "d",
                "limitmode": 1, "limitminwarning": "7", "limitminerror": "0"},
        ]}});
        assert_eq!(of_status(&good), expected);
        let warning = json!({"health": "warning", "problems": [{"level": "warning", "what": "x ends"}]});
        let told = of_status(&warning);
        assert_eq!(
            told["prtg"]["result"][0],
            json!({"channel": "Problems", "value": "1", "unit": "Count", "warning": 1})
        );
        assert_eq!(told["prtg"]["text"], "x ends");
    }

    #[test]
    fn what_is_critical_is_an_error_with_its_text_and_so_is_what_is_not_understood() {
        let bad = json!({"health": "critical", "problems": [
            {"level": "critical", "what": "records cannot be written"}, {"level": "warning", "what": "x\u{1b}"}]});
        let text = "records cannot be written; x\\u{1b}";
        assert_eq!(of_status(&bad), json!({"prtg": {"error": 1, "text": text}}));
        assert_eq!(of_status(&json!({}))["prtg"]["error"], 1);
    }
}
