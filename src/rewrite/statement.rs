//! What a conformance statement has to say of a configuration (PS3.15 E.1.3, E.3), in Markdown.

use std::fmt::Write;

use super::pixels::{MaskSpec, Rectangle};
use super::profile::{
    BEYOND, BURNED_IN, BurnedIn, CLEAN_PIXELS, EDITION, ProfileOption, ProfileSpec, ROWS, SAFE, SIGNS,
};
use super::table::Ruleset;
use super::words::Vocabulary;

impl Ruleset {
    /// What a conformance statement has to say of these rules (PS3.15 E.1.3), in Markdown.
    pub fn statement(&self, name: &str) -> String {
        statement(self, name)
    }
}

/// Written whole for a ruleset with a profile; for one without, the rules only.
fn statement(rules: &Ruleset, name: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = match rules.profile() {
        Some(spec) => profile(&mut text, rules, name, spec),
        None => writeln!(
            text,
            "# De-identification by `{name}`\n\nNo profile of PS3.15 Annex E is applied; no conformance is claimed."
        )
        .and_then(|()| explicit(&mut text, rules)),
    };
    text
}

fn profile(text: &mut String, rules: &Ruleset, name: &str, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(
        text,
        "# De-identification by `{name}`\n\n\
         Basic Application Level Confidentiality Profile, DICOM PS3.15 Annex E, Table E.1-1 of edition {EDITION}, \
         dimsegate {}. The IOD is not analysed.\n",
        env!("CARGO_PKG_VERSION")
    )?;
    options(text, spec)?;
    explicit(text, rules)?;
    replaced(text, spec)?;
    others(text, spec)?;
    signs(text, &spec.burned_in)?;
    beside(text)?;
    identifiers(text, spec)?;
    private(text, spec)?;
    secrets(text, rules)?;
    dates(text, spec)?;
    attributes(text, spec)?;
    beyond(text)
}

fn options(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(text, "## Options supported and applied\n")?;
    writeln!(text, "| option | code (DCM) | applied |\n| --- | --- | --- |")?;
    for option in ProfileOption::ALL {
        let (code, meaning) = option.method();
        let applied = if spec.has(option) { "yes" } else { "no" };
        writeln!(text, "| {meaning} | {code} | {applied} |")?;
    }
    let BurnedIn::Mask { masks, by_regions, decode_up_to, .. } = &spec.burned_in else {
        return writeln!(
            text,
            "\nClean Pixel Data (113101) and Clean Recognizable Visual Features (113102) are not applied: pixels pass as \
             they are, (0028,0301) and (0028,0302) are not touched.\n"
        );
    };
    let (code, meaning) = CLEAN_PIXELS;
    writeln!(
        text,
        "| {meaning} | {code} | to objects that a mask fits |\n\n\
         Clean Recognizable Visual Features (113102) is not supported; (0028,0302) is not touched.\n"
    )?;
    self::masks(text, masks, *by_regions, decode_up_to.is_some())
}

fn masks(text: &mut String, masks: &[MaskSpec], by_regions: bool, decodes: bool) -> std::fmt::Result {
    let compressed = if decodes {
        "RLE Lossless, JPEG Baseline, JPEG Lossless and JPEG 2000 are decoded to be masked, and sent as Explicit VR Little Endian; other"
    } else {
        "All"
    };
    writeln!(
        text,
        "## Pixels masked\n\n\
         Native pixel data of 8 and 16 bits are blanked, in every frame, where a rectangle of a mask that fits lies: black, by \
         photometric interpretation and pixel representation; the first entry of a palette. (0028,0301) is NO then. \
         {compressed} compressed pixels that a mask fits are refused, and so are those of another layout, or not of the size described. Other \
         objects keep their pixels and their (0028,0301).\n"
    )?;
    if by_regions {
        writeln!(
            text,
            "Of ultrasound with a Sequence of Ultrasound Regions (0018,6011) all is blanked that lies outside of its regions.\n"
        )?;
    }
    writeln!(
        text,
        "`*` stands for any characters.\n\n\
         | SOP class | modality | manufacturer | model | image type | series description | rows | columns | x, y, width, height | source |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
    )?;
    masks.iter().try_for_each(|mask| writeln!(text, "{}", row(mask)))?;
    writeln!(text)
}

