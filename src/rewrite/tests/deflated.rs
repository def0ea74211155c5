//! Deflated data sets: the same rules, and bombs.

use std::io::{Read, Write};
use std::sync::Arc;

use super::support::*;
use crate::rewrite::{Output, RewriteError, RewriteProblem, Ruleset, RulesetSpec, Step, Transform};
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn inflate(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    DeflateDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

fn image(name: Option<&str>) -> Vec<u8> {
    let noise: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let data = name.into_iter().fold(Data::image(LE), |data, name| data.text((0x10, 0x10), b"PN", name));
    data.element((0x7FE0, 0x10), b"OB", &noise).bytes
}

fn send(input: &[u8], sizes: &[usize]) -> Result<Vec<u8>, RewriteError> {
    run_in(transform(&[rule("PatientName", "remove")], DEFLATED), input, sizes).map(|(sent, _)| sent)
}

#[test]
fn they_are_rewritten_inside_at_any_chunking() {
    let input = deflate(&image(Some("DOE")));
    for sizes in [&[1][..], &[4096], &[usize::MAX]] {
        let sent = send(&input, sizes).unwrap();
        assert_eq!(inflate(&sent), image(None));
        assert_eq!(sent.len() % 2, 0);
    }
    let padded = [&input[..], &[0]].concat();
    assert_eq!(inflate(&send(&padded, &[1000]).unwrap()), image(None));
}

#[test]
fn a_gzip_trailer_behind_the_stream_is_known_and_does_not_go_on() {
    let plain = image(Some("DOE"));
    let mut sum = flate2::Crc::new();
    sum.update(&plain);
    let trailer = [sum.sum().to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat();
    let input = [deflate(&plain), trailer.clone()].concat();
    for sizes in [&[1][..], &[usize::MAX]] {
        assert_eq!(inflate(&send(&input, sizes).unwrap()), image(None));
        assert_eq!(inflate(&send(&[&input[..], &[0]].concat(), sizes).unwrap()), image(None));
        for behind in [&trailer[..7], b"\0DOE\0JOE", b"\0\0"] {
            let error = send(&[&input[..], behind].concat(), sizes).unwrap_err();
            assert_eq!(error.problem, RewriteProblem::Inflate);
        }
        let wrong = [deflate(&plain), vec![1; 8]].concat();
        assert_eq!(send(&wrong, sizes).unwrap_err().problem, RewriteProblem::Inflate);
    }
}

#[test]
fn an_identity_does_not_look_inside() {
    let input = deflate(&image(Some("DOE")));
    assert_eq!(run_in(Transform::identity(), &input, &[4096]).unwrap().0, input);
}

#[test]
fn what_ends_early_or_goes_on_is_refused() {
    let input = deflate(&image(Some("DOE")));
    for end in [0, 1, 100, input.len() / 2, input.len() - 1] {
        assert_eq!(
            send(&input[..end], &[512]).unwrap_err().problem,
            RewriteProblem::InflateTruncated,
            "{end}"
        );
    }
    let behind = [&input[..], b"\0\0"].concat();
    assert_eq!(send(&behind, &[1]).unwrap_err().problem, RewriteProblem::Inflate);
    assert_eq!(send(&[0xFF; 100], &[512]).unwrap_err().problem, RewriteProblem::Inflate);
    let cut = deflate(&image(Some("DOE"))[..5000]);
    assert_eq!(send(&cut, &[512]).unwrap_err().status, 0xC000);
}

#[test]
fn bombs_are_refused_before_they_go_off() {
    let bomb = |zeros: usize| deflate(&Data::image(LE).element((0x7FE0, 0x10), b"OB", &vec![0; zeros]).bytes);
    let ratio = bomb(64 << 20);
    assert!(ratio.len() < 70_000);
    let error = send(&ratio, &[512]).unwrap_err();
    assert_eq!((error.problem, error.status), (RewriteProblem::InflatedSize, 0xC001));
    assert!(send(&bomb(900_000), &[512]).is_ok(), "the first MiB is free");
    let spec = RulesetSpec { max_inflated: 500_000, ..spec(&[]) };
    let rules = Arc::new(Ruleset::compile(spec).unwrap());
    let mut capped = Transform::new(rules, DEFLATED, expected());
    assert_eq!(
        capped.push(&bomb(900_000), &mut Output::new()).unwrap_err().problem,
        RewriteProblem::InflatedSize
    );
}

#[test]
fn a_few_bytes_that_become_many_take_many_steps() {
    let pixels: Vec<u8> = (0..20_u32 << 20).map(|number| (number >> 7) as u8).collect();
    let bytes = deflate(&Data::image(LE).element((0x7FE0, 0x10), b"OB", &pixels).bytes);
    let mut transform = Transform::new(ruleset(&[]), DEFLATED, expected());
    let (mut at, mut steps, mut output) = (0, 0, Output::new());
    loop {
        output.clear();
        match transform.step(&bytes, &mut at, &mut output).unwrap() {
            Step::Done => break,
            Step::More => steps += 1,
            other => panic!("{other:?}"),
        }
        assert!(output.len() < 256 << 10);
    }
    assert!(at == bytes.len() && steps > 100, "{steps} steps");
}
