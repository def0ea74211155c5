//! The profile's rules, behind those of the administrator.

use super::attributes::{EDITION, ROWS};
use super::beyond::BEYOND;
use super::content::ContentRules;
use super::decision::{MaskedRules, Profile};
use super::fit::FitRules;
use super::method::{CLEAN_PIXELS, METHOD, METHOD_CODES, METHOD_TEXT};
use super::option::ProfileOption;
use super::policy::EMPTY_PDF;
use super::rows::Row;
use super::safe_private::SAFE;
use super::spec::{BurnedIn, ProfileSpec};
use crate::dataset::{Tag, Vr};
use crate::rewrite::action::{Action, Otherwise};
use crate::rewrite::creator::CreatorId;
use crate::rewrite::dummy::{self, Item};
use crate::rewrite::error::RewriteProblem;
use crate::rewrite::fitting;
use crate::rewrite::keyed::Key;
use crate::rewrite::rule::Rule;
use crate::rewrite::tag_pattern::TagPattern;

/// (0008,0201) Timezone Offset From UTC.
const TIMEZONE_OFFSET: u32 = 0x0008_0201;
const ENCAPSULATED_DOCUMENT: u32 = 0x0042_0011;
const DOCUMENT_LENGTH: Tag = Tag(0x0042, 0x0015);
/// What tells an item from the others of its sequence: ROI Name, ROI Observation Label, Annotation Group Label, Channel Label,
/// Montage Channel Label. Two that were different stay so.
const DISTINGUISHING: [u32; 5] = [0x3006_0026, 0x3006_0085, 0x006A_0005, 0x003A_0203, 0x0040_B03F];
/// A rule's pattern, and whether the element is added where it is absent.
pub(in crate::rewrite) struct Appended {
    pub patterns: Vec<(TagPattern, bool)>,
    pub profile: Profile,
}

struct Rules<'a> {
    spec: &'a ProfileSpec,
    key: &'a Key,
    version: Option<u32>,
    rules: &'a mut Vec<Rule>,
    patterns: Vec<(TagPattern, bool)>,
}

/// Appends the profile's rules to the administrator's; `creators` gets those that Table E.3.10-1 names.
pub(in crate::rewrite) fn append(
    spec: ProfileSpec,
    (key, version): (&Key, Option<u32>),
    rules: &mut Vec<Rule>,
    creators: &mut Vec<String>,
) -> Appended {
    let mut all = Rules { spec: &spec, key, version, rules, patterns: Vec::new() };
    all.insertions();
    all.removals();
    ROWS.iter().for_each(|row| all.row(row));
    all.overlays();
    all.beyond();
    let note = "every DA, TM and DT (Table E.1-1, note 4)";
    let dates = all.by_vr(note, all.dates_action());
    let uids = all.by_vr("every UID of an instance (PS3.15 E.1.1)", all.uid_action());
    let declared_uids =
        all.by_vr("UID that the object calls safe, retain-safe-private", all.declared_action());
    let names = all.by_vr("every PN", Action::Dummy);
    let urls = all.by_vr("every UR but those of codes (beyond Table E.1-1)", Action::Remove);
    let unknown = all.by_vr("not in the dictionary of PS3.6", Action::Remove);
    let private = all.by_vr("private, not known to be safe (Table E.1-1)", Action::Remove);
    let safe_private =
        all.by_vr("safe private (Table E.3.10-1, or (0008,0300)), retain-safe-private", Action::Keep);
    let behind = all.by_vr("what follows the last pixel", Action::Keep);
    let identifiers = all.by_vr("identifiers in a text that is kept, clean-identifiers", Action::Keep);
    let content = all.content();
    let fit = all.fit();
    let references = references(&spec);
    let masked = matches!(spec.burned_in, BurnedIn::Mask { .. }).then(|| all.masked());
    let patterns = all.patterns;
    let safe = if spec.has(ProfileOption::RetainSafePrivate) { safe(creators) } else { Vec::new() };
    Appended {
        patterns,
        profile: Profile {
            spec,
            dates,
            uids,
            declared_uids,
            names,
            urls,
            unknown,
            private,
            safe_private,
            identifiers,
            content,
            fit,
            references,
            behind,
            masked,
            safe,
        },
    }
}

