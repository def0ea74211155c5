#!/usr/bin/env python3
"""Judges files whose pixels were masked: their bytes as pydicom reads them, and what DCMTK's dcm2pnm makes of them.

    pixels.py RECTANGLES FOLDER [decode]

RECTANGLES is JSON, [[x, y, width, height], …], FOLDER for images. Reads lines `BEFORE<tab>AFTER` on standard input, AFTER being
empty for files that were refused; with `decode`, only compressed files are judged, by what DCMTK makes of them. Prints one JSON object: how many were judged of which kind, what differs where nothing
should, and what was refused or passed without a reason.
"""

import functools
import glob
import json
import os
import subprocess
import sys
import warnings

import pydicom

warnings.simplefilter("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

RECTANGLES = [tuple(rectangle) for rectangle in json.loads(sys.argv[1])]
FOLDER, DECODES = sys.argv[2], sys.argv[3:] == ["decode"]
LOSSY = "1.2.840.10008.1.2.4.50"
JPEG_2000 = ["1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"]
# DCMTK does not decode JPEG 2000, but some files come with the same pixels, uncompressed.
TWINS = {
    "MR2_J2KR.dcm": "MR2_UNCR.dcm",
    "RG1_J2KR.dcm": "RG1_UNCR.dcm",
    "RG3_J2KR.dcm": "RG3_UNCR.dcm",
    "US1_J2KR.dcm": "US1_UNCR.dcm",
    "emri_small_jpeg_2k_lossless.dcm": "emri_small.dcm",
    "MR_small_jp2klossless.dcm": "MR_small.dcm",
}
JPEG = [LOSSY, "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70"]
SAMPLES = {"MONOCHROME1": 1, "MONOCHROME2": 1, "PALETTE COLOR": 1, "RGB": 3, "YBR_FULL": 3}


def spans(row, columns):
    """Ranges of columns and whether they are masked."""
    return spans_by(tuple(r for r in RECTANGLES if r[1] <= row < r[1] + r[3]), columns)


@functools.cache
def spans_by(rectangles, columns):
    def covered(x):
        return any(left <= x < left + width for left, _, width, _ in rectangles)

    found, start = [], 0
    for x in range(1, columns + 1):
        if x == columns or covered(x) != covered(start):
            found.append((start, x, covered(start)))
            start = x
    return found


def black(ds, sample):
    bits = ds.BitsStored
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if ds.PixelRepresentation else (0, (1 << bits) - 1)
    value = high if ds.PhotometricInterpretation == "MONOCHROME1" else low
    if ds.PhotometricInterpretation == "YBR_FULL" and sample > 0:
        value = 1 << bits - 1
    order = "little" if ds.original_encoding[1] else "big"
    return value.to_bytes(ds.BitsAllocated // 8, order, signed=bool(ds.PixelRepresentation))


def pixels(ds):
    """The bytes, those of OW with 8 bits in the order of the pixels."""
    data = bytearray(ds.PixelData)
    if ds.BitsAllocated == 8 and not ds.original_encoding[1] and ds["PixelData"].VR == "OW":
        data[0::2], data[1::2] = data[1::2], data[0::2]
    return data


def expected(ds):
    data = pixels(ds)
    size, frames = ds.BitsAllocated // 8, int(ds.get("NumberOfFrames") or 1)
    apart = ds.SamplesPerPixel == 3 and ds.PlanarConfiguration == 1
    planes = [[0], [1], [2]] if apart else [list(range(ds.SamplesPerPixel))]
    at = 0
    for _ in range(frames):
        for plane in planes:
            pixel = b"".join(black(ds, sample) for sample in plane)
            for row in range(ds.Rows):
                for start, end, masked in spans(row, ds.Columns):
                    if masked:
                        data[at + start * len(pixel) : at + end * len(pixel)] = pixel * (end - start)
                at += ds.Columns * len(pixel)
    assert at == frames * ds.Rows * ds.Columns * ds.SamplesPerPixel * size
    return data


def decoded(path, ds):
    """The file as DCMTK decodes it, where dimsegate does too; whether its pixels are exact."""
    syntax = ds.file_meta.TransferSyntaxUID
    if syntax in JPEG_2000:
        return os.path.join(os.path.dirname(path), TWINS[os.path.basename(path)])
    tool = {"1.2.840.10008.1.2.5": "dcmdrle", **dict.fromkeys(JPEG, "dcmdjpeg")}.get(syntax)
    native = os.path.join(FOLDER, "decoded.dcm")
    if not tool or subprocess.run([tool, "-q", path, native], check=False, capture_output=True).returncode != 0:
        return None
    return native


def near(one, other):
    """Lossy decoders differ by rounding, and in how they make colours from fewer samples."""
    return len(one) == len(other) and sum(abs(a - b) for a, b in zip(one, other)) < 4 * len(one)


def maskable(ds):
    if ds.file_meta.TransferSyntaxUID.is_encapsulated or ds.BitsAllocated not in (8, 16):
        return False
    if SAMPLES.get(ds.PhotometricInterpretation) != ds.SamplesPerPixel or ds.HighBit != ds.BitsStored - 1:
        return False
    # Nobody says in which order the bytes of a word are.
    if ds.BitsAllocated == 16 and not ds.original_encoding[1] and ds["PixelData"].VR == "OB":
        return False
    if not any(x < ds.Columns and y < ds.Rows for x, y, _, _ in RECTANGLES):
        return False
    count = ds.Rows * ds.Columns * ds.SamplesPerPixel * int(ds.get("NumberOfFrames") or 1) * (ds.BitsAllocated // 8)
    return len(ds.PixelData) == count + count % 2


def pictures(path, name, window):
    """Of each frame: kind, width and height, and bytes."""
    prefix = os.path.join(FOLDER, name)
    options = ["-q", "-O", "-M", "+Ww", *map(str, window), "+Fa", "+op"]
    subprocess.run(["dcm2pnm", *options, path, prefix], check=False, capture_output=True)
    found = []
    for picture in sorted(glob.glob(prefix + ".*")):
        with open(picture, "rb") as file:
            kind, size, data = read_pnm(file)
        found.append((kind, size, data))
        os.remove(picture)
    return found


def read_pnm(file):
    fields = []
    while len(fields) < 4:
        line = file.readline()
        fields += line.split(b"#")[0].split()
    return fields[0], (int(fields[1]), int(fields[2])), file.read()


def seen(before, after, ds):
    """Whether dcm2pnm shows black where it should and all else as it was; `None` where it shows nothing."""
    palette = ds.PhotometricInterpretation == "PALETTE COLOR"
    # All values that can be stored, from black to white.
    window = (0 if ds.PixelRepresentation else 1 << ds.BitsStored - 1, 1 << ds.BitsStored)
    old, new = pictures(before, "before", window), pictures(after, "after", window)
    if not old:
        return None
    if len(old) != len(new):
        return False
    for (kind, (width, height), was), (_, size, now) in zip(old, new):
        channels = 3 if kind == b"P6" else 1
        if size != (width, height) or len(was) != len(now) or len(was) != width * height * channels:
            return False
        at = 0
        for row in range(height):
            for start, end, masked in spans(row, width):
                there = slice(at + start * channels, at + end * channels)
                if masked and (any(now[there]) if not palette else len(set(now[there])) > 3):
                    return False
                if not masked and was[there] != now[there]:
                    return False
            at += width * channels
    return True


def main():
    kinds, wrong, shown = {}, {}, 0
    for line in sys.stdin:
        before, after = line.rstrip("\n").split("\t")
        try:
            old = pydicom.dcmread(before)
            image, syntax, shown_before = "PixelData" in old, old.file_meta.TransferSyntaxUID, before
            if DECODES and not (image and syntax.is_encapsulated):
                continue
            if DECODES and syntax in JPEG_2000 and os.path.basename(before) not in TWINS:
                continue
            # Nobody rewrites a file that disagrees with itself.
            if not after and old.file_meta.MediaStorageSOPInstanceUID != old.SOPInstanceUID:
                continue
            if DECODES and (native := decoded(before, old)):
                old, shown_before = pydicom.dcmread(native), native
            can = image and maskable(old)
        except Exception:  # not for pydicom to judge
            continue
        if not after:
            if can:
                wrong[before] = "refused"
            continue
        new = pydicom.dcmread(after)
        if not image:
            if new.get("BurnedInAnnotation") == "NO" and old.get("BurnedInAnnotation") != "NO":
                wrong[before] = "claims to be clean"
            continue
        codes = [item.CodeValue for item in new.DeidentificationMethodCodeSequence]
        if not can:
            wrong[before] = "passed"
        elif new.file_meta.TransferSyntaxUID.is_encapsulated or new.PhotometricInterpretation != old.PhotometricInterpretation:
            wrong[before] = "not as DCMTK decodes it"
        elif not (near if syntax == LOSSY else bytes.__eq__)(bytes(pixels(new)), bytes(expected(old))):
            wrong[before] = "bytes"
        elif syntax == LOSSY and bytes(expected(new)) != bytes(pixels(new)):
            wrong[before] = "not black"
        elif new.BurnedInAnnotation != "NO" or "113101" not in codes:
            wrong[before] = "says nothing"
        else:
            kind = f"{old.PhotometricInterpretation} {old.BitsAllocated} {syntax.name}"
            kinds[kind] = kinds.get(kind, 0) + 1
            picture = seen(shown_before, after, old) if syntax != LOSSY else None
            if picture is False:
                wrong[before] = "dcm2pnm"
            shown += picture is True
    print(json.dumps({"kinds": kinds, "wrong": wrong, "shown": shown}))


main()
