#!/usr/bin/env python3
"""Writes the tables of this folder from the parsed tables of PS3.15 Annex E.

    python3 src/rewrite/profile/generate.py FOLDER

FOLDER holds confidentiality_profile.json (Table E.1-1), safe_private_attributes.json (Table E.3.10-1),
sr_clean_concepts.json (Table E.3.4-1) and uids.json (classes that often carry burned-in text). Nothing in what it writes is
typed by hand.
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
OPTIONS = [
    "retain_safe_private", "retain_uids", "retain_device_identity", "retain_institution_identity",
    "retain_patient_characteristics", "retain_longitudinal_full_dates", "retain_longitudinal_modified_dates",
    "clean_descriptors", "clean_structured_content", "clean_graphics",
]  # fmt: skip


def text(value):
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def codes(options):
    return 'b"' + "".join(options.get(option, ".") for option in OPTIONS) + '"'


def write(name, title, edition, parts):
    head = f"//! {title}\n//!\n//! Edition {edition}. Written by `generate.py`; not to be edited.\n"
    (HERE / name).write_text(head + "\n" + "\n".join(parts))


def table(kind, name, doc, rows, vis="pub(super)"):
    body = "".join(f"    {row},\n" for row in rows)
    return f"/// {doc}\n#[rustfmt::skip]\n{vis} static {name}: [{kind}; {len(rows)}] = [\n{body}];\n"


def profile(data):
    assert [*data["option_order"]] == OPTIONS
    rows = sorted(data["rows"], key=lambda row: (row["match_mask_hex"] != "FFFFFFFF", int(row["match_value_hex"], 16)))
    lines = [
        f"Row {{ tag: 0x{row['match_value_hex']}, mask: 0x{row['match_mask_hex']}, name: {text(row['name'])}, "
        f"vr: {text(row['vr'] or '')}, basic: {text(row['basic_profile'])}, "
        f"safe: {text(row['safe_action_for_any_iod'])}, options: *{codes(row['options'])} }}"
        for row in rows
    ]
    assert len(lines) == data["row_count"]
    edition = f"/// Of PS3.15, whose Table E.1-1 this is.\npub const EDITION: &str = {text(data['edition'])};\n"
    doc = "By tag; those that are not one tag at the end."
    parts = ["use super::Row;\n", edition, table("Row", "ROWS", doc, lines, "pub")]
    write("attributes.rs", "PS3.15 Table E.1-1, Application Level Confidentiality Profile Attributes.", data["edition"], parts)


def private(data):
    def key(row):
        return row["private_creator"], row["group_hex"], row["element_low_hex"]

    lines = [
        f"SafePrivate {{ creator: {text(row['private_creator'])}, group: 0x{row['group_hex']}, "
        f"element: 0x{row['element_low_hex']}, vr: {text(row['vr'] or '')} }}"
        for row in sorted(data["rows"], key=key)
    ]
    assert len(lines) == data["row_count"]
    doc = "By creator, group and element."
    parts = ["use super::SafePrivate;\n", table("SafePrivate", "SAFE", doc, lines, "pub(in crate::rewrite)")]
    write("safe_private.rs", "PS3.15 Table E.3.10-1, Safe Private Attributes.", data["edition"], parts)


def concepts(data):
    lines = [
        f"Concept {{ code: {text(row['code'])}, scheme: {text(row['scheme'])}, value_type: {text(row['value_type'])}, "
        f"basic: {text(row['basic_profile'])}, options: *{codes(row['options'])} }}"
        for row in sorted(data["rows"], key=lambda row: (row["code"], row["scheme"], row["value_type"]))
    ]
    assert len(lines) == data["row_count"]
    doc = "By code, scheme and value type."
    parts = ["use super::Concept;\n", table("Concept", "CONCEPTS", doc, lines)]
    write("concepts.rs", "PS3.15 Table E.3.4-1, concept names for the Clean Structured Content Option.", data["edition"], parts)


# Kinds of images that are on the list, and films of them, by what retired classes are called.
RETIRED = ("Ultrasound ", "Secondary Capture ", "VL ", "Video ", "Hardcopy ")
PRINTS = "Stored Print Storage"
# Pictures of eyes of 8 bits and fluoroscopy: many devices draw names and dates into them, and say so or not.
DRAWN_INTO = ("1.2.840.10008.5.1.4.1.1.12.2", "1.2.840.10008.5.1.4.1.1.77.1.5.1")


def classes(data):
    retired = [
        row["uid"] for row in data["sop_classes"]
        if row["retired"] and (
            row["name"].startswith(RETIRED) and "Image Storage" in row["name"] or row["name"].startswith(PRINTS)
        )
    ]  # fmt: skip
    names = {row["uid"]: row["name"].removesuffix(" SOP Class") for row in data["sop_classes"]}
    old = {row["uid"] for row in data["sop_classes"] if row["retired"]}
    lines = [
        f"({text(uid)}, {text(names[uid] + (' (retired)' if uid in old else ''))})"
        # An encapsulated document is refused or replaced as such.
        for uid in sorted({*data["burned_in_risk_sop_classes"], *retired, *DRAWN_INTO})
        if not uid.startswith("1.2.840.10008.5.1.4.1.1.104.")
    ]
    doc = "SOP classes and their names, by UID."
    parts = [table("(&str, &str)", "BURNED_IN", doc, lines, "pub(in crate::rewrite)")]
    write("burned_in.rs", "SOP classes whose pixels often carry burned-in text.", "2026c", parts)


def main():
    folder = Path(sys.argv[1])

    def read(name):
        return json.loads((folder / name).read_text())

    profile(read("confidentiality_profile.json"))
    private(read("safe_private_attributes.json"))
    concepts(read("sr_clean_concepts.json"))
    classes(read("uids.json"))


main()
