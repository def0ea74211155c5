//! What is read of a trail that grows.

use super::*;

/// The lines that are there now.
fn text_of(reader: &mut Reader) -> String {
    let mut text = String::new();
    while let Some(line) = reader.next().unwrap() {
        text.push_str(std::str::from_utf8(line).unwrap());
        text.push(' ');
    }
    text
}

#[test]
fn only_whole_lines_are_read_and_days_follow_each_other() {
    let home = Scratch::new();
    let mut reader = Reader::new(home.path(), Position::default());
    assert_eq!(text_of(&mut reader), "");
    append(home.path(), FIRST, "one\ntw");
    append(home.path(), "forward-x.cursor", "{}");
    append(home.path(), "audit-2026-01-03.jsonl.zst", "x");
    assert_eq!(text_of(&mut reader), "one ");
    assert_eq!(text_of(&mut reader), "");
    append(home.path(), FIRST, "o\n");
    assert_eq!(reader.peek().unwrap(), Some(&b"two"[..]));
    append(home.path(), SECOND, "three\n");
    assert_eq!(reader.position().behind(home.path()).unwrap(), 10);
    assert_eq!(text_of(&mut reader), "two three ");
    let at = reader.position().clone();
    assert_eq!((at.day(), at.behind(home.path()).unwrap()), (date!(2026 - 01 - 03), 0));
    append(home.path(), SECOND, "fo");
    assert_eq!(Position::at_end(home.path()).unwrap(), at);
}

#[test]
fn a_file_that_is_gone_is_passed_over_and_one_that_shrank_is_read_again() {
    let home = Scratch::new();
    append(home.path(), SECOND, "new\n");
    for file in [FIRST, SECOND] {
        let mut reader = Reader::new(home.path(), Position { file: file.into(), offset: 77 });
        assert_eq!(text_of(&mut reader), "new ");
        assert_eq!(reader.position(), &Position { file: SECOND.into(), offset: 4 });
    }
}

#[test]
fn a_line_without_end_does_not_stop_the_others() {
    let home = Scratch::new();
    append(home.path(), FIRST, &format!("{}\nafter\n", "x".repeat(600 * 1024)));
    assert!(text_of(&mut Reader::new(home.path(), Position::default())).ends_with("x after "));
}
