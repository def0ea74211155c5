//! What of a configuration may be shown: all but what is a secret itself.

use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// In place of what nobody is shown.
const HIDDEN: &str = "hidden";

/// The text of a configuration for somebody else's eyes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Line for line as it was, without comments, and with what may be shown in the place of each value.
    pub text: String,
    /// The keys of which not all is shown, by the names that [`Keys`](super::Keys) gives them.
    pub hidden: Vec<String>,
}

/// What of a text may be shown; `None` of what is no TOML, in which nobody can say what is a secret.
pub(crate) fn shown_text(text: &str) -> Option<Shown> {
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return None;
    }
    let mut leaves = Vec::new();
    for (name, value) in root.get_ref() {
        leaves_of(name.get_ref().to_string(), value, &mut leaves);
    }
    leaves.sort_by_key(|(_, value)| value.span().start);
    let (mut out, mut at, mut hidden) = (String::with_capacity(text.len()), 0, Vec::new());
    for (key, value) in leaves {
        let span = value.span();
        let written = text.get(span.clone())?;
        out.push_str(&without_comments(text.get(at..span.start)?));
        match own(&key, written) {
            None => out.push_str(&without_comments(written)),
            Some(other) => {
                out.push_str(&other);
                hidden.push(key);
            }
        }
        at = span.end;
    }
    out.push_str(&without_comments(text.get(at..)?));
    Some(Shown { text: out, hidden })
}

/// What stands in the place of a value, in as many lines; `None`: the value itself.
fn own(key: &str, written: &str) -> Option<String> {
    let shown = shown(key, written);
    let value = read(written);
    if value.is_some() && read(&shown) == value {
        return None;
    }
    let text = if shown == HIDDEN { format!("\"{HIDDEN}\"") } else { shown };
    Some(text + &"\n".repeat(written.matches('\n').count()))
}

fn leaves_of<'v, 'i>(
    path: String,
    value: &'v Spanned<DeValue<'i>>,
    leaves: &mut Vec<(String, &'v Spanned<DeValue<'i>>)>,
) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (name, value) in table {
                leaves_of(format!("{path}.{}", name.get_ref()), value, leaves);
            }
        }
        DeValue::Array(items) if !items.is_empty() && items.iter().all(|one| one.get_ref().is_table()) => {
            for (item, number) in items.iter().zip(1_usize..) {
                let called = |key| item.get_ref().get(key).and_then(|name| name.get_ref().as_str());
                let name = called("name").or_else(|| called("id"));
                let name = name.map_or_else(|| number.to_string(), str::to_owned);
                leaves_of(format!("{path} \"{name}\""), item, leaves);
            }
        }
        _ => leaves.push((path, value)),
    }
}

/// TOML without its comments, in which anything may have been noted. The lines stay.
fn without_comments(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => {
                rest = rest.find('\n').map_or("", |end| rest.get(end..).unwrap_or_default());
                continue;
            }
            '"' | '\'' => string(rest),
            other => other.len_utf8(),
        };
        let (taken, behind) = rest.split_at_checked(length).unwrap_or((rest, ""));
        out.push_str(taken);
        rest = behind;
    }
    out
}

/// How long the string is that a text begins with.
fn string(text: &str) -> usize {
    let quote = if text.starts_with('"') { "\"" } else { "'" };
    let three = quote.repeat(3);
    let end = if text.starts_with(&three) { three.as_str() } else { quote };
    let mut at = end.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(behind) = rest.strip_prefix(end) {
            // Up to two more quotes may end what is between three.
            let more = behind.bytes().take_while(|&byte| [byte] == quote.as_bytes()).take(2).count();
            return at + end.len() + if end.len() == 3 { more } else { 0 };
        }
        let escaped = quote == "\"" && rest.starts_with('\\');
        at += rest.chars().take(if escaped { 2 } else { 1 }).map(char::len_utf8).sum::<usize>();
    }
    text.len()
}

/// A secret that stands in the file itself is hidden, user, passcode and query of a URL, and of whoever is told all but where
/// and by which program: the address of a hook often is its secret, and a command may be given one.
pub(crate) fn shown(key: &str, value: &str) -> String {
    let name = key.rsplit(['.', ' ']).next().unwrap_or_default();
    let is_secret =
        ["secret", "passphrase", "password", "passcode", "token"].iter().any(|word| name.ends_with(word));
    // The number of a version says nothing of the secret.
    if is_secret && name != "current-secret" {
        return HIDDEN.to_owned();
    }
    let Some(read) = read(value) else { return HIDDEN.to_owned() };
    match (key.starts_with("notify "), name, read) {
        (true, "url", Value::String(text)) => Value::String(super::url::origin(&text)),
        (true, "command", Value::Array(words)) => program(words),
        (true, "url" | "command", _) => return HIDDEN.to_owned(),
        (.., other) => without_secrets(other),
    }
    .to_string()
}

