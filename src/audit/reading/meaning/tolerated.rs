//! What of a message breaks the standard, and is read all the same.

/// Label, and what came.
type Row = (&'static str, &'static str);

/// Of a command set, of a data set, and of where it came.
pub(super) const TOLERATED: &[Row] = &[
    ("command-group-length", "the group length (0000,0000) of the command was absent or wrong"),
    ("command-order", "elements of the command were out of order"),
    ("command-padding", "a value of the command was padded as the standard does not allow"),
    ("command-elements-more", "more than eight elements of the command do not belong there"),
    ("response-context", "the response came in another accepted presentation context"),
    ("data-set-order", "elements of the data set were out of order"),
    ("data-set-vr", "a VR in the data set was ?? or blank"),
    ("data-set-delimiter", "a delimiter stood where a sequence or item of defined length ends"),
    ("data-set-file-meta", "elements of group 0002 stood in the data set"),
    ("data-set-trailing-nuls", "NULs stood behind the last element of the data set"),
    ("data-set-without-sop-class", "the data set names no SOP class; the command alone does"),
    ("data-set-without-sop-instance", "the data set names no SOP instance; the command alone does"),
    (
        "data-set-not-compared",
        "the transfer syntax is unknown, so that the data set was not compared with the command",
    ),
];

/// Before the tag of an element that was left out.
const ELEMENT: &str = "command-element-";
/// Before a label that is about a response.
const RESPONSE: &str = "response-";

/// In words; `None` for a label that is not known.
pub(super) fn words(label: &str) -> Option<String> {
    if let Some(words) = TOLERATED.iter().find(|row| row.0 == label).map(|row| row.1) {
        return Some(words.to_owned());
    }
    if let Some(of_command) = label.strip_prefix(RESPONSE) {
        return words(of_command).map(|words| format!("in a response: {words}"));
    }
    let tag = label.strip_prefix(ELEMENT).filter(|tag| tag.len() == 8 && tag.is_ascii())?;
    let (group, element) = tag.split_at_checked(4)?;
    Some(format!("element ({group},{element}) does not belong in the command, or not so, and was left out"))
}