fn row(mask: &MaskSpec) -> String {
    let any = || "any".to_owned();
    let class = mask.sop_class.as_ref().map_or_else(any, |class| class.as_str().to_owned());
    let texts = [&mask.modality, &mask.manufacturer, &mask.model, &mask.image_type, &mask.series_description];
    let texts = texts.map(|text| text.clone().unwrap_or_else(any)).join(" | ");
    let size = |size: Option<u16>| size.map_or_else(any, |size| size.to_string());
    let rectangle = |r: &Rectangle| format!("{}, {}, {}, {}", r.x, r.y, r.width, r.height);
    let rectangles: Vec<String> = mask.rectangles.iter().map(rectangle).collect();
    let (rows, columns, rectangles) = (size(mask.rows), size(mask.columns), rectangles.join("; "));
    let flagged = if mask.only_flagged { ", where (0028,0301) is YES" } else { "" };
    let source = mask.source.unwrap_or("this site");
    format!("| {class} | {texts} | {rows} | {columns} | {rectangles} | {source}{flagged} |")
}

fn burned_in(burned_in: &BurnedIn) -> &'static str {
    match burned_in {
        BurnedIn::Pass => "passed",
        BurnedIn::Refuse => "refused, and so are objects with overlays in the bits of their pixels",
        BurnedIn::Mask { refuse_others: true, .. } => {
            "masked, or refused where no mask fits; objects with overlays in the bits of their pixels are refused"
        }
        BurnedIn::Mask { refuse_others: false, .. } => "masked, or passed where no mask fits",
    }
}

fn explicit(text: &mut String, rules: &Ruleset) -> std::fmt::Result {
    writeln!(text, "## Rules that win over the profile\n")?;
    let count = rules.len();
    if count == 0 {
        return writeln!(text, "None.\n");
    }
    writeln!(text, "In this order; what they keep or write is not the profile's.\n")?;
    for rule in 0..count {
        writeln!(text, "{}. {}", rule + 1, rules.tag_text(rule))?;
    }
    writeln!(text)
}

fn replaced(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    let uids = if spec.has(ProfileOption::RetainUids) {
        "UIDs that are legal are kept."
    } else {
        "Every UID of an instance at every depth, listed or not, becomes `2.25.` and a version 8 UUID made of HMAC-SHA-256 of \
         the old UID under the secret. UIDs that PS3.6 registers and those of classes, transfer syntaxes and coding schemes \
         that have another root than the standard's stay. References stay intact over all objects, sessions and instances with the same secret."
    };
    writeln!(
        text,
        "## Attributes removed, replaced and inserted\n\n\
         Removed: what the tables below say, group 0004, group 4FFE, overlay planes whole, attributes that PS3.6 does not know, private \
         attributes but those below.\n\n\
         Replaced: dummies are the same for everyone and never empty: `REMOVED`, `19000101`, `000000`, `000D`, `0`, zero bytes; a \
         sequence whose code is D gets one item of dummies. Of X/Z, X/D, Z/D and X/Z/D the right-most is done; nothing \
         that is absent is added. {uids}\n\n\
         Inserted: (0012,0062) YES, (0012,0063), (0012,0064) with the codes applied, behind those that are there already, and \
         (0028,0303).\n"
    )
}