fn read(value: &str) -> Option<Value> {
    format!("value = {value}").parse::<Table>().ok()?.remove("value")
}

/// Whether there are arguments is shown.
fn program(words: Vec<Value>) -> Value {
    let has_arguments = words.len() > 1;
    let program = words.into_iter().take(1);
    Value::Array(program.chain(has_arguments.then(|| Value::String(HIDDEN.to_owned()))).collect())
}

fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(public(&text)),
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

/// Of a URL, neither user and passcode nor the query.
fn public(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, _)) => (rest, format!("?{HIDDEN}")),
        None => (rest, String::new()),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let rest = match authority.rsplit_once('@') {
        Some((user, _)) => format!("{HIDDEN}{}", rest.get(user.len()..).unwrap_or_default()),
        None => rest.to_owned(),
    };
    format!("{scheme}://{rest}{query}")
}

#[cfg(test)]
mod tests {
    use super::{Shown, shown, shown_text};

    #[test]
    fn what_is_a_secret_is_not_shown_and_what_names_one_is() {
        for (key, value, expected) in [
            ("audit.secret-file", "\"conf/audit.key\"", "\"conf/audit.key\""),
            ("rewrite \"w\".current-secret", "\"2\"", "\"2\""),
            ("upstream \"u\".secret", "\"x\"", "hidden"),
            ("listener \"l\".tls.passphrase", "\"x\"", "hidden"),
            (
                "audit.fhir \"f\".url",
                "\"https://a:b@fhir.example/x@y\"",
                "\"https://hidden@fhir.example/x@y\"",
            ),
            ("audit.fhir \"f\".url", "\"https://fhir.example/x@y\"", "\"https://fhir.example/x@y\""),
            ("issuer \"i\".keys", "\"https://i.example/keys?k=x\"", "\"https://i.example/keys?hidden\""),
            ("x.urls", "[\"https://a:b@x/\", 7]", "[\"https://hidden@x/\", 7]"),
            ("limits.grace", "\"10s\"", "\"10s\""),
            ("limits.max-associations", "5", "5"),
        ] {
            assert_eq!(shown(key, value), expected);
        }
    }

    #[test]
    fn of_whoever_is_told_host_and_program_are_shown() {
        for (key, value, expected) in [
            ("url", "\"https://hooks.example:8443/T0/s3cret?x=y\"", "\"https://hooks.example:8443/…\""),
            ("url", "'https://hooks.example/\"s3cret'", "\"https://hooks.example/…\""),
            ("url", "\"https://hooks.example\"", "\"https://hooks.example\""),
            ("url", "[\"https://hooks.example/s3cret\"]", "hidden"),
            ("command", "[\"/bin/tell\", \"--key\", \"s3cret\"]", "[\"/bin/tell\", \"hidden\"]"),
            ("command", "[\"/bin/tell\"]", "[\"/bin/tell\"]"),
            ("command", "\"/bin/tell s3cret\"", "hidden"),
            ("when", "[\"disk\"]", "[\"disk\"]"),
        ] {
            assert_eq!(shown(&format!("notify \"a.url\".{key}"), value), expected);
        }
    }

    #[test]
    fn a_text_is_shown_line_for_line_without_secrets_and_comments() {
        let text = r#"a = "x # no" # s3cret
[[notify]] # s3cret
name = "n"
url = "https://h/s3cret"
[[notify]]
name = "m"
command = [ # s3cret
  "/bin/x",
  "s3cret",
]
[x]
y = [1, # s3cret
 2]
z = '''a#
b''''
password = "s3cret"
# s3cret"#;
        let expected = r#"a = "x # no" 
[[notify]] 
name = "n"
url = "https://h/…"
[[notify]]
name = "m"
command = ["/bin/x", "hidden"]



[x]
y = [1, 
 2]
z = '''a#
b''''
password = "hidden"
"#;
        let hidden = ["notify \"n\".url", "notify \"m\".command", "x.password"].map(str::to_owned).to_vec();
        assert_eq!(shown_text(text), Some(Shown { text: expected.to_owned(), hidden }));
        assert!(expected.parse::<toml::Table>().is_ok());
        assert_eq!(shown_text("a = "), None);
    }

    #[test]
    fn the_reference_is_shown_as_a_configuration_that_says_the_same() {
        let text = include_str!("../../conf/dimsegate.toml");
        let shown = shown_text(text).unwrap();
        assert!(shown.text.lines().all(|line| !line.trim_start().starts_with('#')));
        assert_eq!(shown.text.lines().count(), text.lines().count());
        let (mut before, mut after): (toml::Table, toml::Table) =
            (text.parse().unwrap(), shown.text.parse().unwrap());
        assert_eq!(before.remove("notify").is_some(), after.remove("notify").is_some());
        assert_eq!(before, after);
    }
}
