#!/usr/bin/env python3
"""Plants a text beside the pixels of real files, and judges what is left of it.

    beside.py plant FOLDER      reads paths on standard input, prints `ORIGINAL<tab>PLANTED` for each file that got the text
    beside.py judge FOLDER      reads lines `ORIGINAL<tab>PLANTED<tab>AFTER`, AFTER being empty for files that were refused

The text goes into a comment and an application segment of each frame, behind its end, behind the offset table's entries, and
behind native pixels. `judge` prints one JSON object: how many files of which transfer syntax were right, by DCMTK's decoders
where it has one and by their bytes as pydicom reads them, and what is wrong with the others.
"""

import json
import os
import struct
import subprocess
import sys
import warnings

import pydicom
from pydicom.encaps import generate_frames
from pydicom.pixels.utils import get_expected_length

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

TEXT = b"CANARY^PATIENT 19500101."
MODE, FOLDER = sys.argv[1:3]
RLE = "1.2.840.10008.1.2.5"
DECODERS = {
    RLE: "dcmdrle",
    **dict.fromkeys(["1.2.840.10008.1.2.4." + end for end in ("50", "51", "57", "70")], "dcmdjpeg"),
    **dict.fromkeys(["1.2.840.10008.1.2.4." + end for end in ("80", "81")], "dcmdjpls"),
}


def segment(marker, contents):
    return bytes([0xFF, marker]) + struct.pack(">H", len(contents) + 2) + contents


def with_text(frame, text, behind):
    """The frame with a text in it and one behind it; `None` where it is of no kind that can have one."""
    even = b"\0" * (len(frame) % 2)
    if frame.startswith(b"\xff\xd8"):
        # DCMTK's JPEG-LS decoder takes comments, and application segments of its own kind only.
        application = b"" if b"\xff\xf7" in frame else segment(0xE5, text[1])
        added = segment(0xFE, text[0]) + application
        return frame[:2] + added + frame[2:] + even + behind
    if frame.startswith(b"\xff\x4f\xff\x51"):
        size = 4 + struct.unpack(">H", frame[4:6])[0]
        return frame[:size] + segment(0x64, b"\0\1" + text[0]) + frame[size:] + even + behind
    return None


def frames_of(ds):
    return list(generate_frames(ds.PixelData, number_of_frames=int(ds.get("NumberOfFrames") or 1)))


def fragments(ds):
    """Those behind the offset table, which pydicom would believe."""
    value, at, found = ds.PixelData, 0, []
    while at + 8 <= len(value) and value[at : at + 4] == b"\xfe\xff\x00\xe0":
        length = struct.unpack("<L", value[at + 4 : at + 8])[0]
        found.append(value[at + 8 : at + 8 + length])
        at += 8 + length
    return found[1:]


def item(value):
    return b"\xfe\xff\x00\xe0" + struct.pack("<L", len(value)) + value


def plant(ds):
    """Whether the text could be planted, in a file that agrees with itself."""
    if ds.file_meta.get("MediaStorageSOPInstanceUID") != ds.SOPInstanceUID or not ds.file_meta.MediaStorageSOPClassUID:
        return False
    syntax = ds.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        # What is cut off has no last pixel.
        if len(ds.PixelData) < get_expected_length(ds):
            return False
        ds.PixelData += TEXT
        return True
    frames = frames_of(ds)
    if syntax == RLE:
        planted = [frame + b"\0" * (len(frame) % 2) + TEXT for frame in frames]
    else:
        planted = [with_text(frame, (TEXT, TEXT), TEXT) for frame in frames]
    if None in planted:
        return False
    starts, at = [], 0
    for frame in planted:
        starts.append(at)
        at += 8 + len(frame)
    table = struct.pack(f"<{len(starts)}L", *starts)
    # Some readers refuse a table that is longer than it should be; a single frame needs none.
    table = table + TEXT if len(frames) == 1 else table
    ds.PixelData = item(table) + b"".join(map(item, planted))
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    return True


def decoded(path, tool, name):
    native = os.path.join(FOLDER, name)
    if subprocess.run([tool, "-q", path, native], check=False, capture_output=True).returncode != 0:
        return None
    return bytes(pydicom.dcmread(native).PixelData)


def wrong(original, planted, after):
    """What is wrong with a file, or the kind of judge that found nothing."""
    if not after:
        return "refused", None
    with open(after, "rb") as file:
        if TEXT in file.read():
            return "the text came out", None
    old, put, new = map(pydicom.dcmread, (original, planted, after))
    syntax = old.file_meta.TransferSyntaxUID
    if not syntax.is_encapsulated:
        end = len(old.PixelData)
        same = new.PixelData[: end - 1] == old.PixelData[: end - 1] and not any(new.PixelData[end:])
        return (None, "bytes") if same and len(new.PixelData) == len(put.PixelData) else ("pixels", None)
    if syntax != RLE:
        expected = [with_text(frame, (b" " * len(TEXT), bytes(len(TEXT))), bytes(len(TEXT))) for frame in frames_of(old)]
        if not same_but_for_blanks(fragments(new), expected):
            return "frame bytes", None
    tool = DECODERS.get(syntax)
    if tool and (before := decoded(original, tool, "before.dcm")) is not None:
        return (None, tool) if decoded(after, tool, "after.dcm") == before else ("DCMTK's pixels", None)
    return None, "bytes"


def comments(frame):
    """Places of a JPEG 2000 codestream that are no image: comments of its main header, and what is behind its end. Of other
    kinds, whose images are judged by decoders, `None`."""
    if not frame.startswith(b"\xff\x4f\xff\x51"):
        return None
    free, at = set(range(frame.rindex(b"\xff\xd9") + 2, len(frame))), 2
    while frame[at : at + 2] != b"\xff\x90":
        end = at + 2 + struct.unpack(">H", frame[at + 2 : at + 4])[0]
        if frame[at + 1] == 0x64:
            free.update(range(at + 4, end))
        at = end
    return free


def same_but_for_blanks(frames, expected):
    """Whether frames differ only where the files had comments or padding of their own, which are blank now."""

    def same(now, was):
        free = comments(was)
        differ = (at for at, (a, b) in enumerate(zip(now, was)) if a != b)
        return len(now) == len(was) and all(now[at] in b" \0" and (free is None or at in free) for at in differ)

    return len(frames) == len(expected) and all(map(same, frames, expected))


def main():
    if MODE == "plant":
        for number, line in enumerate(sys.stdin):
            path = line.rstrip("\n")
            try:
                ds = pydicom.dcmread(path)
                if "PixelData" not in ds or ds.file_meta.TransferSyntaxUID.is_deflated or not plant(ds):
                    continue
                name = os.path.join(FOLDER, f"{number}.dcm")
                ds.save_as(name)
                pydicom.dcmread(name)
            except Exception:  # not for pydicom to plant in
                continue
            print(f"{path}\t{name}")
        return
    kinds, bad = {}, {}
    for line in sys.stdin:
        original, planted, after = line.rstrip("\n").split("\t")
        why, judge = wrong(original, planted, after)
        if why:
            bad[original] = why
        else:
            kind = f"{pydicom.dcmread(original).file_meta.TransferSyntaxUID.name}: {judge}"
            kinds[kind] = kinds.get(kind, 0) + 1
    print(json.dumps({"kinds": kinds, "wrong": bad}))


main()