fn others(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    let refused = |refused: bool| if refused { "refused" } else { "passed" };
    writeln!(
        text,
        "## Encrypted attributes\n\nNone are written: no Encrypted Attributes Sequence, no keys, no transfer syntaxes of it.\n\n\
         ## Other restrictions\n\n\
         - Private SOP classes: {}.\n- Objects that are likely to carry burned-in text, by SOP class and attributes, \
         as listed below: {}.\n- Encapsulated documents: {}.\n- The secret is at least 256 bits, for \
         HMAC-SHA-256.\n- Ages over 89 years are written as 090Y where ages are kept.\n\
         - Kept values of AS, CS, DA, DS, DT, IS, TM and UI that are not legal for their VR (PS3.5 6.2) are emptied, or treated \
         as the table says of their attribute. The VR is that of PS3.6: an attribute that is written with another, and \
         cannot be judged by its own, is removed.\n\
         - UIDs under 1.2.840.10008 that PS3.6 does not register are replaced, in attributes that name classes too.\n\
         - Pixel data in sequences are removed.\n",
        refused(spec.refuse_private_classes),
        burned_in(&spec.burned_in),
        if spec.refuse_documents {
            "refused"
        } else {
            "a PDF is replaced by an empty page, others are refused"
        },
    )?;
    if spec.cleans_texts() {
        clean_text(text, spec)?;
    }
    if spec.has(ProfileOption::CleanStructuredContent) {
        writeln!(
            text,
            "- Clean structured content: values of concepts in Table E.3.4-1 become dummies where their code is X or D, numbers \
             lose their measured value; text of other concepts becomes a dummy. Content items stay in their place."
        )?;
    }
    if spec.has(ProfileOption::CleanGraphics) {
        writeln!(
            text,
            "- Clean graphics: overlays and curves are removed; graphic annotations stay, without their texts."
        )?;
    }
    if spec.has(ProfileOption::RetainDeviceIdentity) {
        writeln!(text, "- AE titles that are to be cleaned become pseudonyms of 16 hexadecimal digits.")?;
    }
    writeln!(text)
}

fn clean_text(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(
        text,
        "- Clean text: words of a vocabulary of anatomy, sides, technique, findings and joining words stay ({} that are shipped, {} of \
         the site), quantities and numbers of up to three digits too. What goes leaves a mark, `[...]`, which has a number where other \
         words of the object have one already. Where no word is left that says something, the attribute is treated as in the basic \
         profile; names of structures and of channels become a mark.",
        Vocabulary::shipped(),
        spec.vocabulary.of_site(),
    )
}

/// What tells that text is likely in the pixels, where anything follows from that.
fn signs(text: &mut String, burned_in: &BurnedIn) -> std::fmt::Result {
    if matches!(burned_in, BurnedIn::Pass | BurnedIn::Mask { refuse_others: false, .. }) {
        return Ok(());
    }
    writeln!(
        text,
        "## Objects that are likely to carry burned-in text\n\n\
         Those of these classes, unless (0028,0301) is NO:\n"
    )?;
    BURNED_IN.iter().try_for_each(|(uid, name)| writeln!(text, "- {uid} {name}"))?;
    writeln!(
        text,
        "\nImages of every class with one of these:\n\n\
         | attribute | value | such an image is | passes with (0028,0301) NO | source |\n| --- | --- | --- | --- | --- |"
    )?;
    SIGNS.iter().try_for_each(|sign| writeln!(text, "{}", sign.row()))?;
    writeln!(text)
}

/// What goes of pixel data, whatever is in their pixels.
fn beside(text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "## Beside the pixels\n\n\
         Overwritten with blanks or zeros, in the same length: comments of JPEG, JPEG-LS, JPEG 2000 and HTJ2K; application segments but for \
         what decoders read of JFIF, SPIFF, mrfx and Adobe; bytes behind the end of an image, between RLE segments, behind the entries of \
         the basic offset table; entries of offset tables that cannot be offsets; bytes behind the last native pixel. Video, JPEG XL and encapsulated uncompressed pixel data are not looked \
         into.\n"
    )
}

fn identifiers(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(text, "## Identifiers in texts that are kept\n")?;
    if !spec.clean_identifiers {
        return writeln!(text, "Not looked for: `clean-identifiers = false`.\n");
    }
    writeln!(
        text,
        "`clean-identifiers`, beyond the profile and its options: names of persons, IDs of patient, study, trial, insurance and \
         device, institution, addresses, telephone numbers, station and birth date of the header, up to the Filler Order Number (0040,2017), are \
         looked for in every text that is kept, at every depth, without regard to case and diacritics, and so are dates, ages over \
         89, telephone numbers, mail addresses, UIDs and numbers of six digits or more. What is found becomes `***`, in CS `XXX`. What an option retains is looked through for identifiers of \
         the header only; what a rule keeps is not looked through."
    )?;
    if !spec.identifiers.is_empty() {
        writeln!(text, "\nPatterns of the site:\n")?;
        spec.identifiers.iter().try_for_each(|pattern| writeln!(text, "- `{}`", pattern.escape_debug()))?;
    }
    writeln!(text)
}

