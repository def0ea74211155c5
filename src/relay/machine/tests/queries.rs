//! What a role says of queries holds whatever comes in whichever pieces, and in whichever order.

use std::num::NonZeroU32;

use super::data::{element, identifier, image};
use super::peers::Ask;
use super::{Script, data_sets, done, script, statuses, told_the_same};
use crate::policy::{AttributePattern, Queries, QueryKey};

const PATIENT_NAME: u32 = 0x0010_0010;
const PATIENT_ID: u32 = 0x0010_0020;

fn one(tag: u32) -> AttributePattern {
    AttributePattern::new(u32::MAX, tag, "")
}

/// A query by a Patient ID, which also asks for so many bytes of other attributes.
fn by_id(id: &[u8], more: usize) -> Vec<u8> {
    let more = (0..more / 8).flat_map(|at| element((0x21, 0x4000 + 2 * at as u16), b"LO", &[]));
    let first = [
        element((8, 0x52), b"CS", b"STUDY "),
        element((0x10, 0x10), b"PN", &[]),
        element((0x10, 0x20), b"LO", id),
    ];
    first.concat().into_iter().chain(more).collect()
}

fn refused(id: u16, reason: &str) -> String {
    format!("FromPeer C-FIND {id} None None None ")
        + &format!("{} bytes Some(292) Some({reason:?}) true", identifier().len())
}

#[test]
fn a_query_that_is_not_allowed_is_never_heard_of_and_the_next_shows_what_it_may() {
    let queries = Queries {
        keys: Some(vec![QueryKey::new(one(PATIENT_ID), false)]),
        hide: vec![one(PATIENT_NAME)],
        ..Queries::default()
    };
    let (good, long) = (by_id(b"4711", 0), by_id(b"4711", 40_000));
    let asks = vec![Ask::Find(identifier()), Ask::Find(good.clone()), Ask::Find(long.clone())];
    let story = told_the_same(&Script { queries, ..script(asks) });
    assert_eq!(data_sets(&story.archive), [good.as_slice(), &long]);
    let all = [0x0124, 0xFF00, 0xFF00, 0xFF00, 0, 0xFF00, 0xFF00, 0xFF00, 0];
    assert_eq!(statuses(&story.requestor), all);
    let name = element((0x10, 0x10), b"PN", b"Doe^Jane");
    let shown = |pixels: usize| {
        let whole = image("1.2.3.9", pixels);
        let at = whole.windows(name.len()).position(|window| window == name).unwrap();
        [&whole[..at], &whole[at + name.len()..]].concat()
    };
    let answers: Vec<Vec<u8>> = [20, 320, 620, 20, 320, 620].into_iter().map(shown).collect();
    assert_eq!(data_sets(&story.requestor), answers);
    let done = [done("C-FIND", 2, good.len()), done("C-FIND", 3, long.len())];
    assert_eq!(story.records[0], refused(1, "query-key-hidden"));
    assert_eq!(story.records[1..], done);
}

#[test]
fn answers_beyond_those_that_there_may_be_are_withheld_and_the_archive_told_to_stop() {
    let queries = Queries { max_answers: NonZeroU32::new(1), ..Queries::default() };
    let asks = vec![Ask::FindAndCancel(identifier()), Ask::Echo];
    let story = told_the_same(&Script { queries, ..script(asks) });
    assert_eq!(statuses(&story.requestor), [0xFF00, 0xA700, 0]);
    assert_eq!(data_sets(&story.requestor), [image("1.2.3.9", 20)]);
    assert_eq!(story.archive.len(), 4, "the query, its C-CANCEL-RQ, the C-ECHO and the release");
    let over = done("C-FIND", 1, identifier().len())
        .replace("Some(0) None", &format!("Some({}) Some(\"too-many-answers\")", 0xA700));
    assert_eq!(story.records, [over, done("C-ECHO", 2, 0)]);
}
