//! Data sets written by hand, and ways to push them.

use std::sync::Arc;

use aws_lc_rs::hmac;

use crate::dataset::{Encoding, Syntax, Vr};
use crate::rewrite::{Expected, Output, RewriteError, RuleSpec, Ruleset, RulesetSpec, Transform};

pub(crate) const CLASS: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const INSTANCE: &str = "1.2.3.4";

pub(crate) const LE: Encoding = Encoding { syntax: Syntax::EXPLICIT_LE, deflated: false };
pub(crate) const BE: Encoding = Encoding { syntax: Syntax::EXPLICIT_BE, deflated: false };
pub(crate) const IMPLICIT: Encoding = Encoding { syntax: Syntax::IMPLICIT_LE, deflated: false };
pub(crate) const DEFLATED: Encoding = Encoding { syntax: Syntax::EXPLICIT_LE, deflated: true };

pub(crate) fn key() -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, b"a test's secret")
}

pub(crate) fn expected() -> Expected {
    Expected { sop_class_uid: CLASS.parse().unwrap(), sop_instance_uid: INSTANCE.parse().unwrap() }
}

pub(crate) fn rule(tag: &str, action: &str) -> RuleSpec {
    RuleSpec { tag: tag.into(), action: action.into(), ..RuleSpec::default() }
}

pub(crate) fn rule_with(tag: &str, action: &str, value: &str) -> RuleSpec {
    RuleSpec { value: Some(value.into()), ..rule(tag, action) }
}

pub(crate) fn pattern(tag: &str, find: &str, value: &str) -> RuleSpec {
    RuleSpec { find: Some(find.into()), ..rule_with(tag, "pattern", value) }
}

pub(crate) fn spec(rules: &[RuleSpec]) -> RulesetSpec {
    RulesetSpec { rules: rules.to_vec(), secret: Some(key()), ..RulesetSpec::default() }
}

pub(crate) fn ruleset(rules: &[RuleSpec]) -> Arc<Ruleset> {
    Arc::new(Ruleset::compile(spec(rules)).unwrap())
}

/// Elements, one after the other.
#[derive(Clone)]
pub(crate) struct Data {
    pub syntax: Syntax,
    pub bytes: Vec<u8>,
}

impl Data {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self { syntax: encoding.syntax, bytes: Vec::new() }
    }

    /// With the SOP class and instance that [`expected`] wants.
    pub(crate) fn image(encoding: Encoding) -> Self {
        Self::new(encoding).text((8, 0x16), b"UI", CLASS).text((8, 0x18), b"UI", INSTANCE)
    }

    pub(crate) fn tag(mut self, (group, element): (u16, u16)) -> Self {
        self.bytes.extend(self.syntax.put_u16(group));
        self.bytes.extend(self.syntax.put_u16(element));
        self
    }

    pub(crate) fn header(self, tag: (u16, u16), vr: &[u8; 2], length: u32) -> Self {
        let mut data = self.tag(tag);
        let syntax = data.syntax;
        if !syntax.explicit || tag.0 == 0xFFFE {
            data.bytes.extend(syntax.put_u32(length));
        } else if Vr::known(*vr).unwrap().has_long_header() {
            data.bytes.extend([vr[0], vr[1], 0, 0]);
            data.bytes.extend(syntax.put_u32(length));
        } else {
            data.bytes.extend(vr);
            data.bytes.extend(syntax.put_u16(length.try_into().unwrap()));
        }
        data
    }

    pub(crate) fn element(self, tag: (u16, u16), vr: &[u8; 2], value: &[u8]) -> Self {
        let mut data = self.header(tag, vr, value.len() as u32);
        data.bytes.extend(value);
        data
    }

    /// Padded to even length.
    pub(crate) fn text(self, tag: (u16, u16), vr: &[u8; 2], value: &str) -> Self {
        let mut value = value.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(Vr::known(*vr).unwrap().padding());
        }
        self.element(tag, vr, &value)
    }

    /// A sequence, and its items, of defined or undefined length.
    pub(crate) fn sequence(self, tag: (u16, u16), defined: bool, items: &[Data]) -> Self {
        self.sequence_as(tag, b"SQ", defined, items)
    }

    pub(crate) fn sequence_as(self, tag: (u16, u16), vr: &[u8; 2], defined: bool, items: &[Data]) -> Self {
        let syntax = items.first().map_or(self.syntax, |item| item.syntax);
        let mut inner = Self { syntax, bytes: Vec::new() };
        for item in items {
            let length = if defined { item.bytes.len() as u32 } else { u32::MAX };
            inner = inner.header((0xFFFE, 0xE000), b"UN", length);
            inner.bytes.extend(&item.bytes);
            if !defined {
                inner = inner.header((0xFFFE, 0xE00D), b"UN", 0);
            }
        }
        if !defined {
            inner = inner.header((0xFFFE, 0xE0DD), b"UN", 0);
        }
        let length = if defined { inner.bytes.len() as u32 } else { u32::MAX };
        let mut data = self.header(tag, vr, length);
        data.bytes.extend(&inner.bytes);
        data
    }

    pub(crate) fn fragments(self, fragments: &[&[u8]]) -> Self {
        let mut data = self.header((0x7FE0, 0x10), b"OB", u32::MAX);
        for fragment in fragments {
            data = data.header((0xFFFE, 0xE000), b"UN", fragment.len() as u32);
            data.bytes.extend(*fragment);
        }
        data.header((0xFFFE, 0xE0DD), b"UN", 0)
    }
}

/// The whole output, the input in chunks of the given sizes, again and again.
pub(crate) fn run_in(
    mut transform: Transform,
    input: &[u8],
    sizes: &[usize],
) -> Result<(Vec<u8>, Transform), RewriteError> {
    let (mut sent, mut output, mut rest) = (Vec::new(), Output::new(), input);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, behind) = rest.split_at((*size).clamp(1, rest.len()));
        output.clear();
        transform.push(chunk, &mut output)?;
        collect(&output, chunk, &mut sent);
        rest = behind;
    }
    output.clear();
    transform.finish(&mut output)?;
    collect(&output, &[], &mut sent);
    Ok((sent, transform))
}

fn collect(output: &Output, input: &[u8], sent: &mut Vec<u8>) {
    let before = sent.len();
    output.slices(input).for_each(|slice| sent.extend(slice));
    assert_eq!(sent.len() - before, output.len());
}

pub(crate) fn transform(rules: &[RuleSpec], encoding: Encoding) -> Transform {
    Transform::new(ruleset(rules), encoding, expected())
}

/// The whole output of one push, after checking that every byte on its own gives the same.
pub(crate) fn run(rules: &[RuleSpec], encoding: Encoding, input: &[u8]) -> Result<Vec<u8>, RewriteError> {
    let whole = run_in(transform(rules, encoding), input, &[usize::MAX]).map(|(sent, _)| sent);
    let bytewise = run_in(transform(rules, encoding), input, &[1]).map(|(sent, _)| sent);
    assert_eq!(whole, bytewise);
    whole
}
