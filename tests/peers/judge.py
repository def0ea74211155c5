"""Compares rewritten objects with their originals, element by element, as pydicom reads them.

Reads lines `ORIGINAL REWRITTEN` from standard input; prints one JSON object: how many were compared, and every difference
that the rules below do not explain. Knows the rules of tests/scenarios/rewriting.rs by heart, not from dimsegate.

With `identify` instead of the secret's file: reads a file name a line, and prints the SOP instance UID in its data set.
"""

import hashlib
import hmac
import json
import sys
import warnings
from pathlib import Path

from pydicom import config, dcmread
from pydicom.tag import Tag

warnings.simplefilter("ignore")
config.settings.reading_validation_mode = config.IGNORE
if sys.argv[1] != "identify":
    SECRET = Path(sys.argv[1]).read_bytes()

UIDS = {0x00080018, 0x0020000D, 0x0020000E, 0x00081155, 0x00200052}


def new_uid(old):
    if not old or old.startswith("1.2.840.10008."):
        return old
    digest = hmac.new(SECRET, b"uid\0" + old.encode("latin-1"), hashlib.sha256).digest()
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | 0x8 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    return f"2.25.{number}"


def new_pseudonym(old):
    if not old:
        return ""
    return hmac.new(SECRET, b"pseudonym\0" + old, hashlib.sha256).hexdigest()[:16].upper()


def text(value):
    value = value if isinstance(value, bytes) else str(value or "").encode("latin-1", "replace")
    return value.strip(b" \0").decode("latin-1")


def expected_values(old, act):
    return "\\".join(act(part.strip(" \0")) for part in old.split("\\"))


def bytes_of(element):
    """The value as it came, or as text where pydicom has read it already."""
    value = element.value
    return value if isinstance(value, bytes) else str(value or "").encode("latin-1", "replace")


def compare(old, new, where, told, top):
    tags = sorted(set(old.keys()) | set(new.keys()))
    for tag in tags:
        place = f"{where}{tag}"
        before, after = old.get_item(tag) if tag in old else None, new.get_item(tag) if tag in new else None
        removed = tag.is_private or tag.element == 0 or tag == Tag(0x0040, 0xA730)
        if removed:
            if after is not None:
                told.append(f"{place} should be gone")
            continue
        if top and tag == Tag(0x0012, 0x0063):
            if after is None or text(after.value) != "dimsegate":
                told.append(f"{place} was not set")
            continue
        if before is None or after is None:
            told.append(f"{place} {'appeared' if before is None else 'vanished'}")
            continue
        if is_sequence(old, tag):
            old_items, new_items = old[tag].value, new[tag].value
            if len(old_items) != len(new_items):
                told.append(f"{place}: {len(new_items)} items instead of {len(old_items)}")
            for number, (one, other) in enumerate(zip(old_items, new_items)):
                compare(one, other, f"{place}[{number + 1}]", told, False)
            continue
        judge(tag, before, after, place, told)


def is_sequence(data_set, tag):
    try:
        return data_set[tag].VR == "SQ"
    except Exception:
        return False


def judge(tag, before, after, place, told):
    was, now = bytes_of(before), bytes_of(after)
    if tag == Tag(0x0010, 0x0010):
        good = text(now) == ""
    elif tag == Tag(0x0010, 0x0020):
        good = text(now) == new_pseudonym(was.strip(b" \0"))
    elif tag == Tag(0x0008, 0x0080):
        good = text(now) == "SITE-07"
    elif tag in UIDS:
        good = text(now) == expected_values(text(was), new_uid)
    else:
        good = was == now
    if not good:
        told.append(f"{place}: {was[:40]!r} became {now[:40]!r}")


def identified(path):
    try:
        return str(dcmread(path, force=True, specific_tags=["SOPInstanceUID"]).get("SOPInstanceUID", ""))
    except Exception:
        return ""


if sys.argv[1] == "identify":
    print(json.dumps([identified(path) for path in sys.stdin.read().splitlines()]))
    sys.exit()
answer = {"compared": 0, "differences": []}
for line in sys.stdin.read().splitlines():
    original, rewritten = line.split(" ")
    told = []
    try:
        old = dcmread(original, force=True)
        list(old.iterall())
    except Exception as error:
        # pydicom cannot read the original either, so it cannot judge what became of it.
        answer.setdefault("unreadable", []).append(f"{original}: {error}")
        continue
    old, new = dcmread(original, force=True), dcmread(rewritten)
    if new.file_meta.MediaStorageSOPInstanceUID != text(new.get_item(0x00080018).value):
        told.append("(0008,0018) is not what the command said")
    compare(old, new, "", told, True)
    answer["compared"] += 1
    answer["differences"] += [f"{original}: {difference}" for difference in told]
print(json.dumps(answer))
