//! Groups of accounts of this machine (group(5)); those of a directory service are not looked up.

/// Whether somebody is in a group: as the process said (`primary`), or by the list of its members.
pub(super) fn is_in(groups: &str, group: &str, user: Option<&str>, primary: u32) -> bool {
    let of = |line: &str| {
        let mut fields = line.split(':');
        let (name, number, members) = (fields.next()?, fields.nth(1)?, fields.next().unwrap_or_default());
        let is_member =
            || user.is_some_and(|user| members.split(',').any(|member| !member.is_empty() && member == user));
        (name == group).then(|| number.parse() == Ok(primary) || is_member())
    };
    groups.lines().find_map(of).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::is_in;

    #[test]
    fn who_is_in_a_group_is_so_by_number_or_by_name() {
        let groups = "root:x:0:\ndicom:x:210:alice,bob\nempty:x:211:\nbroken\n";
        assert!(is_in(groups, "dicom", Some("bob"), 1000));
        assert!(is_in(groups, "dicom", None, 210));
        assert!(!is_in(groups, "dicom", Some("ali"), 1000));
        assert!(!is_in(groups, "empty", Some(""), 1000));
        assert!(!is_in(groups, "none", Some("alice"), 210));
    }
}
