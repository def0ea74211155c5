//! `[backup]`: how often one is to be made, and for whom.

use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;

use super::report::Wrong;
use super::section::Section;
use crate::backup::{Last, Recipient};

/// Whom backups are for. Tells of a last one that is older than it should be; the folder of the state knows of it.
pub(super) fn recipients(root: &Section<'_>, state: &Path) -> Vec<Recipient> {
    let Some(section) = root.table("backup") else { return Vec::new() };
    if let Some(every) = section.optional_duration("every") {
        risks(&section, state, every);
    }
    let named = section.list("recipients", recipient).unwrap_or_default();
    named.into_iter().map(|one| one.value).collect()
}

fn recipient(text: &str) -> Result<Recipient, Wrong> {
    let remedy = "write a public key as age-keygen and dimsegate audit identity print it";
    text.parse().map_err(|_| Wrong::new("is not a public key of age (age1…)", remedy))
}

fn risks(section: &Section<'_>, folder: &Path, every: Duration) {
    let remedy = "type: dimsegate backup -c FILE -o FILE.age";
    let place = section.place_of("every");
    let last = match Last::in_folder(folder) {
        Ok(last) => last,
        Err(error) => {
            let problem = format!(
                "nobody can tell when the last backup was made: backup.last in {}: {error}",
                folder.display()
            );
            return section.report.risk(&place, problem, remedy);
        }
    };
    match last.as_ref().and_then(|last| Some((last, last.time()?))) {
        None => section.report.risk(&place, "no backup was made yet", remedy),
        Some((last, made)) if OffsetDateTime::now_utc() - made > every => {
            section.report.risk(&place, format!("the last backup is older: of {}", last.made), remedy);
        }
        Some(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::backup::Identity;
    use crate::config::{load, sample};
    use crate::scratch::Scratch;

    #[test]
    fn recipients_are_public_keys_and_a_time_without_a_unit_is_none() {
        let home = Scratch::new();
        let public = Identity::generate().unwrap().0.public().to_string();
        let loaded = sample::read(home.path(), &format!("[backup]\nrecipients = [\"{public}\"]\n"));
        assert_eq!(loaded.settings.backup_recipients.len(), 1);
        assert!(!loaded.warnings.iter().any(|one| one.key.contains("backup")), "nobody asked for any");
        let file = home.path().join("dimsegate.toml");
        let text = fs::read_to_string(&file).unwrap();
        for (right, wrong) in [(public.as_str(), "age1x"), ("recipients", "every = 7\nrecipients")] {
            fs::write(&file, text.replacen(right, wrong, 1)).unwrap();
            let problems = load(&file).unwrap_err();
            assert_eq!(problems.errors.len(), 1, "{problems}");
            assert!(problems.errors[0].key.starts_with("backup."), "{problems}");
        }
    }
}
