//! Help texts as wide as the screen.
//!
//! clap wraps the help of options. What stands behind them is text of ours, which it would break without a thought: lists
//! lose their indentation, commands can no longer be copied. So that is laid out here, and so are usages that are too long.

use clap::Command;

use super::table::screen;

/// clap's own bound.
const WIDEST: usize = 100;
const USAGE: &str = "Usage: ";
/// How much deeper the rest of a long command stands.
const DEEPER: usize = 4;
/// What a term means stands below it where there is less room behind it.
const NARROWEST: usize = 12;

/// The command with its texts laid out for the screen, and those of all below it.
pub(super) fn fitted(command: Command) -> Command {
    let mut built = command.clone();
    built.build();
    fit(command, &mut built, screen(WIDEST).min(WIDEST))
}

/// `built` is the same command, which knows what it is called.
fn fit(command: Command, built: &mut Command, width: usize) -> Command {
    let after = command.get_after_help().map(|text| laid_out(&text.to_string(), width));
    let command = after.into_iter().fold(command, Command::after_help);
    let usage = built.render_usage().to_string();
    let usage = usage.strip_prefix(USAGE).filter(|_| usage.chars().count() > width);
    let usage =
        usage.map(|usage| wrapped(usage, width.saturating_sub(USAGE.len()), 0, 0).replace('\n', "\n       "));
    let command = usage.into_iter().fold(command, Command::override_usage);
    command.mut_subcommands(|below| match built.find_subcommand_mut(below.get_name()) {
        Some(built) => fit(below, built, width),
        None => below,
    })
}

/// A text for a screen of this width.
pub(super) fn laid_out(text: &str, width: usize) -> String {
    parts(text).iter().map(|part| part_laid_out(part, width)).collect::<Vec<_>>().join("\n")
}

/// Paragraphs, and under headings commands and lists, as they stand in the source at any width: lines that begin in the first
/// column are one paragraph up to an empty line or to one that is indented; a line that is indented is a command, or where
/// it has two blanks inside, a term with what it means; one that is indented deeper goes on with the line above.
pub(super) fn parts(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for line in text.lines() {
        let goes_on = match indentation(line) {
            _ if line.trim().is_empty() => false,
            0 => parts.last().is_some_and(|last| indentation(last) == 0 && !last.is_empty()),
            depth => parts.last().is_some_and(|last| indentation(last) > 0 && depth > indentation(last)),
        };
        match parts.last_mut().filter(|_| goes_on) {
            Some(last) => {
                last.truncate(last.trim_end_matches(['\\', ' ']).len());
                last.push(' ');
                last.push_str(line.trim());
            }
            None => parts.push(line.trim_end().to_owned()),
        }
    }
    parts
}

fn part_laid_out(part: &str, width: usize) -> String {
    let indent = indentation(part);
    if part.chars().count() <= width {
        return part.to_owned();
    }
    match (indent, meaning(part)) {
        (0, _) => wrapped(part, width, 0, 0),
        (indent, Some(column)) => {
            let (term, meaning) = part.split_at(column);
            let column = term.chars().count();
            if width < column + NARROWEST {
                let depth = indent + DEEPER;
                return format!("{}\n{}", term.trim_end(), wrapped(meaning, width, depth, depth));
            }
            let lines = wrapped(meaning, width.saturating_sub(column), 0, 0);
            format!("{term}{}", lines.replace('\n', &format!("\n{}", " ".repeat(column))))
        }
        (indent, None) => command(part, width, indent + DEEPER),
    }
}

/// Where what a term means begins: behind the first two blanks that follow something.
pub(super) fn meaning(part: &str) -> Option<usize> {
    let indent = indentation(part);
    let gap = part.get(indent..)?.find("  ")? + indent;
    Some(gap + indentation(part.get(gap..)?))
}

pub(super) fn indentation(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Words in lines of at most `width`; `first` and `others` are the blanks before them.
fn wrapped(text: &str, width: usize, first: usize, others: usize) -> String {
    lines(text.split_whitespace(), width, first, others).join("\n")
}

/// A command that a shell reads as one, though it takes several lines.
fn command(text: &str, width: usize, others: usize) -> String {
    let mut lines =
        lines(arguments(text).into_iter(), width.saturating_sub(" \\".len()), indentation(text), others);
    // Behind the last one nothing goes on.
    if let [.., before, last] = lines.as_mut_slice()
        && before.chars().count() + 1 + last.trim_start().chars().count() <= width
    {
        *before = format!("{before} {}", last.trim_start());
        lines.pop();
    }
    lines.join(" \\\n")
}

fn lines<'t>(words: impl Iterator<Item = &'t str>, width: usize, first: usize, others: usize) -> Vec<String> {
    let mut lines = vec![" ".repeat(first)];
    let mut is_begun = false;
    for word in words {
        let used = lines.last().map_or(0, |line| line.chars().count());
        if is_begun && used + 1 + word.chars().count() > width {
            lines.push(" ".repeat(others));
            is_begun = false;
        }
        if let Some(line) = lines.last_mut() {
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
        }
        is_begun = true;
    }
    lines
}

