"""A name in every attribute of PS3.6 whose VR cannot hold one, and in attributes that are written with another VR.

    misfits.py make FILE       writes such an object
    misfits.py judge FILE      reads one as strictly as pydicom can, and prints what is wrong with it, one a line
"""

import io
import struct
import sys
import warnings

import pydicom
from pydicom.datadict import DicomDictionary
from pydicom.dataset import FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

NAME = b"DOE^JANE"
INSTANCE = "1.2.3.4"
ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, len(NAME)) + NAME
LONG = {"OB", "SQ"}


def element(tag, vr, value):
    """By hand: pydicom writes no such values."""
    value += b"\0" * (len(value) % 2)
    form = "<HH2sxxI" if vr in LONG else "<HH2sH"
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def elements():
    """Of every attribute, its tag and what is written."""
    icon = element(0x7FE00010, "OB", NAME)
    yield 0x52009230, element(0x52009230, "SQ", struct.pack("<HHI", 0xFFFE, 0xE000, len(icon)) + icon)
    yield 0x00080016, element(0x00080016, "UI", CTImageStorage.encode())
    yield 0x00080018, element(0x00080018, "UI", INSTANCE.encode())
    for tag, (vr, *_) in DicomDictionary.items():
        # What is no data set, and what says how the rest is read.
        if tag >> 16 in (0x0000, 0x0002, 0xFFFE) or tag in (0x00080005, 0x00080016, 0x00080018, 0x52009230):
            continue
        if vr in {"AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"}:
            yield tag, element(tag, "LO" if tag % 3 == 0 else vr, NAME)
        elif vr == "SQ" and tag % 2:
            yield tag, element(tag, "OB", ITEM)


def make(path):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, INSTANCE
    head = io.BytesIO()
    empty = pydicom.Dataset()
    empty.file_meta = meta
    dcmwrite(head, empty, enforce_file_format=True)
    with open(path, "wb") as file:
        file.write(head.getvalue())
        file.writelines(written for _, written in sorted(elements()))


def wrong(data):
    for tag in data.keys():
        try:
            element = data[tag]
        except Exception as error:  # noqa: BLE001, pydicom raises several
            yield f"{tag}: {error}"
            continue
        if element.VR == "SQ":
            for item in element.value:
                yield from wrong(item)
        elif NAME.decode() in str(element.value):
            yield f"{tag}: the name"


def judge(path):
    pydicom.config.settings.reading_validation_mode = pydicom.config.RAISE
    warnings.simplefilter("error")
    for line in wrong(pydicom.dcmread(path)):
        print(line)


{"make": make, "judge": judge}[sys.argv[1]](sys.argv[2])
