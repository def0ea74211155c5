//! Colour, only where somebody sees it.

use std::io::IsTerminal;

/// Whether to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// No colour.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// Colour when standard output is a terminal that can, and nobody asked for none (<https://no-color.org>).
    pub(crate) fn of_standard_output() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let incapable = std::env::var_os("TERM").is_none_or(|terminal| terminal == "dumb");
        Self { coloured: std::io::stdout().is_terminal() && !unwanted && !incapable }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// An amount of bytes as people say it.
pub(crate) fn bytes(amount: u64) -> String {
    #[allow(clippy::cast_precision_loss)]
    let amount_or_so = amount as f64;
    match amount {
        0..1_000 => format!("{amount} bytes"),
        1_000..1_000_000 => format!("{:.1} kB", amount_or_so / 1e3),
        _ => format!("{:.1} MB", amount_or_so / 1e6),
    }
}