/// What a line may be broken between: an option stays with its value, what is quoted or in brackets in one piece.
fn arguments(text: &str) -> Vec<&str> {
    let (mut quote, mut depth, mut start) = (None, 0_usize, 0);
    let mut found: Vec<&str> = Vec::new();
    let text = text.trim();
    let ends = text.char_indices().filter_map(|(at, c)| {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        (c == ' ' && quote.is_none() && depth == 0).then_some(at)
    });
    for end in ends.chain([text.len()]) {
        let word = text.get(start..end).unwrap_or_default();
        let is_value = !word.starts_with('-') && found.last().is_some_and(|last| is_option(last));
        match found.last_mut().filter(|_| is_value) {
            // Both are slices of `text`, one behind the other.
            Some(last) => *last = text.get(end - word.len() - 1 - last.len()..end).unwrap_or(word),
            None => found.push(word),
        }
        start = end + 1;
    }
    found
}

fn is_option(word: &str) -> bool {
    word.starts_with('-') && !word.contains(' ') && word != "-"
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory};

    use super::{arguments, fit, laid_out};
    use crate::cli::Cli;

    const TEXT: &str = "\
Example:
  dimsegate audit search audit --issuer 'CN=Lyon CA*' --who
  dimsegate explain -c FILE --listener remote \\
    --from 203.0.113.7

Signals:
  HUP   reads
        it all again
  TERM  stops

What stands in two
lines is one paragraph.";

    #[test]
    fn what_fits_stands_on_one_line() {
        let expected = "\
Example:
  dimsegate audit search audit --issuer 'CN=Lyon CA*' --who
  dimsegate explain -c FILE --listener remote --from 203.0.113.7

Signals:
  HUP   reads it all again
  TERM  stops

What stands in two lines is one paragraph.";
        assert_eq!(laid_out(TEXT, 80), expected);
    }

    #[test]
    fn what_does_not_fit_keeps_its_shape() {
        let expected = "\
Example:
  dimsegate audit search audit \\
      --issuer 'CN=Lyon CA*' --who
  dimsegate explain -c FILE \\
      --listener remote \\
      --from 203.0.113.7

Signals:
  HUP   reads it all again
  TERM  stops

What stands in two lines is one
paragraph.";
        assert_eq!(laid_out(TEXT, 34), expected);
        assert!(laid_out(TEXT, 22).contains("  HUP   reads it all\n        again\n"));
    }

    #[test]
    fn what_a_term_means_stands_below_it_where_the_screen_is_narrow() {
        let text = "Begin with:\n  dimsegate check -c FILE   every problem at once";
        assert!(laid_out(text, 40).contains("FILE   every\n"));
        assert_eq!(laid_out(text, 39), "Begin with:\n  dimsegate check -c FILE\n      every problem at once");
    }

    /// The words behind the options of a command and of all below it.
    fn words(command: &Command, all: &mut Vec<String>) {
        let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        all.extend(text.split_whitespace().filter(|word| *word != "\\").map(str::to_owned));
        command.get_subcommands().for_each(|below| words(below, all));
    }

    #[test]
    fn every_text_is_whole_on_a_screen_of_any_width() {
        let mut expected = Vec::new();
        words(&Cli::command(), &mut expected);
        for width in 20..=60 {
            let mut built = Cli::command();
            built.build();
            let mut found = Vec::new();
            words(&fit(Cli::command(), &mut built, width), &mut found);
            assert!(found == expected, "{width}");
        }
    }

    #[test]
    fn a_command_is_broken_between_what_belongs_together() {
        assert_eq!(
            arguments("  (umask 077; x) | d -c FILE --who --patient - > 'a b'"),
            ["(umask 077; x)", "|", "d", "-c FILE", "--who", "--patient", "-", ">", "'a b'"]
        );
    }
}
