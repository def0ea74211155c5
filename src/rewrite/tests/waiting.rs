//! What waits for the patient: as much as may, in memory that is shared, and in the order in which it came.

use std::sync::Arc;

use proptest::prelude::*;

use super::profile_rows::profile;
use super::support::*;
use crate::buffer::Shelf;
use crate::dataset::Encoding;
use crate::rewrite::{Output, ProfileOption, RewriteError, RewriteProblem, Ruleset, Transform};

/// As a segmentation over so many slices has it: their UIDs stand before the patient.
fn derived(encoding: Encoding, slices: usize, defined: bool) -> Data {
    let instance = |number: usize| {
        let uid = format!("1.2.826.0.1.3680043.8.498.{:040}", number + 1);
        Data::new(encoding).text((8, 0x1150), b"UI", CLASS).text((8, 0x1155), b"UI", &uid)
    };
    let instances: Vec<Data> = (0..slices).map(instance).collect();
    let series = Data::new(encoding).sequence((8, 0x114A), defined, &instances).text(
        (0x20, 0xE),
        b"UI",
        "1.2.826.0.1.3680043.8.498.7",
    );
    Data::image(encoding)
        .text((8, 0x20), b"DA", "20200229")
        .text((8, 0x103E), b"LO", "seen with Doe")
        .sequence((8, 0x1115), defined, &[series])
        .text((0x10, 0x10), b"PN", "DOE^JANE")
        .text((0x10, 0x20), b"LO", "PID-1")
        .text((0x18, 0x1030), b"LO", "of Jane")
        .text((0x20, 0x10), b"SH", "S-77-1")
        .text((0x70, 0x81), b"LO", "Doe's lesion")
}

fn rules() -> Arc<Ruleset> {
    profile(&[ProfileOption::RetainLongitudinalModifiedDates])
}

fn of(rules: &Arc<Ruleset>, encoding: Encoding) -> Transform {
    Transform::new(Arc::clone(rules), encoding, expected())
}

#[test]
fn an_object_over_two_thousand_slices_passes() {
    let rules = rules();
    for defined in [true, false] {
        let data = derived(LE, 2000, defined);
        assert!(data.bytes.len() > 200 << 10);
        let whole = run_in(of(&rules, LE), &data.bytes, &[usize::MAX]).unwrap().0;
        for sizes in [&[16 << 10][..], &[1, 100_000, 7], &[65_536, 3]] {
            assert!(run_in(of(&rules, LE), &data.bytes, sizes).unwrap().0 == whole);
        }
        assert!(!whole.windows(8).any(|part| part == b"20200229"));
        let text = String::from_utf8_lossy(&whole).to_lowercase();
        assert!(!text.contains("doe") && text.contains("***'s lesion"));
        // Every reference has a new UID.
        assert_eq!(text.matches("2.25.").count(), 2000 + 2);
    }
}

#[test]
fn a_deflated_one_passes_too() {
    let rules = rules();
    let data = derived(LE, 2000, false);
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, &data.bytes).unwrap();
    let deflated = encoder.finish().unwrap();
    let sent = run_in(of(&rules, DEFLATED), &deflated, &[1000]).unwrap().0;
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::DeflateDecoder::new(sent.as_slice()), &mut plain).unwrap();
    assert!(plain == run_in(of(&rules, LE), &data.bytes, &[usize::MAX]).unwrap().0);
}

#[test]
fn no_more_waits_than_may() {
    let rules = rules();
    let data = derived(LE, 2000, false);
    let problem = |most: u64, size: usize| {
        run_in(of(&rules, LE).waiting_with(most), &data.bytes, &[size])
            .map(|_| ())
            .map_err(|error| (error.status, error.problem))
    };
    for size in [usize::MAX, 1000] {
        assert_eq!(problem(100 << 10, size), Err((0xC003, RewriteProblem::IdentifiersTooLate)));
        assert_eq!(problem(1 << 20, size), Ok(()));
    }
}

/// Pushes without an end, so that what is held stays.
fn begun(transform: &mut Transform, bytes: &[u8]) -> Result<usize, RewriteError> {
    let (mut output, mut sent) = (Output::new(), 0);
    for chunk in bytes.chunks(16 << 10) {
        output.clear();
        transform.push(chunk, &mut output)?;
        sent += output.len();
    }
    Ok(sent)
}

#[test]
fn all_that_wait_share_one_memory_and_give_it_back() {
    let rules = rules();
    let data = derived(LE, 2000, false);
    // Up to the patient, and so much that all of it has to lie on the shelf.
    let header = &data.bytes[..data.bytes.len() - 200];
    let shelf = Shelf::new(1 << 20, 0);
    let of_peer = |peer: &str| of(&rules, LE).waiting_in(shelf.corner(peer.into()));
    let mut all: Vec<Transform> = (0..3).map(|_| of_peer("many")).collect();
    for transform in &mut all {
        assert_eq!(begun(transform, header).unwrap(), 0, "nothing goes before the patient is known");
    }
    assert!(shelf.taken() > 3 * header.len());
    let error = begun(&mut of_peer("many"), header).unwrap_err();
    assert_eq!((error.status, error.problem), (0xA700, RewriteProblem::NoRoomForHeader));
    // Who holds less takes what it needs from who holds more, and nobody waits for anybody.
    let mut other = of_peer("other");
    begun(&mut other, header).unwrap();
    let whole = run_in(of(&rules, LE), &data.bytes, &[usize::MAX]).unwrap().0;
    assert_eq!(begun(&mut other, &data.bytes[header.len()..]).map(|sent| sent > 100_000), Ok(true));
    let results: Vec<_> = all.iter_mut().map(|one| begun(one, &data.bytes[header.len()..])).collect();
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1, "what was begun first gave way");
    assert!(results.iter().flatten().all(|sent| *sent > 100_000 && *sent <= whole.len()));
    drop((all, other));
    assert_eq!(shelf.taken(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_chunking_gives_the_same_bytes(
        sizes in proptest::collection::vec(1_usize..90_000, 1..5),
        slices in prop::sample::select(vec![0_usize, 1, 700, 1500]),
        defined in any::<bool>(),
        which in 0_usize..3,
        shares in any::<bool>(),
    ) {
        let encoding = [LE, BE, IMPLICIT][which];
        let (rules, data) = (rules(), derived(encoding, slices, defined));
        let whole = run_in(of(&rules, encoding), &data.bytes, &[usize::MAX]).unwrap().0;
        let transform = of(&rules, encoding);
        let shelf = Shelf::new(4 << 20, 0);
        let transform = if shares { transform.waiting_in(shelf.corner("one".into())) } else { transform };
        let sent = run_in(transform, &data.bytes, &sizes).unwrap().0;
        prop_assert!(sent == whole);
        prop_assert_eq!(shelf.taken(), 0);
    }
}