impl Rules<'_> {
    fn push(&mut self, pattern: TagPattern, adds: bool, why: &str, action: Action) {
        let tag_text = match &pattern {
            TagPattern::One(tag) => tag.to_string(),
            _ => String::new(),
        };
        self.rules.push(Rule { tag_text, action, why: why.into() });
        self.patterns.push((pattern, adds));
    }

    /// A rule that no pattern leads to.
    fn by_vr(&mut self, why: &str, action: Action) -> usize {
        self.rules.push(Rule { tag_text: String::new(), action, why: why.into() });
        self.patterns.push((TagPattern::Mask { mask: 0, value: 1 }, false));
        self.rules.len() - 1
    }

    /// What a de-identified object says of itself (PS3.15 E.1.1, E.3.6).
    fn insertions(&mut self) {
        let spec = self.spec;
        let one = |group, element| TagPattern::One(Tag(group, element));
        let text = |text: &str| Action::Replace(text.into());
        self.push(one(0x12, 0x62), true, "PS3.15 E.1.1", text("YES"));
        self.push(TagPattern::One(METHOD), true, "PS3.15 E.1.1", self.method(None));
        self.push(TagPattern::One(METHOD_CODES), true, "PS3.15 E.1.1, CID 7050", self.codes(None));
        let why = "PS3.15 E.3.6";
        if spec.has(ProfileOption::RetainLongitudinalFullDates) {
            // What was modified before is not unmodified now.
            self.push(one(0x28, 0x303), true, why, Action::Default("UNMODIFIED".into()));
        } else if spec.has(ProfileOption::RetainLongitudinalModifiedDates) {
            self.push(one(0x28, 0x303), true, why, text("MODIFIED"));
        } else {
            self.push(one(0x28, 0x303), true, why, text("REMOVED"));
        }
    }

    /// What (0012,0063) says; `also` is applied to some objects only.
    fn method(&self, also: Option<&str>) -> Action {
        let secret = self.version.map(|version| format!("secret-{version}"));
        let names = self.spec.options.iter().map(|option| option.name()).chain(also).chain(secret.as_deref());
        let method = [METHOD_TEXT].into_iter().chain(names).collect::<Vec<_>>().join("\\");
        Action::Replace(method.into())
    }

    fn codes(&self, also: Option<(&str, &str)>) -> Action {
        let codes = self.spec.options.iter().map(|option| option.method()).chain(also);
        let codes = [("113100", "Basic Application Confidentiality Profile")].into_iter().chain(codes);
        Action::Append(codes.map(|(code, meaning)| dummy::code(code, "DCM", meaning)).collect())
    }

    /// What an object whose pixels are masked says of itself instead.
    fn masked(&mut self) -> MaskedRules {
        let (why, decoded) = ("pixels masked (PS3.15 E.3.1)", "pixels decoded to be masked");
        let (method, codes) = (self.method(Some("clean-pixel-data")), self.codes(Some(CLEAN_PIXELS)));
        MaskedRules {
            pixels: self.by_vr("masks (PS3.15 E.3.1)", Action::Keep),
            flag: self.by_vr(why, Action::Replace("NO".into())),
            method: self.by_vr(why, method),
            codes: self.by_vr(why, codes),
            rgb: self.by_vr(decoded, Action::Replace("RGB".into())),
            together: self.by_vr(decoded, Action::Replace("0".into())),
            gone: self.by_vr(decoded, Action::Remove),
        }
    }

    /// What goes whatever its row says.
    fn removals(&mut self) {
        let group = |group: u32| TagPattern::Mask { mask: 0xFFFF_0000, value: group << 16 };
        self.push(group(0x0004), false, "group 0004 outside a DICOMDIR (PS3.15 E.1.1)", Action::Remove);
        let signatures = "digital signatures do not survive (PS3.15 E.1.1)";
        self.push(group(0x4FFE), false, signatures, Action::Remove);
        if !self.spec.refuse_documents {
            let why = "the document was replaced";
            self.push(TagPattern::One(DOCUMENT_LENGTH), false, why, Action::Remove);
        }
    }

    /// An overlay plane is invalid without its data, which every option removes.
    fn overlays(&mut self) {
        let planes = TagPattern::Mask { mask: 0xFF00_0000, value: 0x6000_0000 };
        self.push(planes, false, "overlay plane without its data", Action::Remove);
    }

    fn beyond(&mut self) {
        for (tag, name) in BEYOND {
            let why = format!("beyond Table E.1-1: {name}");
            self.push(TagPattern::One(tag), false, &why, Action::Remove);
        }
    }

    fn row(&mut self, row: &Row) {
        // Command sets and file meta information are no data sets, and private groups have a rule of their own.
        if matches!(row.tag >> 16, 0x0000 | 0x0002) || row.mask == 0x0001_0000 {
            return;
        }
        let (code, option) = self.spec.code(row.safe, &row.options);
        let action = self.action(row, code);
        let by = option.map_or("basic", ProfileOption::name);
        let said = if option.is_some() { code } else { row.basic };
        let why = format!("Table E.1-1 {EDITION} {}: {said}, {by}", row.name);
        let pattern = match row.mask {
            u32::MAX => TagPattern::One(Tag((row.tag >> 16) as u16, (row.tag & 0xFFFF) as u16)),
            mask => TagPattern::Mask { mask, value: row.tag },
        };
        self.push(pattern, false, &why, action);
    }

    fn action(&self, row: &Row, code: &str) -> Action {
        let sequence = row.vr == "SQ";
        let tag = Tag((row.tag >> 16) as u16, (row.tag & 0xFFFF) as u16);
        match code {
            "X" => Action::Remove,
            "Z" => Action::Empty,
            "D" if sequence => Action::Items(vec![dummy::item_of(tag)]),
            "D" if row.tag == ENCAPSULATED_DOCUMENT && self.spec.refuse_documents => {
                Action::Refuse(RewriteProblem::Document)
            }
            "D" if row.tag == ENCAPSULATED_DOCUMENT => Action::Bytes(EMPTY_PDF.into()),
            "D" if row.vr == "UI" => Action::uid(tag, self.key),
            "D" => Action::Dummy,
            "U" if !sequence => Action::uid(tag, self.key),
            "K" if row.vr == "AS" => Action::CapAge,
            "K" if vr_in(row.vr).is_some_and(fitting::is_checked) => Action::Fit(otherwise(row.safe)),
            "C" if !sequence => self.clean(row),
            // K, C and U* on a sequence: the rules hold in its items.
            _ => Action::Keep,
        }
    }

    fn clean(&self, row: &Row) -> Action {
        match row.vr {
            "DA" | "TM" | "DT" => self.shift(),
            "SH" if row.tag == TIMEZONE_OFFSET => Action::Offset { keep_times: self.spec.keep_times },
            "AE" => Action::Pseudonym { key: self.key.clone(), length: 16 },
            "LO" | "LT" | "SH" | "ST" | "UC" | "UT" | "CS" if row.mask == u32::MAX => {
                self.text(match DISTINGUISHING.contains(&row.tag) {
                    true => Otherwise::Mark,
                    false => otherwise(row.safe),
                })
            }
            // Bits of overlays and curves, makers' bytes: nobody can tell what they say.
            _ => self.action(row, row.safe),
        }
    }

    fn text(&self, otherwise: Otherwise) -> Action {
        Action::Clean { vocabulary: self.spec.vocabulary.clone(), otherwise }
    }

    fn shift(&self) -> Action {
        Action::Shift { keep_times: self.spec.keep_times }
    }

    fn dates_action(&self) -> Action {
        if self.spec.has(ProfileOption::RetainLongitudinalFullDates) {
            Action::Fit(Otherwise::Dummy)
        } else if self.spec.has(ProfileOption::RetainLongitudinalModifiedDates) {
            self.shift()
        } else {
            Action::Dummy
        }
    }

    fn uid_action(&self) -> Action {
        if self.spec.has(ProfileOption::RetainUids) {
            Action::Fit(Otherwise::Dummy)
        } else {
            Action::Uid { key: self.key.clone() }
        }
    }

    /// What a UID is that no table lists, nobody knows. Were it made as those of instances are, whoever writes one would
    /// read what an instance of that UID is called.
    fn declared_action(&self) -> Action {
        match self.uid_action() {
            Action::Uid { key } => Action::OtherUid { key },
            other => other,
        }
    }

    /// What becomes of kept values that do not fit.
    fn fit(&mut self) -> FitRules {
        let kinds = if self.spec.has(ProfileOption::RetainUids) {
            Action::Fit(Otherwise::Empty)
        } else {
            Action::Kind { key: self.key.clone() }
        };
        FitRules {
            values: self.by_vr("not legal for its VR (PS3.5 6.2)", Action::Fit(Otherwise::Empty)),
            required: self
                .by_vr("not legal for its VR (PS3.5 6.2), and of Type 1", Action::Fit(Otherwise::Dummy)),
            kinds: self.by_vr("UID that PS3.6 does not register", kinds),
            foreign: self.by_vr("no part of a reference to an instance (PS3.3 10.3)", Action::Remove),
            others: self.by_vr("not of the VR that PS3.6 has for it", Action::Remove),
            pixels: self.by_vr("pixel data in a sequence (beyond Table E.1-1)", Action::Remove),
        }
    }

    fn content(&mut self) -> ContentRules {
        let removed = |tag| -> Vec<Item> { vec![dummy::item_of(tag)] };
        ContentRules {
            listed: self.by_vr("content item of Table E.3.4-1: X or D", Action::Dummy),
            unlisted: self.by_vr("text of a concept that is not in Table E.3.4-1", Action::Dummy),
            cleaned: self
                .by_vr("content item of Table E.3.4-1: C, clean-descriptors", self.text(Otherwise::Dummy)),
            kept: self.by_vr("content item of Table E.3.4-1: K", Action::Keep),
            code: self
                .by_vr("content item of Table E.3.4-1: X or D", Action::Items(removed(Tag(0x0040, 0xA168)))),
            measured: self.by_vr("content item of Table E.3.4-1: X", Action::Empty),
        }
    }
}

