//! What of a message breaks the standard, and is read all the same.

words! {
    /// What of a message breaks the standard, and has one reading all the same.
    Tolerance {
        CommandGroupLength = "command-group-length",
            "the group length (0000,0000) of the command was absent or wrong", "the sender's software";
        CommandOrder = "command-order",
            "elements of the command were out of order", "the sender's software";
        CommandPadding = "command-padding",
            "a value of the command was padded as the standard does not allow", "the sender's software";
        CommandElementsMore = "command-elements-more",
            "more than eight elements of the command do not belong there", "the sender's software";
        ResponseContext = "response-context",
            "the response came in another accepted presentation context", "the sender's software";
        DataSetOrder = "data-set-order",
            "elements of the data set were out of order", "the sender's software";
        DataSetVr = "data-set-vr",
            "a VR in the data set was ?? or blank", "the sender's software";
        DataSetDelimiter = "data-set-delimiter",
            "a delimiter stood where a sequence or item of defined length ends", "the sender's software";
        DataSetFileMeta = "data-set-file-meta",
            "elements of group 0002 stood in the data set", "the sender's software";
        DataSetTrailingNuls = "data-set-trailing-nuls",
            "NULs stood behind the last element of the data set", "the sender's software";
        DataSetRepeated = "data-set-repeated",
            "an element of the data set came twice with the same value", "the sender's software";
        DataSetMisfit = "data-set-misfit",
            "a value of the data set was not legal for its VR, or its VR was not that of the attribute, and a profile emptied, replaced or removed it",
            "the sender's software";
        DataSetWithoutSopClass = "data-set-without-sop-class",
            "the data set names no SOP class; the command alone does", "the sender's software";
        DataSetWithoutSopInstance = "data-set-without-sop-instance",
            "the data set names no SOP instance; the command alone does", "the sender's software";
        DataSetNotCompared = "data-set-not-compared",
            "the transfer syntax is unknown and the data set can be read otherwise, so that it was not compared with the command",
            "whether that transfer syntax was meant";
        DataSetNotRead = "data-set-not-read",
            "the data set could not be read as far as the record wants to know: what it says of patient, study or query may be missing",
            "the sender's software";
    }
}

/// Before the tag of an element that was left out.
const ELEMENT: &str = "command-element-";
/// Before a label that is about a response.
pub const OF_RESPONSE: &str = "response-";

/// The label for an element that does not belong in the command and was left out, by its tag.
pub fn left_out(group: u16, element: u16) -> String {
    format!("{ELEMENT}{group:04X}{element:04X}")
}

/// A label of `tolerated` in words, of a response and of an element that was left out too; `None` for one that is not known.
pub fn of_tolerated(label: &str) -> Option<String> {
    if let Some(tolerance) = Tolerance::of(label) {
        return Some(tolerance.word().what.to_owned());
    }
    if let Some(of_command) = label.strip_prefix(OF_RESPONSE) {
        return of_tolerated(of_command).map(|words| format!("in a response: {words}"));
    }
    let tag = label.strip_prefix(ELEMENT).filter(|tag| tag.len() == 8 && tag.is_ascii())?;
    let (group, element) = tag.split_at_checked(4)?;
    Some(format!("element ({group},{element}) does not belong in the command, or not so, and was left out"))
}