fn secrets(text: &mut String, rules: &Ruleset) -> std::fmt::Result {
    let Some(version) = rules.secret_version() else { return Ok(()) };
    writeln!(
        text,
        "## Secrets\n\nPseudonyms, UIDs and days are made with version {version} of the secret; (0012,0063) says `secret-{version}`."
    )?;
    let others: Vec<String> = rules.other_secret_versions().map(|version| version.to_string()).collect();
    if !others.is_empty() {
        writeln!(text, "Kept to tell what was made with them: version {}.", others.join(", "))?;
    }
    writeln!(text)
}

fn private(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(text, "## Safe private attributes\n")?;
    if !spec.has(ProfileOption::RetainSafePrivate) {
        return writeln!(text, "None are kept.\n");
    }
    writeln!(
        text,
        "Those of Table E.3.10-1, by private creator in the same data set or item, with their creator elements, and those that \
         Private Data Element Characteristics Sequence (0008,0300) of the object declares: all of a block whose status \
         (0008,0303) is SAFE, the elements in (0008,0304) of one that is MIXED. Not those \
         of VR OB or UN, nor sequences that are written as values; dates and UIDs in them are treated as others are.\n"
    )?;
    let mut creators: Vec<_> = SAFE.iter().map(|row| row.creator).collect();
    creators.dedup();
    creators.iter().try_for_each(|creator| writeln!(text, "- {creator}"))?;
    writeln!(text)
}

fn dates(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(text, "## Manner of date modification\n")?;
    if spec.has(ProfileOption::RetainLongitudinalFullDates) {
        return writeln!(text, "Dates and times are kept but those of birth. (0028,0303) is UNMODIFIED.\n");
    }
    if spec.has(ProfileOption::RetainLongitudinalModifiedDates) {
        let (min, max) = spec.date_shift_days;
        let times = if spec.keep_times {
            "Times of day stay, and (0008,0201) with them."
        } else {
            "Times of day are not kept, but for those that decay is computed with in NM and PET images (injection, \
             acquisition, series, frames), and (0008,0201) with them."
        };
        return writeln!(
            text,
            "Every DA and DT moves by the same number of days for all objects of a patient, between {min} and {max}, never 0, \
             made of HMAC-SHA-256 of the Patient ID, with its issuer where `patient-key` counts it, under the secret; intervals are kept to the day. {times} An object \
             without Patient ID is refused. (0028,0303) is MODIFIED.\n"
        );
    }
    writeln!(text, "Every DA, TM and DT is removed, emptied or a dummy. (0028,0303) is REMOVED.\n")
}

fn beyond(text: &mut String) -> std::fmt::Result {
    writeln!(
        text,
        "\n## Removed beyond Table E.1-1\n\n\
         Every attribute of VR UR that the table does not list, since URLs and paths can hold UIDs; those of codes, \
         (0008,010E) and (0008,0120), stay.\n\n| tag | attribute |\n| --- | --- |"
    )?;
    BEYOND.iter().try_for_each(|(tag, name)| writeln!(text, "| {tag} | {name} |"))
}

fn attributes(text: &mut String, spec: &ProfileSpec) -> std::fmt::Result {
    writeln!(
        text,
        "## Table E.1-1 as applied\n\n| tag | attribute | profile | applied | by |\n| --- | --- | --- | --- | --- |"
    )?;
    for row in &ROWS {
        let (code, option) = spec.code(row.safe, &row.options);
        let tag = match row.mask {
            u32::MAX => format!("({:04X},{:04X})", row.tag >> 16, row.tag & 0xFFFF),
            0x0001_0000 => "(gggg,eeee) odd groups".to_owned(),
            mask => format!("({:04X},{:04X}) mask {mask:08X}", row.tag >> 16, row.tag & 0xFFFF),
        };
        let by = option.map_or("basic profile", ProfileOption::name);
        writeln!(text, "| {tag} | {} | {} | {code} | {by} |", row.name, row.basic)?;
    }
    Ok(())
}
