//! Data sets in every encoding through the identity and through rules, whole and in pieces.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::hmac;
use dimsegate::dataset::{Encoding, Names, Observer, Syntax, Unnamed};
use dimsegate::rewrite::{
    BurnedIn, Expected, MaskSpec, Output, ProfileOption, ProfileSpec, Rectangle, RewriteError, RuleSpec,
    Ruleset, RulesetSpec, Transform,
};

const SYNTAXES: [Syntax; 3] = [Syntax::EXPLICIT_LE, Syntax::IMPLICIT_LE, Syntax::EXPLICIT_BE];

static NOTHING: LazyLock<Arc<Ruleset>> = LazyLock::new(|| compiled(&[]));
static RULES: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    compiled(&[
        ("PatientName", "empty", None),
        ("PatientID", "pseudonym", None),
        ("SOPInstanceUID", "uid", None),
        ("StudyInstanceUID", "uid", None),
        ("ReferencedSOPInstanceUID", "uid", None),
        ("InstitutionName", "replace", Some("SITE")),
        ("DeidentificationMethod", "set", Some("dimsegate")),
        ("StudyDescription", "pattern", Some("#")),
        ("(0009,ACME 1.0,10)", "keep", None),
        ("(0009,xxxx)", "remove", None),
        ("RequestAttributesSequence", "remove", None),
        ("(60xx,3000)", "remove", None),
    ])
});

/// Every option that does not need a Patient ID, and masks.
static PROFILE: LazyLock<Arc<Ruleset>> = LazyLock::new(|| {
    let mask =
        MaskSpec { rectangles: vec![Rectangle { x: 1, y: 0, width: 3, height: 2 }], ..MaskSpec::default() };
    let profile = ProfileSpec {
        options: ProfileOption::ALL
            .into_iter()
            .filter(|option| *option != ProfileOption::RetainLongitudinalModifiedDates)
            .collect(),
        burned_in: BurnedIn::Mask {
            masks: vec![mask],
            by_regions: true,
            refuse_others: false,
            decode_up_to: Some(1 << 20),
        },
        refuse_private_classes: false,
        ..ProfileSpec::default()
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let spec =
        RulesetSpec { profile: Some(profile), secret, max_inflated: 1 << 20, ..RulesetSpec::default() };
    Arc::new(Ruleset::compile(spec).expect("a profile"))
});

fn compiled(rules: &[(&str, &str, Option<&str>)]) -> Arc<Ruleset> {
    let rule = |&(tag, action, value): &(&str, &str, Option<&str>)| RuleSpec {
        tag: tag.into(),
        action: action.into(),
        value: value.map(Into::into),
        find: (action == "pattern").then(|| "[0-9]+".into()),
        length: None,
    };
    let secret = Some(hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]));
    let spec = RulesetSpec {
        rules: rules.iter().map(rule).collect(),
        secret,
        max_inflated: 1 << 20,
        ..RulesetSpec::default()
    };
    Arc::new(Ruleset::compile(spec).expect("rules"))
}

/// Of which compressed frames are: JPEG, JPEG 2000, RLE.
const COMPRESSED: [&str; 3] = ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"];

fn expected() -> Expected {
    Expected {
        sop_class_uid: "1.2".parse().expect("a UID"),
        sop_instance_uid: "1.2.3".parse().expect("a UID"),
    }
}

pub fn check(input: &[u8]) {
    let &[choice, size, ref bytes @ ..] = input else { return };
    let syntax = SYNTAXES[usize::from(choice & 0x3F) % SYNTAXES.len()];
    let encoding = Encoding { syntax, deflated: choice & 0x80 != 0 };
    let size = usize::from(size) + 1;
    // What breaks the standard is put right in front of a long value, and read on the way behind it.
    let behind = if choice & 0x40 != 0 { [front(syntax), bytes.to_vec()].concat() } else { Vec::new() };
    let bytes = if behind.is_empty() { bytes } else { &behind };
    let (same, _) = run(Transform::identity(), bytes, size).expect("an identity takes anything");
    assert_eq!(same, bytes);
    observe(encoding, bytes, size);
    for names in [|encoding| Names::new(encoding), |_| Names::guessing()] {
        assert_eq!(named(names(encoding), bytes, bytes.len().max(1)), named(names(encoding), bytes, size));
    }
    for rules in [&NOTHING, &RULES, &PROFILE] {
        let transform = || {
            Transform::new(Arc::clone(rules), encoding, expected())
                .in_syntax(COMPRESSED[size % COMPRESSED.len()])
        };
        let (whole, pieces) = (run(transform(), bytes, usize::MAX), run(transform(), bytes, size));
        match (&whole, &pieces) {
            (Ok((whole, _)), Ok((pieces, _))) if !encoding.deflated => assert_eq!(whole, pieces),
            (Ok(_), Ok(_)) => {}
            (Err(one), Err(other)) if !encoding.deflated => assert_eq!(one, other),
            (Err(_), Err(_)) => {}
            _ => panic!("whole {:?}, in pieces {:?}", whole.as_ref().err(), pieces.as_ref().err()),
        }
        if let Ok((sent, summary_uid)) = whole {
            again(encoding, &sent, summary_uid);
        }
    }
}

