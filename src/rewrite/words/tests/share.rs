//! Of what is kept how much, over texts that are written down with what identifies somebody in braces.

use super::cleaned;

const README: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/README.md"));
const TEXTS: [(&str, &str); 7] = [
    ("English", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/english.txt"))),
    ("French", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/french.txt"))),
    ("German", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/german.txt"))),
    ("Spanish", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/spanish.txt"))),
    ("Italian", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/italian.txt"))),
    ("Dutch", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/dutch.txt"))),
    ("files of pydicom", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/words/pydicom.txt"))),
];
/// Of a hundred words that identify nobody.
const AIM: usize = 85;
/// Texts in English, and in each other list.
const FEWEST: [usize; 2] = [60, 30];

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect()
}

/// A line without braces; its words in braces, and those outside.
fn read(line: &str) -> (String, Vec<&str>, Vec<&str>) {
    let mut parts = [Vec::new(), Vec::new()];
    for (index, part) in line.split(['{', '}']).enumerate() {
        parts[index % 2].extend(words(part));
    }
    let [others, identifiers] = parts;
    (line.replace(['{', '}'], ""), identifiers, others)
}

/// What is left of a text, without the marks.
fn left(text: &str) -> String {
    let cleaned = cleaned(text);
    let mut parts = cleaned.split("[...");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |left, part| left + " " + part.split_once(']').map_or("", |(_, behind)| behind))
}

#[test]
fn most_words_stay_and_no_identifier_does() {
    for (index, (list, texts)) in TEXTS.into_iter().enumerate() {
        let lines: Vec<&str> =
            texts.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
        assert!(lines.len() >= FEWEST[index.min(1)], "{list}");
        let (mut all, mut kept) = (0, 0);
        for line in lines {
            let (text, identifiers, others) = read(line);
            let left = left(&text);
            let left = words(&left);
            for identifier in identifiers {
                let elsewhere = others.iter().filter(|word| **word == identifier).count();
                let stays = left.iter().filter(|word| **word == identifier).count();
                assert!(stays <= elsewhere, "{identifier} stays in {line:?}");
            }
            (all, kept) = (all + others.len(), kept + left.len());
        }
        assert!(kept * 100 >= AIM * all, "{list}: {kept} of {all}");
        let told = format!("{list} {} %", kept * 100 / all);
        assert!(README.contains(&told), "conf/README.md has to say: {told}");
    }
}