/// Sequences that a row lets stay for their UIDs, with new ones (U*) or the same.
fn references(spec: &ProfileSpec) -> Vec<Tag> {
    let refers = |row: &&Row| {
        let (code, option) = spec.code(row.safe, &row.options);
        row.vr == "SQ" && (code == "U*" || code == "K" && option == Some(ProfileOption::RetainUids))
    };
    ROWS.iter().filter(refers).map(|row| Tag((row.tag >> 16) as u16, (row.tag & 0xFFFF) as u16)).collect()
}

/// What is done where nothing is left of a value, by the code that keeps every IOD valid.
fn otherwise(safe: &str) -> Otherwise {
    match safe {
        "X" => Otherwise::Remove,
        "Z" => Otherwise::Empty,
        _ => Otherwise::Dummy,
    }
}

/// Of a table.
fn vr_in(text: &str) -> Option<Vr> {
    text.as_bytes().first_chunk().copied().and_then(Vr::known).filter(|_| text.len() == 2)
}

fn safe(creators: &mut Vec<String>) -> Vec<(CreatorId, u16, u8, Vr)> {
    let mut safe: Vec<_> = SAFE
        .iter()
        .map(|row| {
            let index = creators.iter().position(|known| known == row.creator).unwrap_or_else(|| {
                creators.push(row.creator.to_owned());
                creators.len() - 1
            });
            let vr = vr_in(row.vr).unwrap_or(Vr::UN);
            (CreatorId::try_from(index).unwrap_or(CreatorId::MAX), row.group, row.element, vr)
        })
        .collect();
    safe.sort_by_key(|&(creator, group, element, _)| (creator, group, element));
    safe
}
