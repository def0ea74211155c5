//! Markup in which only this program's own text is markup.

use std::fmt::Display;

use crate::cli::words::noun;

/// A page that grows. What is not written in this source code is text.
#[derive(Debug, Default)]
pub(in crate::cli) struct Html(String);

impl Html {
    /// Markup of this program. `'static`, so that no value from a record can come this way.
    pub(in crate::cli) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// A value, as text or within a quoted attribute: markup, control and invisible characters are escaped.
    pub(in crate::cli) fn text(&mut self, value: impl Display) -> &mut Self {
        for character in value.to_string().chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '`' => self.0.push_str("&#96;"),
                c if c.is_control() || crate::identity::deceptive(c) => self.0.extend(c.escape_unicode()),
                c => self.0.push(c),
            }
        }
        self
    }

    /// `<tag>text</tag>`.
    pub(in crate::cli) fn element(
        &mut self,
        open: &'static str,
        value: impl Display,
        close: &'static str,
    ) -> &mut Self {
        self.raw(open).text(value).raw(close)
    }

    /// A value as JSON, for a script of this program's own: no character of it ends the element or begins a comment.
    pub(in crate::cli) fn json(&mut self, value: &impl serde::Serialize) -> &mut Self {
        for character in serde_json::to_string(value).unwrap_or_default().chars() {
            match character {
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    self.0.push_str(&format!("\\u{:04x}", u32::from(character)))
                }
                c => self.0.push(c),
            }
        }
        self
    }

    pub(in crate::cli) fn finish(self) -> String {
        self.0
    }
}

/// `12 345 678`, with spaces that do not break.
pub(in crate::cli) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && at % 3 == first {
            shown.push('\u{a0}');
        }
        shown.push(digit);
    }
    shown
}

/// `1 association`, `12 345 associations`.
pub(in crate::cli) fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", grouped(count), noun(count, what))
}

/// A part of a whole in hundredths, at least a visible one where it is not nothing.
pub(in crate::cli) fn percent(part: u64, whole: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let share = if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 };
    if part == 0 { "0".into() } else { format!("{:.1}", share.max(0.6)) }
}

#[cfg(test)]
mod tests {
    use super::{Html, grouped, percent};

    #[test]
    fn a_value_is_never_markup() {
        let mut html = Html::default();
        html.raw("<b title=\"").text("\" onload='x' <script>&\u{202e}\n`").raw("\">");
        assert_eq!(
            html.finish(),
            "<b title=\"&quot; onload=&#39;x&#39; &lt;script&gt;&amp;\\u{202e}\\u{a}&#96;\">"
        );
    }

    #[test]
    fn a_value_as_json_ends_no_script() {
        let mut html = Html::default();
        html.json(&"</script><!-- & \u{2028}");
        assert_eq!(html.finish(), "\"\\u003c/script\\u003e\\u003c!-- \\u0026 \\u2028\"");
    }

    #[test]
    fn numbers_are_grouped_and_shares_stay_visible() {
        assert_eq!(
            [1, 999, 1_000, 1_234_567].map(grouped),
            ["1", "999", "1\u{a0}000", "1\u{a0}234\u{a0}567"]
        );
        assert_eq!(
            [percent(0, 9), percent(1, 100_000), percent(1, 3), percent(0, 0)],
            ["0", "0.6", "33.3", "0"]
        );
    }
}