/// What was sent can be read, and reading it changes nothing.
fn again(encoding: Encoding, sent: &[u8], instance: Option<Vec<u8>>) {
    let Some(instance) = instance else { return };
    let Some(sop_instance_uid) = std::str::from_utf8(&instance).ok().and_then(|text| text.parse().ok())
    else {
        return;
    };
    let expected = Expected { sop_instance_uid, ..expected() };
    let again = run(Transform::new(Arc::clone(&NOTHING), encoding, expected), sent, usize::MAX);
    let (again, _) = again.unwrap_or_else(|error| panic!("{error} in what was sent: {sent:02x?}"));
    assert!(encoding.deflated || again == sent, "{again:02x?} of {sent:02x?}");
}

fn observe(encoding: Encoding, bytes: &[u8], size: usize) {
    let mut observers = [Observer::new(encoding), Observer::new(encoding)];
    observers[0].observe(bytes);
    bytes.chunks(size).for_each(|chunk| observers[1].observe(chunk));
    let [whole, pieces] = observers
        .map(|observer| (observer.patient_id().map(<[u8]>::to_vec), observer.character_set().to_vec()));
    assert_eq!(whole, pieces);
}

/// SOP class and instance, and a value that is no longer the header's.
fn front(syntax: Syntax) -> Vec<u8> {
    let element = |(group, element): (u16, u16), vr: &[u8; 2], value: &[u8]| {
        let mut bytes = [syntax.put_u16(group), syntax.put_u16(element)].concat();
        if syntax.explicit {
            bytes.extend(vr);
            bytes.extend(syntax.put_u16(value.len() as u16));
        } else {
            bytes.extend(syntax.put_u32(value.len() as u32));
        }
        bytes.extend(value);
        bytes
    };
    let names = [element((8, 0x16), b"UI", b"1.2\0"), element((8, 0x18), b"UI", b"1.2.3\0")].concat();
    [names, element((0x10, 0x2180), b"SH", &[b'x'; 9000])].concat()
}

type Named = Result<(Option<Vec<u8>>, Option<Vec<u8>>, bool), Unnamed>;

/// What a data set says that it is; what a deflated one says depends on how much of it is there.
fn named(mut names: Names, bytes: &[u8], size: usize) -> Named {
    let mut is_known = false;
    for chunk in bytes.chunks(size) {
        is_known = names.look(chunk)?;
        if is_known {
            break;
        }
    }
    if !is_known {
        names.finish()?;
    }
    let held = |name: Option<&[u8]>| name.map(<[u8]>::to_vec);
    Ok((held(names.sop_class()), held(names.sop_instance()), names.is_read()))
}

type Sent = (Vec<u8>, Option<Vec<u8>>);

/// Everything that is sent, and the SOP instance UID in it.
fn run(mut transform: Transform, bytes: &[u8], size: usize) -> Result<Sent, RewriteError> {
    let (mut sent, mut output) = (Vec::new(), Output::new());
    for chunk in bytes.chunks(size) {
        output.clear();
        transform.push(chunk, &mut output)?;
        output.slices(chunk).for_each(|slice| sent.extend_from_slice(slice));
    }
    output.clear();
    transform.finish(&mut output)?;
    output.slices(&[]).for_each(|slice| sent.extend_from_slice(slice));
    let instance = transform.summary().new_sop_instance_uid.clone();
    Ok((sent, instance))
}
