//! One line of a list, in its fields (RFC 4180, without line breaks inside of quotes).

use std::borrow::Cow;

/// Fields that a line may have.
const MOST: usize = 16;

/// What is wrong with a line.
pub(super) type Wrong = &'static str;

/// The fields of a line, without blanks around them.
///
/// # Errors
/// What is wrong with it.
pub(super) fn fields(line: &str) -> Result<Vec<Cow<'_, str>>, Wrong> {
    let (mut all, mut rest) = (Vec::new(), line);
    loop {
        if all.len() == MOST {
            return Err("has more than 16 fields");
        }
        let (field, behind) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => within_quotes(quoted)?,
            None => match rest.split_once(',') {
                Some((field, behind)) => (Cow::Borrowed(field), Some(behind)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        if field.chars().any(char::is_control) {
            return Err("has a control character");
        }
        all.push(match field {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
            Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
        });
        match behind {
            Some(behind) => rest = behind,
            None => return Ok(all),
        }
    }
}

/// A field and what comes behind its comma; `None`: it is the last one.
type Field<'l> = (Cow<'l, str>, Option<&'l str>);

fn within_quotes(quoted: &str) -> Result<Field<'_>, Wrong> {
    let mut text = String::new();
    let mut rest = quoted;
    loop {
        let (before, behind) = rest.split_once('"').ok_or("has a quote that nothing closes")?;
        text.push_str(before);
        match behind.strip_prefix('"') {
            Some(behind) => {
                text.push('"');
                rest = behind;
            }
            None => {
                let behind = behind.trim_start_matches(' ');
                return match (behind.strip_prefix(','), behind.is_empty()) {
                    (Some(behind), _) => Ok((text.into(), Some(behind))),
                    (None, true) => Ok((text.into(), None)),
                    (None, false) => Err("has text behind a closing quote"),
                };
            }
        }
    }
}
