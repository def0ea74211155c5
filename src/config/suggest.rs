//! The name that was probably meant.

/// The nearest of `candidates`, if it is near enough to be a typing error.
pub(crate) fn nearest<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted: String = text.chars().take(64).flat_map(char::to_lowercase).collect();
    let distance = |candidate: &str| strsim::levenshtein(&wanted, &candidate.to_lowercase());
    let near = candidates.into_iter().map(|candidate| (distance(candidate), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= 1 + wanted.chars().count() / 4).then_some(candidate)
}

/// "did you mean …", or what else to write.
pub(super) fn or_list<'c>(text: &str, candidates: impl IntoIterator<Item = &'c str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(text, candidates.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None if candidates.is_empty() => "none is configured".into(),
        None => {
            let more = if candidates.len() > 16 { ", …" } else { "" };
            let shown: Vec<&str> = candidates.into_iter().take(16).collect();
            format!("write one of {}{more}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_are_near_and_other_words_are_not() {
        let keys = ["networks", "calling-ae-titles", "called-ae-titles", "role"];
        assert_eq!(nearest("network", keys), Some("networks"));
        assert_eq!(nearest("calling_ae_title", keys), Some("calling-ae-titles"));
        assert_eq!(nearest("rôle", keys), Some("role"));
        assert_eq!(nearest("certificates", keys), None);
        assert_eq!(nearest("", keys), None);
        assert_eq!(nearest("x", []), None);
    }
}
