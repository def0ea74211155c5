//! `burned-in = "mask"`: rectangles, and the memory for what is decoded.

use super::material::{GOOD, Material, errors};
use crate::scratch::Scratch;

/// A good configuration and a rewrite with these lines, and the folder that its secret is in.
fn with(lines: &str) -> (Scratch, String) {
    let dir = Scratch::new();
    let secret = dir.path().join("key");
    std::fs::write(&secret, [b'k'; 32]).unwrap();
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let table = "[[rewrite]]\nname = \"w\"\nprofile = \"basic\"\n";
    (dir, format!("{GOOD}{table}secret-file = \"{}\"\n{lines}\n", secret.display()))
}

fn found(lines: &str) -> Vec<String> {
    let (_dir, text) = with(lines);
    errors(&text)
}

#[test]
fn masks_are_checked_where_they_stand() {
    let mask = |keys: &str| found(&format!("burned-in = \"mask\"\nmasks = [{{ {keys} }}]"));
    assert_eq!(mask("rectangles = [[0, 0, 65535, 1]]"), Vec::<String>::new());
    let texts = "modality = \"US\", image-type = \"SECONDARY\", series-description = \"*dose*\"";
    assert_eq!(mask(&format!("{texts}, rectangles = [[0, 0, 9, 1]]")), Vec::<String>::new());
    for key in ["known-devices", "ultrasound-regions"] {
        assert_eq!(
            found(&format!("burned-in = \"mask\"\n{key} = true")),
            Vec::<String>::new(),
            "without a list"
        );
        assert!(found(&format!("burned-in = \"mask\"\n{key} = false"))[0].contains("masks: is missing"));
        let idle = found(&format!("{key} = true"));
        assert!(idle.len() == 1 && idle[0].contains("needs burned-in = \"mask\""), "{idle:?}");
    }
    let all = "sop-class = \"UltrasoundImageStorage\", manufacturer = \"ACME\", model = \"X\", rows = 9, columns = 9";
    assert_eq!(mask(&format!("{all}, rectangles = [[0, 0, 9, 1], [8, 8, 1, 1]]")), Vec::<String>::new());
    for (keys, expected) in [
        ("rows = 9", "masks[0].rectangles: is missing"),
        ("rectangles = []", "masks[0].rectangles: holds 0 rectangles"),
        ("rectangles = [[0, 0, 9]]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [[0, 0, 9, 1.5]]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [0, 0, 9, 1]", "masks[0].rectangles[0]: cannot be read"),
        ("rectangles = [[0, 0, 0, 1]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rectangles = [[0, -1, 2, 2]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rectangles = [[65535, 0, 2, 2]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rows = 8, rectangles = [[0, 8, 1, 1]]", "masks[0].rectangles[0]: does not lie in the image"),
        ("rows = 0, rectangles = [[0, 0, 1, 1]]", "masks[0].rows: is out of range"),
        ("sop-class = \"CT\", rectangles = [[0, 0, 1, 1]]", "is neither a UID nor a known keyword"),
        ("modell = \"X\", rectangles = [[0, 0, 1, 1]]", "did you mean \"model\"?"),
    ] {
        let found = mask(keys);
        assert!(!found.is_empty() && found[0].contains(expected), "{keys}: {found:?}");
    }
    assert!(found("burned-in = \"mask\"")[0].contains("masks: is missing"));
    let one = "burned-in = \"mask\"\nmasks = [{ rectangles = [[0, 0, 1, 1]] }]\n";
    assert_eq!(
        found(&format!("{one}compressed-pixels = \"decode\"\nlargest-frame = \"1MiB\"")),
        Vec::<String>::new()
    );
    assert_eq!(found("tolerance = \"strict\""), Vec::<String>::new());
    let other = found("tolerance = \"lenient\"");
    assert!(other.len() == 1 && other[0].contains("tolerance"), "{other:?}");
    let idle = found(&format!("{one}largest-frame = \"1MiB\""));
    assert!(idle[0].contains("largest-frame: needs compressed-pixels = \"decode\""), "{idle:?}");
    for key in
        ["masks = [{ rectangles = [[0, 0, 1, 1]] }]", "unmasked = \"pass\"", "compressed-pixels = \"decode\""]
    {
        let found = found(key);
        assert!(found.len() == 1 && found[0].contains("needs burned-in = \"mask\""), "{found:?}");
    }
}

#[test]
fn memory_to_decode_in_is_enough_for_the_largest_frame() {
    let one = "burned-in = \"mask\"\nmasks = [{ rectangles = [[0, 0, 1, 1]] }]\n";
    let little = "[limits]\ndecoding-memory = \"100MiB\"\n";
    let lines = |largest: &str| format!("{one}compressed-pixels = \"decode\"\n{largest}\n{little}");
    let small = found(&lines(""));
    assert!(
        small.len() == 1 && small[0].contains("limits.decoding-memory: is less than the 470286336 bytes"),
        "{small:?}"
    );
    assert_eq!(found(&lines("largest-frame = \"14MiB\"")), Vec::<String>::new());
    let risks = |size: &str| {
        let (_dir, text) = with(&lines(&format!("largest-frame = \"{size}\"")));
        let risks = Material::shared().risks(&text);
        risks.into_iter().filter(|risk| risk.contains("decoding-memory")).collect::<Vec<_>>()
    };
    assert_eq!(risks("4MiB"), Vec::<String>::new());
    assert!(risks("12MiB")[0].contains("is less than twenty times largest-frame and 512 KiB: of JPEG 2000"));
    assert!(risks("14MiB")[0].contains("is less than eight times largest-frame"));
}
